#include "core/json/reader.hpp"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>

#include "core/json/escape.hpp"

namespace postern::json {
namespace {

namespace rj = rapidjson;
using Node = rj::Value;

// Iterative: the depth a stranger sends must not be the depth of our stack. In place: strings are
// views into the document's own copy of the text. Numbers as text: RapidJSON 1.1's own conversion
// is inexact, and its exact one (kParseFullPrecisionFlag) reads out of bounds for long digits.
constexpr unsigned parse_flags = rj::kParseInsituFlag | rj::kParseIterativeFlag |
                                 rj::kParseValidateEncodingFlag | rj::kParseNumbersAsStringsFlag;

constexpr std::size_t longest_utf8 = 4;

const Node& node_of(const void* node) {
    return *static_cast<const Node*>(node);
}

std::string_view text_of(const Node& node) {
    return {node.GetString(), node.GetStringLength()};
}

/// RapidJSON 1.1 refuses a lone high surrogate, but writes a lone low one as three octets, which
/// are no UTF-8 (RFC 3629 §3).
bool holds_surrogate(const char* text, std::size_t size) {
    for (std::size_t i = 0; i + 1 < size; ++i) {
        if (static_cast<std::uint8_t>(text[i]) == 0xED && static_cast<std::uint8_t>(text[i + 1]) >= 0xA0) return true;
    }
    return false;
}

/// Hands events on to the document while depth, numbers and surrogates are in order.
class Guard {
public:
    Guard(rj::Document& to, std::size_t depth) : to_(to), limit_(depth) {}

    [[nodiscard]] const std::string& refusal() const noexcept { return refusal_; }

    bool Null() { return to_.Null(); }
    bool Bool(bool v) { return to_.Bool(v); }
    bool Int(int v) { return to_.Int(v); }
    bool Uint(unsigned v) { return to_.Uint(v); }
    bool Int64(std::int64_t v) { return to_.Int64(v); }
    bool Uint64(std::uint64_t v) { return to_.Uint64(v); }
    bool Double(double v) { return to_.Double(v); }
    bool RawNumber(const char* text, rj::SizeType size, bool) {
        const char* const end = text + size;
        if (std::none_of(text, end, [](char c) { return c == '.' || c == 'e' || c == 'E'; })) {
            std::int64_t integer = 0;
            if (std::from_chars(text, end, integer).ec == std::errc()) return to_.Int64(integer);
        }
        double number = 0;
        if (std::from_chars(text, end, number).ec == std::errc()) return to_.Double(number);
        refusal_ = "a number out of range";
        return false;
    }
    bool String(const char* text, rj::SizeType size, bool copy) {
        return well_formed(text, size) && to_.String(text, size, copy);
    }
    bool Key(const char* text, rj::SizeType size, bool copy) {
        return well_formed(text, size) && to_.Key(text, size, copy);
    }
    bool StartObject() { return deeper() && to_.StartObject(); }
    bool StartArray() { return deeper() && to_.StartArray(); }
    bool EndObject(rj::SizeType count) {
        --depth_;
        return to_.EndObject(count);
    }
    bool EndArray(rj::SizeType count) {
        --depth_;
        return to_.EndArray(count);
    }

private:
    bool well_formed(const char* text, std::size_t size) {
        if (!holds_surrogate(text, size)) return true;
        refusal_ = "a surrogate without its other half in a string";
        return false;
    }
    bool deeper() {
        if (++depth_ <= limit_) return true;
        refusal_ = "nested deeper than " + std::to_string(limit_) + " levels";
        return false;
    }

