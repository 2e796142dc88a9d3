#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/base/encoding.hpp"
#include "core/crypto/der.hpp"
#include "core/crypto/directory_string.hpp"
#include "core/crypto/name.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;
using core::Problem;
using core::ProblemKind;

/// Tag numbers of GeneralName (RFC 5280 §4.2.1.6); the tags are implicit.
constexpr std::uint8_t tag_email = der::context(1);
constexpr std::uint8_t tag_dns = der::context(2);
constexpr std::uint8_t tag_uri = der::context(6);
constexpr std::uint8_t tag_ip = der::context(7);
constexpr std::uint8_t tag_registered_id = der::context(8);
constexpr std::uint8_t tag_other_name = der::context_constructed(0);
constexpr std::uint8_t tag_other_value = der::context_constructed(0);

Problem malformed(std::string detail) { return {ProblemKind::malformed, std::move(detail)}; }

bool is_other_tag(std::uint8_t tag) {
    // otherName, x400Address, directoryName, ediPartyName
    return tag == tag_other_name || tag == der::context_constructed(3) || tag == der::context_constructed(4) ||
           tag == der::context_constructed(5) || tag == tag_registered_id;
}

/// "dNSName" and so on, for the reader of a refusal.
std::string_view field_name(GeneralNameType type) {
    switch (type) {
        case GeneralNameType::dns: return "dNSName";
        case GeneralNameType::ip: return "iPAddress";
        case GeneralNameType::email: return "rfc822Name";
        case GeneralNameType::uri: return "uniformResourceIdentifier";
        case GeneralNameType::upn: return "principal name";
        case GeneralNameType::other: return "other name";
    }
    return "name";
}

core::Result<GeneralName> text_name(GeneralNameType type, BytesView content) {
    const std::string field(field_name(type));
    if (content.empty()) return malformed("subjectAltName holds an empty " + field);
    if (!std::ranges::all_of(content, [](std::uint8_t c) { return c >= 0x20 && c < 0x7f; }))
        return malformed("a " + field + " in subjectAltName holds characters other than printable ASCII" +
                         (type == GeneralNameType::dns ? "; international names are written as A-labels (xn--…)" : ""));
    return GeneralName(type, std::string(core::as_text(content)));
}

