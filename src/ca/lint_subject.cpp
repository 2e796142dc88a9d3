#include <algorithm>
#include <array>
#include <map>

#include "ca/lint_rules.hpp"
#include "ca/subject_syntax.hpp"
#include "ca/text_rules.hpp"

/// The subject: lints 27–29 and 36.
namespace postern::ca {
namespace lint {
namespace {

namespace der = crypto::der;
using crypto::DnAttribute;

/// ISO 3166-1 alpha-2, officially assigned, two letters each.
constexpr std::string_view countries =
    "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCR"
    "CUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHU"
    "IDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQ"
    "MRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSI"
    "SJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZW";

bool is_country(std::string_view code) {
    if (code.size() != 2) return false;
    for (std::size_t i = 0; i < countries.size(); i += 2)
        if (countries.substr(i, 2) == code) return true;
    return false;
}

/// Upper bounds of RFC 5280 appendix A.1 in characters; 0: the attribute has none of its own.
std::size_t upper_bound(DnAttribute a) {
    switch (a) {
        case DnAttribute::common_name:
        case DnAttribute::organization:
        case DnAttribute::organizational_unit:
        case DnAttribute::serial_number: return 64;
        case DnAttribute::country: return 2;
        case DnAttribute::state:
        case DnAttribute::locality: return 128;
        case DnAttribute::email: return 255;
        case DnAttribute::other: return 0;
    }
    return 0;
}

bool only_once(DnAttribute a) {
    switch (a) {
        case DnAttribute::common_name:
        case DnAttribute::organization:
        case DnAttribute::country:
        case DnAttribute::state:
        case DnAttribute::locality:
        case DnAttribute::serial_number: return true;
        case DnAttribute::organizational_unit:
        case DnAttribute::email:
        case DnAttribute::other: return false;
    }
    return false;
}

std::string called(const crypto::DnEntry& e) {
    return e.type == DnAttribute::other ? "subject attribute " + e.oid : "the subject's " + std::string(short_name(e.type));
}

/// What the attribute's own syntax refuses (RFC 5280 appendix A.1), whatever else is asked of a certificate.
Finding outside_syntax(const crypto::DnEntry& e) {
    const auto characters = text_rules::utf8_length(e.value);
    if (!characters) return Offence("subject_charset", "is not UTF-8");
    if (*characters == 0) return Offence("subject_length", "is empty");
    const auto bound = upper_bound(e.type);
    if (e.type == DnAttribute::country && (*characters != bound || !text_rules::is_printable_string(e.value)))
        return Offence("country", "is not two characters of a PrintableString (RFC 5280 appendix A.1)");
    if (bound != 0 && *characters > bound)
        return Offence("subject_length", "has " + std::to_string(*characters) + " characters; " + std::to_string(bound) +
                                             " are the most (RFC 5280 appendix A.1)");
    if (e.type == DnAttribute::serial_number && !text_rules::is_printable_string(e.value))
        return Offence("subject_charset", "has characters that a PrintableString cannot hold (RFC 5280 appendix A.1)");
    if (e.type == DnAttribute::email && *characters != e.value.size())
        return Offence("subject_charset", "has characters that an IA5String cannot hold (RFC 5280 appendix A.1)");
    return std::nullopt;
}

/// The lint that the text of one attribute offends, and how.
Finding bad_value(const crypto::DnEntry& e) {
    if (e.type == DnAttribute::country && !e.value.empty() && !is_country(e.value))
        return Offence("country", "is no ISO 3166 code of two capital letters");
    if (auto bad = outside_syntax(e)) return bad;
    if (text_rules::has_control_or_direction_mark(e.value))
        return Offence("subject_charset", "contains a control character or a mark that changes the direction of writing");
    if (e.value.front() == ' ' || e.value.back() == ' ') return Offence("subject_space", "begins or ends with a space");
    if (text_rules::has_html_entity(e.value)) return Offence("subject_html", "contains an HTML entity; write the character itself");
    if (e.type == DnAttribute::email)
        if (auto why = text_rules::why_no_mailbox(e.value); !why.empty()) return Offence("subject_charset", std::move(why));
    return std::nullopt;
}

/// From the most general to the most particular; attributes of rank 0 stand anywhere.
int rank(DnAttribute a) {
    switch (a) {
        case DnAttribute::country: return 1;
        case DnAttribute::state: return 2;
        case DnAttribute::locality: return 3;
        case DnAttribute::organization: return 4;
        case DnAttribute::organizational_unit: return 5;
        case DnAttribute::common_name: return 6;
        case DnAttribute::serial_number:
        case DnAttribute::email:
        case DnAttribute::other: return 0;
    }
    return 0;
}

}  // namespace
}  // namespace lint

std::string why_no_subject_value(const crypto::DnEntry& e) {
    const auto offence = lint::bad_value(e);
    return offence ? offence->detail : std::string();
}

std::string why_no_subject_syntax(const crypto::DnEntry& e) {
    const auto offence = lint::outside_syntax(e);
    return offence ? offence->detail : std::string();
}

namespace lint {

Finding subject_name(const Subject& s) {
    // Byte for byte what the profile's template and the organization's record gave (lint 36).
    if (!std::ranges::equal(s.tbs.subject, s.content.subject.to_der()))
        return Offence("subject_fields", "the subject is not the authorised one");
    const auto read = crypto::DistinguishedName::parse(s.tbs.subject);
    if (!read) return Offence("subject_charset", read.error().detail);
    if (read->multi_valued) return Offence("subject_fields", "an RDN has several values; write one attribute each");
    int last = 0;
    std::map<DnAttribute, int> seen;
    for (const auto& e : read->entries) {
        // These are the request's, where the profile takes them; everything else comes from profile and records.
        const bool asked = e.type == DnAttribute::common_name || e.type == DnAttribute::serial_number || e.type == DnAttribute::email;
        if (const auto bad = bad_value(e)) return Offence(bad->name, called(e) + " " + bad->detail, asked ? Fault::request : Fault::ours);
        if (++seen[e.type] > 1 && only_once(e.type)) return Offence("subject_duplicate", called(e) + " stands there twice");
        if (rank(e.type) != 0 && rank(e.type) < last)
            return Offence("subject_order", called(e) + " stands behind one that is more particular; the order is C, ST, L, O, OU, CN");
        last = std::max(last, rank(e.type));
    }
    return std::nullopt;
}

Finding common_name(const Subject& s) {
    if (!s.content.tls_server) return std::nullopt;
    for (const auto& name : s.content.subject.values(DnAttribute::common_name)) {
        const bool found = std::ranges::any_of(s.content.names, [&](const crypto::GeneralName& n) {
            return (n.type == crypto::GeneralNameType::dns || n.type == crypto::GeneralNameType::ip) && n.value == name;
        });
        if (!found)
            return Offence("common_name", "the CN \"" + name + "\" is none of the subject alternative names, which is what clients compare");
    }
    return std::nullopt;
}

}  // namespace lint
}  // namespace postern::ca
