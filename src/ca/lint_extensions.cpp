#include <algorithm>
#include <array>
#include <set>

#include "ca/lint_rules.hpp"
#include "core/crypto/security_identifier.hpp"

/// Extensions: lints 4, 20–26, 34, 35 and 37.
namespace postern::ca::lint {
namespace {

namespace der = crypto::der;
using crypto::KeyUsageBit;

constexpr std::string_view oid_ski = "2.5.29.14", oid_key_usage = "2.5.29.15", oid_alt_name = "2.5.29.17",
                           oid_basic = "2.5.29.19", oid_crl = "2.5.29.31", oid_policies = "2.5.29.32",
                           oid_aki = "2.5.29.35", oid_eku = "2.5.29.37", oid_aia = "1.3.6.1.5.5.7.1.1",
                           oid_tls_feature = "1.3.6.1.5.5.7.1.24", oid_poison = "1.3.6.1.4.1.11129.2.4.3",
                           oid_scts = "1.3.6.1.4.1.11129.2.4.2", any_policy = "2.5.29.32.0";
constexpr std::string_view eku_any = "2.5.29.37.0", eku_server = "1.3.6.1.5.5.7.3.1", eku_client = "1.3.6.1.5.5.7.3.2";

/// What a leaf of ours may carry, and whether it must be critical (RFC 5280 §4.2).
struct Known {
    std::string_view oid;
    enum class Critical { yes, no, with_empty_subject } critical;
};
constexpr std::array<Known, 11> known_extensions{{
    {oid_ski, Known::Critical::no},
    {oid_key_usage, Known::Critical::yes},
    {oid_alt_name, Known::Critical::with_empty_subject},
    {oid_basic, Known::Critical::yes},
    {oid_crl, Known::Critical::no},
    {oid_policies, Known::Critical::no},
    {oid_aki, Known::Critical::no},
    {oid_eku, Known::Critical::no},
    {oid_aia, Known::Critical::no},
    {oid_tls_feature, Known::Critical::no},
    {crypto::oid_security_identifier, Known::Critical::no},
}};

/// nullopt: not a DER BIT STRING of the nine named bits (X.690 §11.2.2: no trailing zero bits).
std::optional<std::set<unsigned>> read_bits(core::BytesView value) {
    der::Reader whole(value);
    const auto bits = whole.next(der::bit_string);
    if (!bits || !whole.empty() || bits->content.size() < 2 || bits->content.size() > 3) return std::nullopt;
    const unsigned unused = bits->content[0];
    const unsigned last = bits->content.back();
    if (unused > 7 || ((last >> unused) & 1U) == 0 || (last & ((1U << unused) - 1U)) != 0) return std::nullopt;
    std::set<unsigned> out;
    for (unsigned i = 0; i < (bits->content.size() - 1) * 8; ++i)
        if (((bits->content[1 + i / 8] >> (7 - i % 8)) & 1U) != 0) out.insert(i);
    return out;
}

/// Which usages a key of that type can serve at all (RFC 3279 §2.3, 5480 §3, 8410 §5).
bool fits(KeyUsageBit bit, crypto::KeyType type) {
    const bool rsa = type == crypto::KeyType::rsa;
    const bool edwards = type == crypto::KeyType::ed25519;
    switch (bit) {
        case KeyUsageBit::digital_signature:
        case KeyUsageBit::content_commitment: return true;
        case KeyUsageBit::key_encipherment:
        case KeyUsageBit::data_encipherment: return rsa;
        case KeyUsageBit::key_agreement: return !rsa && !edwards;
        case KeyUsageBit::key_cert_sign:
        case KeyUsageBit::crl_sign: return false;
    }
    return false;
}

std::optional<std::vector<std::string>> read_oids(core::BytesView value) {
    der::Reader whole(value);
    const auto list = whole.next(der::sequence);
    if (!list || !whole.empty()) return std::nullopt;
    std::vector<std::string> out;
    der::Reader items(list->content);
    while (!items.empty()) {
        const auto oid = items.next(der::oid);
        if (!oid) return std::nullopt;
        out.push_back(der::oid_text(oid->content));
    }
    return out;
}

bool plain_http(core::BytesView url) {
    constexpr std::string_view scheme = "http://";
    const auto text = core::as_text(url);
    return text.size() > scheme.size() && text.starts_with(scheme) &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

/// The content of the only element of that tag; nullopt when there is none, or more behind it.
std::optional<core::BytesView> only(core::BytesView content, std::uint8_t tag) {
    der::Reader reader(content);
    const auto element = reader.next(tag);
    if (!element || !reader.empty()) return std::nullopt;
    return element->content;
}

/// AccessDescription (§4.2.2.1): where the issuer's certificate or OCSP responder is.
std::optional<core::BytesView> access_url(core::BytesView description) {
    der::Reader fields(description);
    const auto method = fields.next(der::oid);
    const auto place = fields.next(der::context(6));
    if (!method || !place || !fields.empty()) return std::nullopt;
    const auto oid = der::oid_text(method->content);
    if (oid != "1.3.6.1.5.5.7.48.1" && oid != "1.3.6.1.5.5.7.48.2") return std::nullopt;
    return place->content;
}

/// DistributionPoint (§4.2.1.13) with one full name and neither reasons nor another issuer.
std::optional<core::BytesView> crl_place(core::BytesView point) {
    auto inside = only(point, der::context_constructed(0));
    if (inside) inside = only(*inside, der::context_constructed(0));
    return inside ? only(*inside, der::context(6)) : std::nullopt;
}

using UrlOf = std::optional<core::BytesView> (*)(core::BytesView);
bool lists_plain_http(core::BytesView value, UrlOf url_of) {
    const auto list = only(value, der::sequence);
    if (!list || list->empty()) return false;
    der::Reader items(*list);
    while (!items.empty()) {
        const auto item = items.next(der::sequence);
        const auto url = item ? url_of(item->content) : std::nullopt;
        if (!url || !plain_http(*url)) return false;
    }
    return true;
}

Finding usage_and_purpose_agree(const std::set<unsigned>& usage, const std::vector<std::string>& purposes) {
    const auto has = [&](KeyUsageBit bit) { return usage.contains(static_cast<unsigned>(bit)); };
    const bool signs = has(KeyUsageBit::digital_signature) || has(KeyUsageBit::key_agreement);
    for (const auto& purpose : purposes) {
        if (purpose == eku_server && !signs && !has(KeyUsageBit::key_encipherment))
            return Offence("usage_purpose", "serverAuth needs digitalSignature, keyEncipherment or keyAgreement (RFC 5280 section 4.2.1.12)");
        if (purpose == eku_client && !signs)
            return Offence("usage_purpose", "clientAuth needs digitalSignature or keyAgreement (RFC 5280 section 4.2.1.12)");
    }
    return std::nullopt;
}

}  // namespace

Finding extension_set(const Subject& s) {
    std::set<std::string_view> seen;
    const bool empty_subject = s.tbs.subject.size() == 2;
    // RFC 6962 §3.1, §3.3: what is poisoned has been logged nowhere yet.
    if (s.tbs.find(oid_poison) != nullptr && s.tbs.find(oid_scts) != nullptr)
        return Offence("precertificate", "a precertificate's poison and the time stamps of logs exclude each other");
    for (const auto& e : s.tbs.extensions) {
        if (!seen.insert(e.oid).second) return Offence("duplicate_extension", "extension " + e.oid + " stands there twice");
        const auto* known = std::ranges::find(known_extensions, e.oid, &Known::oid);
        if (known == known_extensions.end())
            return Offence("unknown_extension", "extension " + e.oid + " is none that this CA issues");
        const bool critical = known->critical == Known::Critical::yes ||
                              (known->critical == Known::Critical::with_empty_subject && empty_subject);
        if (e.critical != critical)
            return Offence("criticality", "extension " + e.oid + " must " + (critical ? "" : "not ") + "be critical");
    }
    if (seen.contains(oid_tls_feature) != s.content.must_staple)
        return Offence("tls_feature", "OCSP must-staple is there against the authorised content");
    return std::nullopt;
}

Finding security_identifier(const Subject& s) {
    const auto* extension = s.tbs.find(crypto::oid_security_identifier);
    const auto& authorised = s.content.security_identifier;
    if ((extension != nullptr) != !authorised.empty())
        return Offence("security_identifier", authorised.empty() ? "a security identifier of Windows is there against the authorised content"
                                                                 : "the security identifier of Windows is missing");
    if (extension == nullptr) return std::nullopt;
    if (!crypto::is_security_identifier(authorised) || s.content.tls_server)
        return Offence("security_identifier", "the security identifier is no account's of a Windows domain, or on a TLS server's certificate", Fault::request);
    if (!std::ranges::equal(extension->value, crypto::security_identifier_extension(authorised)))
        return Offence("security_identifier", "the security identifier is not the authorised one");
    return std::nullopt;
}

Finding key_identifiers(const Subject& s) {
    const auto* aki = s.tbs.find(oid_aki);
    if (aki == nullptr) return Offence("authority_key_id", "the authority key identifier is missing");
    der::Writer expected;
    expected.begin(der::sequence).primitive(der::context(0), s.issuer.subject_key_id).end();
    if (!std::ranges::equal(aki->value, expected.bytes()))
        return Offence("authority_key_id", "the authority key identifier is not the issuing CA's subject key identifier");
    const auto* ski = s.tbs.find(oid_ski);
    if (ski == nullptr) return Offence("subject_key_id", "the subject key identifier is missing");
    der::Writer own;
    own.primitive(der::octet_string, s.content.key.key_identifier());
    if (!std::ranges::equal(ski->value, own.bytes()))
        return Offence("subject_key_id", "the subject key identifier is not that of the public key");
    return std::nullopt;
}

Finding basic_constraints(const Subject& s) {
    const auto* basic = s.tbs.find(oid_basic);
    if (basic == nullptr) return std::nullopt;
    // cA FALSE is the default and not written; pathLen belongs to CAs alone (§4.2.1.9).
    constexpr std::array<std::uint8_t, 2> no_ca{0x30, 0x00};
    if (!std::ranges::equal(basic->value, no_ca))
        return Offence("basic_constraints", "a leaf certificate must neither be a CA nor have a path length");
    return std::nullopt;
}

Finding key_usage(const Subject& s) {
    const auto* extension = s.tbs.find(oid_key_usage);
    if (extension == nullptr) return Offence("key_usage", "the key usage is missing");
    const auto bits = read_bits(extension->value);
    if (!bits) return Offence("key_usage", "the key usage is empty or no DER bit string");
    std::set<unsigned> authorised;
    for (const auto bit : s.content.key_usage) {
        if (bit == KeyUsageBit::key_cert_sign || bit == KeyUsageBit::crl_sign)
            return Offence("ca_usage", "a leaf certificate may sign neither certificates nor CRLs; correct the profile's key usage");
        // The requester chose the type of the key.
        if (!fits(bit, s.content.key.type()))
            return Offence("key_usage", "bit " + std::to_string(static_cast<unsigned>(bit)) + " does not fit a key of type " +
                                            crypto::describe(s.content.key.type(), s.content.key.bits()) +
                                            "; correct the profile's key usage or its keys", Fault::request);
        authorised.insert(static_cast<unsigned>(bit));
    }
    if (*bits != authorised) return Offence("key_usage", "the key usage is not the authorised one");
    return usage_and_purpose_agree(*bits, s.content.extended_key_usage);
}

Finding extended_key_usage(const Subject& s) {
    const auto* extension = s.tbs.find(oid_eku);
    if (extension == nullptr) return Offence("extended_key_usage", "the extended key usage is missing");
    const auto purposes = read_oids(extension->value);
    if (!purposes || purposes->empty()) return Offence("extended_key_usage", "the extended key usage is empty or ill-formed");
    if (*purposes != s.content.extended_key_usage)
        return Offence("extended_key_usage", "the extended key usage is not the authorised one");
    const std::set<std::string_view> unique(purposes->begin(), purposes->end());
    if (unique.size() != purposes->size()) return Offence("extended_key_usage", "a purpose stands there twice");
    if (unique.contains(eku_any))
        return Offence("extended_key_usage", "anyExtendedKeyUsage lets the certificate serve every purpose; name the ones it needs");
    if (unique.contains(eku_server) != s.content.tls_server)
        return Offence("extended_key_usage", "serverAuth and the profile's type (TLS server) contradict each other");
    return std::nullopt;
}

/// certificatePolicies (§4.2.1.4): each once, without qualifiers, and none that stands for all.
Finding policies(const Subject& s) {
    const auto* extension = s.tbs.find(oid_policies);
    if (extension == nullptr) return std::nullopt;
    const auto list = only(extension->value, der::sequence);
    if (!list || list->empty()) return Offence("policies", "the certificate policies are empty or ill-formed");
    std::set<std::string> seen;
    der::Reader items(*list);
    while (!items.empty()) {
        const auto item = items.next(der::sequence);
        const auto oid = item ? only(item->content, der::oid) : std::nullopt;
        if (!oid) return Offence("policies", "a certificate policy is ill-formed or has qualifiers");
        const auto name = der::oid_text(*oid);
        if (name == any_policy) return Offence("policies", "anyPolicy has no place in a leaf certificate; name the policies");
        if (!seen.insert(name).second) return Offence("policies", "policy " + name + " stands there twice");
    }
    return std::nullopt;
}

Finding locations(const Subject& s) {
    constexpr std::pair<std::string_view, UrlOf> places[] = {{oid_aia, access_url}, {oid_crl, crl_place}};
    for (const auto& [oid, url_of] : places) {
        const auto* extension = s.tbs.find(oid);
        // https would need the very certificate that is being looked for (RFC 5280 §8).
        if (extension != nullptr && !lists_plain_http(extension->value, url_of))
            return Offence("locations", "the locations of issuer and CRL must be plain http:// URLs");
    }
    return std::nullopt;
}

}  // namespace postern::ca::lint