    rj::Document& to_;
    std::size_t limit_;
    std::size_t depth_ = 0;
    std::string refusal_;
};

std::string member_path(const std::string& parent, std::string_view name) {
    const bool word = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    std::string path;
    if (word && name.size() <= 64) {
        path.reserve(parent.size() + 1 + name.size());
        path.append(parent).append(1, '.').append(name);
        return path;
    }
    path = parent + "[";
    append_quoted(path, name.substr(0, 64));
    return path + "]";
}

std::string element_path(const std::string& parent, std::size_t index) {
    return parent + "[" + std::to_string(index) + "]";
}

core::Problem malformed(const std::string& path, std::string_view what) {
    return {core::ProblemKind::malformed, path + ": " + std::string(what)};
}

/// Where the search for equal names stands; text is made of it only for a refusal.
struct Place {
    const Place* up;
    std::string_view name;
    std::size_t index;

    [[nodiscard]] std::string path() const {
        if (up == nullptr) return "$";
        return name.data() == nullptr ? element_path(up->path(), index) : member_path(up->path(), name);
    }
};

/// A name that `object` has twice. Sorted when large: a request of many short names must not cost
/// their square.
std::optional<std::string_view> repeated_name(const Node& object) {
    constexpr rj::SizeType few = 12;
    if (object.MemberCount() <= few) {
        for (auto a = object.MemberBegin(); a != object.MemberEnd(); ++a) {
            for (auto b = object.MemberBegin(); b != a; ++b) {
                if (text_of(a->name) == text_of(b->name)) return text_of(a->name);
            }
        }
        return std::nullopt;
    }
    std::vector<std::string_view> names;
    names.reserve(object.MemberCount());
    for (auto m = object.MemberBegin(); m != object.MemberEnd(); ++m) names.push_back(text_of(m->name));
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice == names.end()) return std::nullopt;
    return *twice;
}

/// Recursion is bounded: the depth was checked while parsing.
std::optional<core::Problem> find_repeated(const Node& node, const Place& place) {
    if (node.IsObject()) {
        if (const auto name = repeated_name(node)) {
            return malformed(member_path(place.path(), *name), "this member appears twice; names must be unique");
        }
        for (auto m = node.MemberBegin(); m != node.MemberEnd(); ++m) {
            if (!m->value.IsObject() && !m->value.IsArray()) continue;
            if (auto problem = find_repeated(m->value, Place{&place, text_of(m->name), 0})) return problem;
        }
    } else if (node.IsArray()) {
        for (rj::SizeType i = 0; i < node.Size(); ++i) {
            if (!node[i].IsObject() && !node[i].IsArray()) continue;
            if (auto problem = find_repeated(node[i], Place{&place, {}, i})) return problem;
        }
    }
    return std::nullopt;
}

std::string_view kind_of(const Node& node) {
    switch (node.GetType()) {
        case rj::kNullType: return "null";
        case rj::kFalseType:
        case rj::kTrueType: return "a boolean";
        case rj::kObjectType: return "an object";
        case rj::kArrayType: return "an array";
        case rj::kStringType: return "a string";
        case rj::kNumberType: return "a number";
    }
    return "something else";
}

core::Problem expected(const Value& value, const void* node, std::string_view what) {
    if (node == nullptr) return value.problem("missing; expected " + std::string(what));
    return value.problem("expected " + std::string(what) + ", found " + std::string(kind_of(node_of(node))));
}

}  // namespace

struct Document::Impl {
    std::string text;
    rj::Document tree;
};

Document::Document() : impl_(std::make_unique<Impl>()) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

core::Result<Document> Document::parse(std::string_view text, Limits limits) {
    if (text.size() > limits.bytes) {
        return malformed("$", "larger than " + std::to_string(limits.bytes) + " bytes");
    }
    // RapidJSON ends at a NUL; JSON text has none.
    if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
        return malformed("$", "not JSON at byte " + std::to_string(nul) + ": a NUL octet");
    }
    Document document;
    document.impl_->text = text;
    // Behind a lead octet RapidJSON reads all that should follow, were it beyond the final NUL.
    document.impl_->text.append(longest_utf8, '\0');
    rj::InsituStringStream stream(document.impl_->text.data());
    Guard guard(document.impl_->tree, limits.depth);
    rj::Reader reader;
    rj::ParseResult outcome;
    auto feed = [&](rj::Document&) {
        outcome = reader.Parse<parse_flags>(stream, guard);
        return !outcome.IsError();
    };
    document.impl_->tree.Populate(feed);
    if (outcome.IsError()) {
        const std::string at = " at byte " + std::to_string(outcome.Offset());
        if (!guard.refusal().empty()) return malformed("$", guard.refusal() + at);
        return malformed("$", "not JSON" + at + ": " + rj::GetParseError_En(outcome.Code()));
    }
    if (auto problem = find_repeated(document.impl_->tree, Place{nullptr, {}, 0})) return *std::move(problem);
    return document;
}