/// nullopt: an otherName that is no principal name.
std::optional<core::Result<GeneralName>> read_principal_name(const der::Element& e) {
    der::Reader fields(e.content);
    const auto oid = fields.next(der::oid);
    if (!oid || der::oid_text(oid->content) != oid_principal_name) return std::nullopt;
    const auto wrapped = fields.next(tag_other_value);
    der::Reader inner(wrapped ? wrapped->content : BytesView());
    const auto text = inner.next(der::utf8_string);
    if (!text || !inner.empty() || !fields.empty()) return malformed("a principal name in subjectAltName is not one UTF8String");
    if (text->content.empty()) return malformed("subjectAltName holds an empty principal name");
    const auto value = directory_string(*text);
    if (!value || std::ranges::any_of(*value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
        return malformed("a principal name in subjectAltName is ill-formed UTF-8, or holds control characters");
    return GeneralName(GeneralNameType::upn, *value);
}

core::Result<GeneralName> read_name(const der::Element& e) {
    switch (e.tag) {
        case tag_dns: return text_name(GeneralNameType::dns, e.content);
        case tag_email: return text_name(GeneralNameType::email, e.content);
        case tag_uri: return text_name(GeneralNameType::uri, e.content);
        case tag_ip: {
            const std::string text = ip_text(e.content);
            if (text.empty())
                return malformed("an iPAddress in subjectAltName has " + std::to_string(e.content.size()) +
                                 " octets; it has 4 or 16, in network order");
            return GeneralName(GeneralNameType::ip, text);
        }
        default: break;
    }
    if (!is_other_tag(e.tag)) return malformed("subjectAltName holds something that is no general name");
    if (e.tag == tag_other_name)
        if (auto principal = read_principal_name(e)) return std::move(*principal);
    GeneralName other;
    other.der.assign(e.whole.begin(), e.whole.end());
    return other;
}

std::string ipv4_text(BytesView octets) {
    std::string out;
    for (const auto octet : octets) out += (out.empty() ? "" : ".") + std::to_string(octet);
    return out;
}

/// RFC 5952 §4; §5's mixed form for IPv4-mapped addresses only.
std::string ipv6_text(BytesView octets) {
    std::array<unsigned, 8> groups{};
    for (std::size_t i = 0; i < 8; ++i) groups[i] = (unsigned{octets[2 * i]} << 8) | octets[2 * i + 1];
    if (std::all_of(groups.begin(), groups.begin() + 5, [](unsigned g) { return g == 0; }) && groups[5] == 0xffff)
        return "::ffff:" + ipv4_text(octets.last(4));

    // The longest run of two or more zero groups, the first of equals.
    std::size_t run_start = 8;
    std::size_t run_size = 1;
    for (std::size_t i = 0; i < 8; ++i) {
        std::size_t size = 0;
        while (i + size < 8 && groups[i + size] == 0) ++size;
        if (size > run_size) {
            run_start = i;
            run_size = size;
        }
    }
    std::string out;
    for (std::size_t i = 0; i < 8;) {
        if (i == run_start) {
            out += "::";
            i += run_size;
            continue;
        }
        if (!out.empty() && out.back() != ':') out += ':';
        std::array<char, 8> digits{};
        std::snprintf(digits.data(), digits.size(), "%x", groups[i]);
        out += digits.data();
        ++i;
    }
    return out;
}

}  // namespace

core::Result<std::vector<GeneralName>> parse_general_names(BytesView extension_value) {
    der::Reader outer(extension_value);
    const auto sequence = outer.next(der::sequence);
    if (!sequence || !outer.empty()) return malformed("subjectAltName is not the DER of one sequence");
    if (sequence->content.empty()) return malformed("subjectAltName is empty; leave the extension out");
    std::vector<GeneralName> names;
    der::Reader elements(sequence->content);
    while (!elements.empty()) {
        const auto element = elements.next();
        if (!element) return malformed("subjectAltName is not DER");
        auto name = read_name(*element);
        if (!name) return name.error();
        names.push_back(std::move(*name));
    }
    return names;
}

core::Bytes general_names_der(const std::vector<GeneralName>& names) {
    der::Writer out;
    out.begin(der::sequence);
    for (const auto& name : names) {
        switch (name.type) {
            case GeneralNameType::dns: out.text(tag_dns, name.value); break;
            case GeneralNameType::email: out.text(tag_email, name.value); break;
            case GeneralNameType::uri: out.text(tag_uri, name.value); break;
            case GeneralNameType::ip: out.primitive(tag_ip, ip_octets(name.value)); break;
            case GeneralNameType::upn:
                out.begin(tag_other_name).oid(oid_principal_name);
                out.begin(tag_other_value).text(der::utf8_string, name.value).end().end();
                break;
            case GeneralNameType::other: out.raw(name.der); break;
        }
    }
    out.end();
    return out.take();
}

std::string_view to_string(GeneralNameType type) noexcept {
    switch (type) {
        case GeneralNameType::dns: return "dns";
        case GeneralNameType::ip: return "ip";
        case GeneralNameType::email: return "email";
        case GeneralNameType::uri: return "uri";
        case GeneralNameType::upn: return "upn";
        case GeneralNameType::other: return "other";
    }
    return "";
}

std::string to_text(const GeneralName& name) {
    const bool plain = name.type == GeneralNameType::ip || (name.type == GeneralNameType::dns && name.value.find(':') == std::string::npos);
    if (plain) return name.value;
    return std::string(to_string(name.type)) + ":" + (name.type == GeneralNameType::other ? core::hex(name.der) : name.value);
}

std::string canonical_ip(std::string_view text) { return ip_text(ip_octets(text)); }

core::Bytes ip_octets(std::string_view text) {
    // inet_pton reads C strings: what follows a NUL would be ignored.
    if (text.size() > 45 || text.find('\0') != std::string_view::npos) return {};
    const std::string terminated(text);
    Bytes v4(4);
    if (::inet_pton(AF_INET, terminated.c_str(), v4.data()) == 1) return v4;
    Bytes v6(16);
    if (::inet_pton(AF_INET6, terminated.c_str(), v6.data()) == 1) return v6;
    return {};
}

std::string ip_text(BytesView octets) {
    if (octets.size() == 4) return ipv4_text(octets);
    if (octets.size() == 16) return ipv6_text(octets);
    return {};
}

}  // namespace postern::crypto
