#include <algorithm>
#include <set>

#include "core/json/writer.hpp"
#include "core/toml/reader.hpp"
#include "ra/documents/wanted.hpp"

namespace postern::ra::documents {

namespace {

using core::Problem;
using core::Result;

/// Gathers every error, so that a person mends a file once.
class Errors {
public:
    void add(const Problem& p) { text_ += (text_.empty() ? "" : "\n") + p.detail; }
    [[nodiscard]] bool none() const { return text_.empty(); }
    [[nodiscard]] Problem problem() const { return {core::ProblemKind::malformed, text_}; }

private:
    std::string text_;
};

/// Object names appear in URLs, paths and logs.
bool good_name(std::string_view name, bool dns) {
    if (name.empty() || name.size() > (dns ? 253U : 64U)) return false;
    const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return alphanumeric(name.front()) && std::all_of(name.begin(), name.end(), [&](char c) {
               return alphanumeric(c) || c == '.' || c == '_' || c == '-';
           });
}

Result<void> write_value(const Key& key, const toml::Value& value, json::Writer& out) {
    switch (key.type) {
        case KeyType::text:
        case KeyType::duration: {
            if (key.type == KeyType::duration)
                if (const auto d = value.duration(); !d) return d.error();
            const auto text = value.string();
            if (!text) return text.error();
            out.member(key.name, *text);
            return {};
        }
        case KeyType::flag: {
            const auto flag = value.boolean();
            if (!flag) return flag.error();
            out.member(key.name, *flag);
            return {};
        }
        case KeyType::number: {
            const auto number = value.integer();
            if (!number) return number.error();
            out.member(key.name, *number);
            return {};
        }
        case KeyType::list: {
            const auto list = value.strings();
            if (!list) return list.error();
            out.key(key.name).begin_array();
            for (const auto& item : *list) out.string(item);
            out.end_array();
            return {};
        }
    }
    return {};
}

/// The key of an account of method certificate that has a secret too.
constexpr std::string_view asks_for_password = "with_password";

/// Methods that something secret proves.
bool has_secret(std::string_view method) { return method == "eab" || method == "access_code" || method == "basic" || method == "webhook"; }

/// secret = {generate = true} | "keep" | {value = "…", key_id = "…"} on accounts with such a method
Result<void> read_secret(const toml::Table& table, Wanted& wanted) {
    const auto secret = table.find("secret");
    if (!secret) {
        wanted.secret = SecretWish::keep;
        return {};
    }
    if (const auto text = secret->string()) {
        if (*text != "keep") return secret->problem("expected {generate = true}, {file = \"…\", key_id = \"…\"} or \"keep\"");
        wanted.secret = SecretWish::keep;
        return {};
    }
    const auto form = secret->table();
    if (!form) return form.error();
    if (const auto generate = form->find("generate")) {
        const auto yes = generate->boolean();
        if (!yes) return yes.error();
        if (!*yes) return generate->problem("leave it out instead of false");
        wanted.secret = SecretWish::generate;
        return {};
    }
    auto value = form->require("value");
    if (!value) return form->problem("expected generate = true, or a file with key_id");
    auto text = value->string();
    if (!text) return text.error();
    wanted.secret = SecretWish::given;
    wanted.secret_value = core::SecretText(std::move(*text));
    if (wanted.columns["method"] != "eab") return {};
    const auto key_id = form->require("key_id");
    if (!key_id) return key_id.error();
    const auto id = key_id->string();
    if (!id) return id.error();
    wanted.key_id = *id;
    return {};
}

/// KEY = "keep" | {value = "…"}
Result<SecretWish> read_given(const toml::Table& table, std::string_view key, SecretWish absent, core::SecretText& into) {
    const auto secret = table.find(key);
    if (!secret) return absent;
    if (const auto text = secret->string()) {
        if (*text != "keep") return secret->problem("expected {file = \"…\"} or \"keep\"");
        return SecretWish::keep;
    }
    const auto form = secret->table();
    if (!form) return form.error();
    auto value = form->require("value");
    if (!value) return form->problem("expected a file");
    auto text = value->string();
    if (!text) return text.error();
    if (text->empty()) return form->problem("the file is empty");
    into = core::SecretText(std::move(*text));
    return SecretWish::given;
}

Wanted read_object(const Kind& kind, const toml::Table& table, Errors& errors) {
    Wanted w;
    w.kind = &kind;
    w.where = table.where();
    const auto text = [&](std::string_view key, std::string& into, bool required) {
        const auto value = table.find(key);
        if (!value) {
            if (required) errors.add(table.problem(std::string(key) + " is missing"));
            return false;
        }
        auto got = value->string();
        if (got)
            into = *got;
        else
            errors.add(got.error());
        return got.has_value();
    };
    const bool named = text("name", w.name, true);
    w.tenant = "default";
    if (kind.name == "tenant")
        w.tenant = w.name;
    else
        text("tenant", w.tenant, false);
    if (named && !good_name(w.name, kind.name == "domain"))
        errors.add(table.problem("name \"" + w.name + "\": use lower-case letters, digits, '.', '_' and '-', beginning with a letter or digit"));
    if (const auto enabled = table.find("enabled")) {
        if (const auto flag = enabled->boolean())
            w.enabled = *flag;
        else
            errors.add(flag.error());
    }
    json::Writer body;
    body.begin_object();
    for (const auto& key : kind.keys) {
        const auto value = table.find(key.name);
        if (!value) {
            if (key.required) errors.add(table.problem(std::string(key.name) + " is missing"));
            continue;
        }
        if (key.column) {
            if (auto got = value->string())
                w.columns[std::string(key.name)] = *got;
            else
                errors.add(got.error());
        } else if (const auto r = write_value(key, *value, body); !r) {
            errors.add(r.error());
        }
    }
    body.end_object();
    w.body = body.take();
    // One beside the certificate, where the account asks for it.
    const auto password = kind.name == "account" && w.columns["method"] == "certificate" ? table.find(asks_for_password) : std::nullopt;
    const auto both = password ? password->boolean() : Result<bool>(false);
    if (kind.name == "account" && (has_secret(w.columns["method"]) || (both && *both)))
        if (const auto r = read_secret(table, w); !r) errors.add(r.error());
    if (kind.name == "azure_account") {
        const auto settle = [&](std::string_view key, SecretWish absent, SecretWish& wish, core::SecretText& value) {
            if (const auto r = read_given(table, key, absent, value); r) wish = *r;
            else errors.add(r.error());
        };
        settle("secret", SecretWish::keep, w.secret, w.secret_value);
        settle("proxy_password", SecretWish::none, w.proxy_secret, w.proxy_secret_value);
    }
    return w;
}

}  // namespace

Result<std::vector<Wanted>> read(const std::vector<DocumentText>& documents) {
    Errors errors;
    std::vector<Wanted> wanted;
    for (const auto& document : documents) {
        const auto root = toml::parse(document.text, document.name);
        if (!root) {
            errors.add(root.error());
            continue;
        }
        for (const auto& kind : kinds()) {
            const auto list = root->find(kind.name);
            if (!list) continue;
            const auto tables = list->tables();
            if (!tables) {
                errors.add(tables.error());
                continue;
            }
            for (const auto& table : *tables) wanted.push_back(read_object(kind, table, errors));
        }
        if (const auto rest = root->finish(); !rest) errors.add(rest.error());
    }
    std::set<std::string> seen;
    for (const auto& w : wanted)
        if (!seen.insert(std::string(w.kind->name) + " " + w.display()).second)
            errors.add(Problem(core::ProblemKind::malformed, w.where + ": " + std::string(w.kind->name) + " " + w.display() + " is described twice"));
    if (!errors.none()) return errors.problem();
    const auto rank = [](const Wanted& w) { return w.kind - kinds().data(); };
    std::stable_sort(wanted.begin(), wanted.end(), [&](const Wanted& a, const Wanted& b) { return rank(a) < rank(b); });
    return wanted;
}

}  // namespace postern::ra::documents