Value Document::root() const {
    const Node& root = impl_->tree;
    return {&root, "$"};
}

bool Value::is_object() const noexcept { return node_ != nullptr && node_of(node_).IsObject(); }
bool Value::is_array() const noexcept { return node_ != nullptr && node_of(node_).IsArray(); }
bool Value::is_string() const noexcept { return node_ != nullptr && node_of(node_).IsString(); }
bool Value::is_number() const noexcept { return node_ != nullptr && node_of(node_).IsNumber(); }
bool Value::is_integer() const noexcept { return node_ != nullptr && node_of(node_).IsInt64(); }
bool Value::is_bool() const noexcept { return node_ != nullptr && node_of(node_).IsBool(); }
bool Value::is_null() const noexcept { return node_ != nullptr && node_of(node_).IsNull(); }

Value Value::operator[](std::string_view name) const {
    if (is_object()) {
        const Node& object = node_of(node_);
        for (auto m = object.MemberBegin(); m != object.MemberEnd(); ++m) {
            if (text_of(m->name) == name) return {&m->value, member_path(path_, name)};
        }
    }
    return {nullptr, member_path(path_, name)};
}

bool Value::contains(std::string_view name) const {
    if (!is_object()) return false;
    const Node& object = node_of(node_);
    return std::any_of(object.MemberBegin(), object.MemberEnd(),
                       [name](const auto& m) { return text_of(m.name) == name; });
}

std::vector<std::pair<std::string_view, Value>> Value::members() const {
    std::vector<std::pair<std::string_view, Value>> all;
    if (!is_object()) return all;
    const Node& object = node_of(node_);
    all.reserve(object.MemberCount());
    for (auto m = object.MemberBegin(); m != object.MemberEnd(); ++m) {
        const std::string_view name = text_of(m->name);
        all.emplace_back(name, Value(&m->value, member_path(path_, name)));
    }
    return all;
}

std::vector<Value> Value::items() const {
    std::vector<Value> all;
    if (!is_array()) return all;
    const Node& array = node_of(node_);
    all.reserve(array.Size());
    for (rj::SizeType i = 0; i < array.Size(); ++i) all.push_back(Value(&array[i], element_path(path_, i)));
    return all;
}

core::Result<std::string_view> Value::string() const {
    if (!is_string()) return expected(*this, node_, "a string");
    return text_of(node_of(node_));
}

core::Result<std::int64_t> Value::integer() const {
    if (!is_number()) return expected(*this, node_, "an integer");
    const Node& number = node_of(node_);
    if (number.IsInt64()) return number.GetInt64();
    return problem("expected an integer without fraction or exponent that fits 64 bits");
}

core::Result<double> Value::number() const {
    if (!is_number()) return expected(*this, node_, "a number");
    return node_of(node_).GetDouble();
}

core::Result<bool> Value::boolean() const {
    if (!is_bool()) return expected(*this, node_, "true or false");
    return node_of(node_).GetBool();
}

core::Result<std::optional<std::string_view>> Value::optional_string() const {
    if (!exists()) return std::optional<std::string_view>();
    if (!is_string()) return expected(*this, node_, "a string");
    return std::optional<std::string_view>(text_of(node_of(node_)));
}

core::Problem Value::problem(std::string_view what) const {
    return malformed(path_, what);
}

}  // namespace postern::json
