#include "ra/binding_text.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "core/json/reader.hpp"
#include "core/json/writer.hpp"
#include "ra/names.hpp"

namespace postern::ra {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;
using crypto::DnAttribute;
using crypto::GeneralNameType;

constexpr std::array attributes{DnAttribute::common_name, DnAttribute::organization, DnAttribute::organizational_unit, DnAttribute::country,
                                DnAttribute::state,       DnAttribute::locality,     DnAttribute::serial_number,       DnAttribute::email};
constexpr std::size_t most_attributes = 16, longest_value = 256;

struct NameKind {
    std::string_view prefix;
    GeneralNameType type;
};
constexpr std::array name_kinds{NameKind{"dns:", GeneralNameType::dns}, NameKind{"ip:", GeneralNameType::ip}, NameKind{"email:", GeneralNameType::email},
                                NameKind{"uri:", GeneralNameType::uri},   NameKind{"upn:", GeneralNameType::upn}};

Problem bad(std::string why) { return {ProblemKind::malformed, std::move(why)}; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool same(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, lower, lower);
}

Result<crypto::DnEntry> entry_of(std::string_view type, std::string value) {
    if (value.empty() || value.size() > longest_value) return bad("subject: " + std::string(type) + " has no value, or one of more than 256 octets");
    for (const auto known : attributes)
        if (same(crypto::short_name(known), type)) return crypto::DnEntry(known, std::move(value));
    const bool dotted = type.find('.') != type.npos && type.find_first_not_of("0123456789.") == type.npos;
    if (!dotted) return bad("subject: \"" + std::string(type) + "\" is no attribute; known: CN, O, OU, C, ST, L, serialNumber, E, or a dotted number");
    crypto::DnEntry entry(DnAttribute::other, std::move(value));
    entry.oid = type;
    return entry;
}

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

std::string type_text(const crypto::DnEntry& e) { return e.type == DnAttribute::other ? e.oid : std::string(crypto::short_name(e.type)); }

template <class List, class Text>
std::string stored(const List& list, Text text) {
    json::Writer w;
    w.begin_array();
    for (const auto& item : list) w.string(text(item));
    return w.end_array().take();
}

template <class Take>
void each_stored(std::string_view json, Take take) {
    const auto document = json::Document::parse(json);
    if (!document) throw std::logic_error("stored challenge: " + document.error().detail);
    for (const auto& item : document->root().items()) take(item.string().value());
}

}  // namespace

Result<std::vector<crypto::DnEntry>> subject_from_text(std::string_view text) {
    std::vector<crypto::DnEntry> out;
    if (trimmed(text).empty()) return out;
    std::size_t at = 0;
    while (at <= text.size()) {
        const auto equals = text.find('=', at);
        if (equals == text.npos) return bad("subject: expected \"CN=phone-7,O=Example\"");
        const auto type = trimmed(text.substr(at, equals - at));
        std::string value;
        std::size_t plain_spaces = 0;  // at the end, not escaped: not part of it
        auto i = equals + 1;
        while (i < text.size() && text[i] == ' ') ++i;
        for (; i < text.size() && text[i] != ','; ++i) {
            if (text[i] == '+') return bad("subject: one attribute each, separated by commas");
            const bool escaped = text[i] == '\\';
            if (escaped && ++i == text.size()) return bad("subject: it ends with a backslash");
            value += text[i];
            plain_spaces = !escaped && text[i] == ' ' ? plain_spaces + 1 : 0;
        }
        value.resize(value.size() - plain_spaces);
        auto entry = entry_of(type, std::move(value));
        if (!entry) return entry.error();
        out.push_back(std::move(*entry));
        if (out.size() > most_attributes) return bad("subject: more than 16 attributes");
        at = i + 1;
    }
    return out;
}

Result<crypto::GeneralName> name_from_text(std::string_view text) {
    for (const auto& kind : name_kinds) {
        if (!text.starts_with(kind.prefix)) continue;
        std::string value(text.substr(kind.prefix.size()));
        if (value.empty() || value.size() > 1024) return bad("names: " + std::string(kind.prefix) + " has no value, or one of more than 1024 octets");
        if (kind.type == GeneralNameType::ip) {
            value = crypto::canonical_ip(value);
            if (value.empty()) return bad("names: " + std::string(text) + " is no address");
        }
        if (kind.type == GeneralNameType::dns) {
            auto normal = normalize_dns(value);
            if (!normal) return bad("names: " + normal.error().detail);
            value = std::move(*normal);
        }
        const bool visible = std::ranges::all_of(value, [](char c) { return c > ' ' && c < 0x7f; });
        if (!visible) return bad("names: " + std::string(kind.prefix) + " takes visible ASCII alone");
        return crypto::GeneralName(kind.type, std::move(value));
    }
    return bad("names: expected \"dns:…\", \"ip:…\", \"email:…\", \"uri:…\" or \"upn:…\"");
}

std::string to_stored(const std::vector<crypto::DnEntry>& subject) {
    return stored(subject, [](const crypto::DnEntry& e) { return type_text(e) + "=" + e.value; });
}

std::string to_stored(const std::vector<crypto::GeneralName>& names) {
    return stored(names, [](const crypto::GeneralName& n) {
        const auto* kind = std::ranges::find(name_kinds, n.type, &NameKind::type);
        if (kind == name_kinds.end()) throw std::logic_error("a challenge for a name of no known kind");
        return std::string(kind->prefix) + n.value;
    });
}

std::vector<crypto::DnEntry> subject_from_stored(std::string_view json) {
    std::vector<crypto::DnEntry> out;
    each_stored(json, [&](std::string_view text) {
        const auto equals = text.find('=');
        out.push_back(entry_of(text.substr(0, equals), std::string(text.substr(equals + 1))).value());
    });
    return out;
}

std::vector<crypto::GeneralName> names_from_stored(std::string_view json) {
    std::vector<crypto::GeneralName> out;
    each_stored(json, [&](std::string_view text) { out.push_back(name_from_text(text).value()); });
    return out;
}

}  // namespace postern::ra
