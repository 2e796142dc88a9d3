#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace postern::crypto {

/// Attribute types we read and write by name.
enum class DnAttribute { common_name, organization, organizational_unit, country, state, locality, serial_number, email, other };
std::string_view short_name(DnAttribute a) noexcept;  ///< CN, O, OU, C, ST, L, serialNumber, E

struct DnEntry {
    DnEntry() = default;
    DnEntry(DnAttribute t, std::string v) : type(t), value(std::move(v)) {}
    DnAttribute type = DnAttribute::other;
    std::string oid;    ///< dotted, for `other`
    std::string value;  ///< UTF-8
};

/// A distinguished name as a flat list of single-valued RDNs, most general first.
struct DistinguishedName {
    DistinguishedName() = default;
    std::vector<DnEntry> entries;
    bool multi_valued = false;  ///< read from a name with a multi-valued RDN
    bool legacy_text = false;   ///< read from a name with a T61String or BMPString
    /// UTF8String, but PrintableString for C and serialNumber (RFC 5280 §4.1.2.4).
    [[nodiscard]] core::Bytes to_der() const;
    /// RFC 4514 order, for people: "CN=a,O=b".
    [[nodiscard]] std::string to_text() const;
    [[nodiscard]] std::vector<std::string> values(DnAttribute a) const;
    /// At most 64 RDNs; strings in UTF8String, PrintableString, IA5String, T61 or BMP are brought to
    /// UTF-8; `malformed` otherwise.
    static core::Result<DistinguishedName> parse(core::BytesView der);
};

/// subjectAltName entries (RFC 5280 §4.2.1.6). `upn` is Windows' principal name, an otherName. The numbers are part of
/// attempt keys: new ones go behind the last.
enum class GeneralNameType { dns, ip, email, uri, other, upn };
constexpr std::string_view oid_principal_name = "1.3.6.1.4.1.311.20.2.3";
struct GeneralName {
    GeneralName() = default;
    GeneralName(GeneralNameType t, std::string v) : type(t), value(std::move(v)) {}
    GeneralNameType type = GeneralNameType::other;
    std::string value;  ///< dns, email, uri: the IA5 text as found; ip: canonical text (RFC 5952); upn: UTF-8; other: ""
    core::Bytes der;    ///< the whole GeneralName as found, for `other`
    friend bool operator==(const GeneralName& a, const GeneralName& b) { return a.type == b.type && a.value == b.value && a.der == b.der; }
};
/// Octet by octet: what it gives, general_names_der writes back. `malformed` for anything but DER, for text in IA5 that
/// is not printable, and for a principal name that is no UTF8String, ill-formed, or has control characters.
core::Result<std::vector<GeneralName>> parse_general_names(core::BytesView extension_value);
core::Bytes general_names_der(const std::vector<GeneralName>& names);
/// "dns", "ip", "email", "uri", "upn", "other"
std::string_view to_string(GeneralNameType type) noexcept;
/// For people and lists: DNS names and addresses as they are, "email:a@example.com", "uri:urn:x", "upn:a@corp.example",
/// "other:" and the DER in hex. A DNS name that holds a colon, which no host has, is "dns:" and it.
std::string to_text(const GeneralName& name);

/// Canonical text of a textual address, or empty. "::ffff:1.2.3.4" stays IPv6.
std::string canonical_ip(std::string_view text);
/// 4 or 16 octets, network order; empty for no address.
core::Bytes ip_octets(std::string_view text);
std::string ip_text(core::BytesView octets);

}  // namespace postern::crypto
