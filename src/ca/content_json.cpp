#include "ca/content_json.hpp"

#include <algorithm>
#include <array>

#include "core/crypto/security_identifier.hpp"
#include "core/json/reader.hpp"

namespace postern::ca {

namespace {

using crypto::DnAttribute;
using crypto::GeneralNameType;
using crypto::KeyUsageBit;

constexpr std::array attributes{DnAttribute::common_name, DnAttribute::organization, DnAttribute::organizational_unit,
                                DnAttribute::country,     DnAttribute::state,        DnAttribute::locality,
                                DnAttribute::serial_number, DnAttribute::email};
constexpr std::array<std::pair<std::string_view, GeneralNameType>, 5> name_types{{{"dns", GeneralNameType::dns},
                                                                                  {"ip", GeneralNameType::ip},
                                                                                  {"email", GeneralNameType::email},
                                                                                  {"uri", GeneralNameType::uri},
                                                                                  {"upn", GeneralNameType::upn}}};
constexpr std::array<std::pair<std::string_view, KeyUsageBit>, 5> usages{{{"digitalSignature", KeyUsageBit::digital_signature},
                                                                         {"contentCommitment", KeyUsageBit::content_commitment},
                                                                         {"keyEncipherment", KeyUsageBit::key_encipherment},
                                                                         {"dataEncipherment", KeyUsageBit::data_encipherment},
                                                                         {"keyAgreement", KeyUsageBit::key_agreement}}};

/// Word for word both ways; a value without a word is one that no policy authorises.
template <class Table, class T>
std::string_view word_of(const Table& table, T value) {
    for (const auto& [word, v] : table)
        if (v == value) return word;
    throw std::logic_error("content that no foreign CA can be asked for");
}
template <class Table>
auto value_of(const Table& table, const json::Value& word) -> core::Result<std::decay_t<decltype(table[0].second)>> {
    const auto text = word.string();
    if (!text) return text.error();
    for (const auto& [w, v] : table)
        if (w == *text) return v;
    return word.problem("unknown here");
}

core::Result<core::TimePoint> time_of(const json::Value& value) {
    const auto text = value.string();
    if (!text) return text.error();
    const auto time = core::from_rfc3339(*text);
    if (!time) return value.problem("expected a time");
    return *time;
}

core::Result<void> read_subject(const json::Value& list, Content& c) {
    for (const auto& item : list.items()) {
        const auto type = item["type"].string();
        if (!type) return type.error();
        const auto value = item["value"].string();
        if (!value) return value.error();
        const auto found = std::ranges::find_if(attributes, [&](DnAttribute a) { return crypto::short_name(a) == *type; });
        if (found == attributes.end()) return item.problem("unknown attribute");
        c.subject.entries.emplace_back(*found, std::string(*value));
    }
    return {};
}

core::Result<void> read_names(const json::Value& list, Content& c) {
    for (const auto& item : list.items()) {
        const auto type = value_of(name_types, item["type"]);
        if (!type) return type.error();
        const auto value = item["value"].string();
        if (!value) return value.error();
        c.names.emplace_back(*type, std::string(*value));
    }
    return {};
}

core::Result<void> read_usage(const json::Value& root, Content& c) {
    for (const auto& item : root["key_usage"].items()) {
        const auto bit = value_of(usages, item);
        if (!bit) return bit.error();
        c.key_usage.push_back(*bit);
    }
    for (const auto& item : root["extended_key_usage"].items()) {
        const auto oid = item.string();
        if (!oid) return oid.error();
        c.extended_key_usage.emplace_back(*oid);
    }
    for (const auto& [name, value] : root["parameters"].members()) {
        const auto text = value.string();
        if (!text) return text.error();
        c.parameters.emplace_back(name, *text);
    }
    return {};
}

}  // namespace

std::string_view key_usage_word(crypto::KeyUsageBit bit) { return word_of(usages, bit); }

std::string to_json(const Content& c) {
    json::Writer w;
    w.begin_object().member("profile", c.profile_name).key("parameters").begin_object();
    for (const auto& [name, value] : c.parameters) w.member(name, value);
    w.end_object().key("subject").begin_array();
    for (const auto& e : c.subject.entries)
        w.begin_object().member("type", crypto::short_name(e.type)).member("value", e.value).end_object();
    w.end_array().key("names").begin_array();
    for (const auto& n : c.names) w.begin_object().member("type", word_of(name_types, n.type)).member("value", n.value).end_object();
    w.end_array().member("not_before", core::rfc3339(c.not_before)).member("not_after", core::rfc3339(c.not_after));
    w.key("key_usage").begin_array();
    for (const auto bit : c.key_usage) w.string(word_of(usages, bit));
    w.end_array().key("extended_key_usage").begin_array();
    for (const auto& oid : c.extended_key_usage) w.string(oid);
    w.end_array().member("must_staple", c.must_staple).member("tls_server", c.tls_server).member("publicly_trusted", c.publicly_trusted);
    if (!c.security_identifier.empty()) w.member("security_identifier", c.security_identifier);
    w.end_object();
    return w.take();
}

core::Result<Content> content_from_json(std::string_view text, crypto::PublicKey key) {
    json::Limits limits;
    limits.bytes = std::size_t{1024} * 1024;
    const auto document = json::Document::parse(text, limits);
    if (!document) return document.error();
    const auto root = document->root();
    Content c;
    c.key = std::move(key);
    if (const auto name = root["profile"].string()) c.profile_name = *name;
    for (const auto& read : {read_subject(root["subject"], c), read_names(root["names"], c), read_usage(root, c)})
        if (!read) return read.error();
    const auto from = time_of(root["not_before"]), to = time_of(root["not_after"]);
    if (!from) return from.error();
    if (!to) return to.error();
    c.not_before = *from;
    c.not_after = *to;
    const auto flag = [&](std::string_view name) {
        const auto value = root[name].boolean();
        return value && *value;
    };
    c.must_staple = flag("must_staple");
    c.tls_server = flag("tls_server");
    c.publicly_trusted = flag("publicly_trusted");
    if (root.contains("security_identifier")) {
        const auto identifier = root["security_identifier"].string();
        if (!identifier) return identifier.error();
        if (!crypto::is_security_identifier(*identifier)) return root["security_identifier"].problem("no security identifier of a domain");
        c.security_identifier = *identifier;
    }
    return c;
}

}  // namespace postern::ca
