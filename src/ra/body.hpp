#pragma once
#include <optional>
#include <string_view>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/json/reader.hpp"
#include "ra/model.hpp"
#include "store/tables/objects.hpp"

/// How the bodies of stored objects are read (bodies.hpp).
namespace postern::ra {

/// Reads optional members of one body and keeps the first thing that is wrong.
class Body {
public:
    explicit Body(const store::ObjectRow& row) : document_(parse(row.body)) {}

    void text(std::string_view key, std::string& into, std::size_t longest) {
        const auto value = root()[key];
        if (!value.exists()) return;
        const auto got = value.string();
        if (!got) return fail(got.error());
        if (got->size() > longest) return fail(value.problem("longer than " + std::to_string(longest) + " octets"));
        into = *got;
    }
    void flag(std::string_view key, bool& into) {
        const auto value = root()[key];
        if (!value.exists()) return;
        const auto got = value.boolean();
        if (!got) return fail(got.error());
        into = *got;
    }
    void duration(std::string_view key, std::chrono::milliseconds& into) {
        const auto value = root()[key];
        if (!value.exists()) return;
        const auto got = value.string();
        if (!got) return fail(got.error());
        const auto parsed = core::parse_duration(*got);
        if (!parsed) return fail(value.problem("expected a duration such as \"90d\" or \"12h\""));
        into = *parsed;
    }
    void number(std::string_view key, unsigned& into, unsigned least, unsigned most) {
        const auto value = root()[key];
        if (!value.exists()) return;
        const auto got = value.integer();
        if (!got) return fail(got.error());
        if (*got < least || *got > most)
            return fail(value.problem("expected " + std::to_string(least) + " to " + std::to_string(most)));
        into = static_cast<unsigned>(*got);
    }
    /// One of the words, by its place; the first is the default.
    std::size_t word(std::string_view key, std::initializer_list<std::string_view> known) {
        std::string chosen(*known.begin()), all;
        text(key, chosen, 16);
        for (const auto* k = known.begin(); k != known.end(); ++k) {
            if (*k == chosen) return static_cast<std::size_t>(k - known.begin());
            all += (all.empty() ? "" : ", ") + std::string(*k);
        }
        fail(key, "known here: " + all);
        return 0;
    }
    /// `each` gets an element and gives what is wrong with it, or nothing.
    template <class Each>
    void list(std::string_view key, Each each) {
        const auto value = root()[key];
        if (!value.exists()) return;
        if (!value.is_array()) return fail(value.problem("expected a list"));
        for (const auto& item : value.items()) {
            const auto got = item.string();
            if (!got) return fail(got.error());
            if (const std::string wrong = each(*got); !wrong.empty()) return fail(item.problem(wrong));
        }
    }
    /// Where leaving a key out means "all", an empty list would open what somebody meant to close.
    void not_empty(std::string_view key) {
        if (const auto value = root()[key]; value.is_array() && value.items().empty()) fail(value.problem("is empty; leave the key out, or name something"));
    }
    void fail(const core::Problem& problem) {
        if (!failure_) failure_ = problem;
    }
    void fail(std::string_view key, std::string_view what) { fail(root()[key].exists() ? root()[key].problem(what) : core::Problem(core::ProblemKind::malformed, "$." + std::string(key) + ": " + std::string(what))); }
    [[nodiscard]] json::Value root() const { return document_ ? document_->root() : json::Value(); }
    [[nodiscard]] const std::optional<core::Problem>& failure() const { return failure_; }

private:
    core::Result<json::Document> parse(const std::string& text) {
        auto document = json::Document::parse(text);
        if (!document) failure_ = document.error();
        return document;
    }
    std::optional<core::Problem> failure_;
    core::Result<json::Document> document_;
};

inline bool active(const store::ObjectRow& row) { return row.status == "active"; }

template <class Id>
std::optional<Id> key_id(const store::ObjectRow& row, std::size_t i) {
    const auto* n = std::get_if<std::int64_t>(&row.keys.at(i));
    return n ? std::optional<Id>(Id(*n)) : std::nullopt;
}

/// "none" or "officer"; anything else is told as wrong, with `more` beside them.
std::optional<Approval> read_approval(Body& body, std::string_view text, std::string_view more);

}  // namespace postern::ra
