#include <algorithm>
#include <stdexcept>

#include "core/json/escape.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"
#include "core/toml/keys.hpp"
#include "core/toml/reader.hpp"

namespace postern::toml {
namespace {

std::string json_number(const json::Value& value) {
    json::Writer writer;
    if (value.is_integer()) {
        writer.integer(value.integer().value());
        return writer.take();
    }
    writer.number(value.number().value());
    std::string text = writer.take();
    // Without a mark of a fraction TOML would read an integer, which this one may not fit.
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
}

/// Depth was bounded when the JSON was parsed.
void to_toml(std::string& out, const json::Value& value) {
    if (value.is_string()) {
        // JSON's escapes, as our writer makes them, are all TOML's too.
        json::append_quoted(out, value.string().value());
    } else if (value.is_number()) {
        out += json_number(value);
    } else if (value.is_bool()) {
        out += value.boolean().value() ? "true" : "false";
    } else if (value.is_array()) {
        std::string_view separator = "[";
        for (const auto& element : value.items()) {
            out += separator;
            to_toml(out, element);
            separator = ", ";
        }
        out += separator == "[" ? "[]" : "]";
    } else if (value.is_object()) {
        std::string_view separator = "{ ";
        for (const auto& [name, member] : value.members()) {
            if (member.is_null()) continue;
            out.append(separator).append(written_key(name)).append(" = ");
            to_toml(out, member);
            separator = ", ";
        }
        out += separator == "{ " ? "{}" : " }";
    } else {
        throw std::invalid_argument("json_object_to_toml: TOML has no word for " + value.path());
    }
}

}  // namespace

std::string written_key(std::string_view key) {
    const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    if (bare) return std::string(key);
    std::string quoted;
    json::append_quoted(quoted, key);
    return quoted;
}

std::string json_object_to_toml(std::string_view text, std::span<const std::string_view> without) {
    json::Limits limits;
    limits.bytes = std::max<std::size_t>(text.size(), 1);
    limits.depth = 256;  // what toml++ accepts
    const auto document = json::Document::parse(text, limits);
    if (!document) throw std::invalid_argument("json_object_to_toml: " + document.error().detail);
    const auto root = document.value().root();
    if (!root.is_object()) throw std::invalid_argument("json_object_to_toml: not an object");
    std::string out;
    for (const auto& [name, member] : root.members()) {
        if (member.is_null() || std::find(without.begin(), without.end(), name) != without.end()) continue;
        out.append(written_key(name)).append(" = ");
        to_toml(out, member);
        out += '\n';
    }
    return out;
}

}  // namespace postern::toml
