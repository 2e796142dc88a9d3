#include <algorithm>
#include <array>

#include "ca/text_rules.hpp"
#include "core/crypto/extensions.hpp"
#include "ra/extended_key_usage.hpp"
#include "ra/policy/checks.hpp"

/// What a CSR says beside its names: nothing of it is copied, some of it is refused, and the trace
/// tells all of it.
namespace postern::ra::checks {

namespace {

using core::ProblemKind;

struct Known {
    std::string_view oid;
    std::string_view name;
};
/// For the reader of a trace; others are shown by their number.
constexpr std::array known{
    Known{crypto::oid_subject_key_id, "subjectKeyIdentifier"},
    Known{crypto::oid_key_usage, "keyUsage"},
    Known{crypto::oid_subject_alt_name, "subjectAltName"},
    Known{crypto::oid_basic_constraints, "basicConstraints"},
    Known{crypto::oid_certificate_policies, "certificatePolicies"},
    Known{crypto::oid_extended_key_usage, "extendedKeyUsage"},
    Known{crypto::oid_tls_feature, "tlsFeature"},
    Known{"2.5.29.30", "nameConstraints"},
    Known{"1.2.840.113549.1.9.2", "unstructuredName"},
    Known{"1.2.840.113549.1.9.8", "unstructuredAddress"},
    Known{"1.3.6.1.4.1.311.13.2.1", "Windows name and value pairs"},
    Known{"1.3.6.1.4.1.311.13.2.2", "Windows CSP"},
    Known{"1.3.6.1.4.1.311.13.2.3", "Windows version"},
    Known{"1.3.6.1.4.1.311.20.2", "Windows template name"},
    Known{"1.3.6.1.4.1.311.21.7", "Windows template"},
    Known{"1.3.6.1.4.1.311.21.10", "Windows application policies"},
    Known{"1.3.6.1.4.1.311.21.20", "Windows client information"},
    Known{"1.3.6.1.4.1.311.25.2", "Windows security identifier"},
};

std::string called(std::string_view oid) {
    const auto* found = std::ranges::find(known, oid, &Known::oid);
    return found == known.end() ? std::string(oid) : std::string(found->name);
}

std::string list_text(const std::vector<std::string>& oids) {
    std::string out;
    for (const auto& oid : oids) out += (out.empty() ? "" : ", ") + called(oid);
    return out;
}

/// No-break, narrow no-break and ideographic spaces look like plain ones.
bool has_edge_space(std::string_view text) {
    constexpr std::array<std::string_view, 4> spaces{" ", "\xc2\xa0", "\xe2\x80\xaf", "\xe3\x80\x80"};
    return std::ranges::any_of(spaces, [&](std::string_view s) { return text.starts_with(s) || text.ends_with(s); });
}

std::string label(const crypto::DnEntry& entry) {
    return entry.type == crypto::DnAttribute::other ? entry.oid : std::string(crypto::short_name(entry.type));
}

}  // namespace

/// X05–X07: usage, constraints, policies and identities come from the profile, never from here.
Finding extensions_harmless(const PolicyInput& in) {
    for (const auto& purpose : in.request.csr->extended_key_usage()) {
        const auto* found = std::ranges::find(powerful_key_usages, purpose, &ExtendedKeyUsage::oid);
        if (found == powerful_key_usages.end() || std::ranges::find(in.profile->extended_key_usage, purpose) != in.profile->extended_key_usage.end())
            continue;
        return Finding::refuse(ProblemKind::bad_csr, "extendedKeyUsage " + purpose,
                               "it asks for the extended key usage " + std::string(found->name) + " (" + purpose +
                                   "), which the profile does not give");
    }
    std::vector<std::string> ignored;
    for (const auto& oid : in.request.csr->extension_oids()) {
        const bool followed = oid == crypto::oid_subject_alt_name || (oid == crypto::oid_tls_feature && in.profile->must_staple);
        if (!followed) ignored.push_back(oid);
    }
    return Finding::pass(ignored.empty() ? "none but names" : "not followed: " + list_text(ignored));
}

/// X09: names written into attributes are no wish for names.
Finding attributes_ignored(const PolicyInput& in) {
    const auto& unread = in.request.csr->unread_attributes();
    return Finding::pass(unread.empty() ? "none" : "not read: " + list_text(unread));
}

/// X10: text that people or programs read as something else.
Finding subject_text(const PolicyInput& in) {
    const auto& entries = in.request.csr->subject().entries;
    for (const auto& entry : entries) {
        if (ca::text_rules::has_control_or_direction_mark(entry.value))
            return Finding::refuse(ProblemKind::bad_csr, label(entry),
                                   "the subject's " + label(entry) + " has a control character, an invisible one, or one that changes the direction of writing");
        if (has_edge_space(entry.value))
            return Finding::refuse(ProblemKind::bad_csr, label(entry), "the subject's " + label(entry) + " begins or ends with a space");
    }
    return Finding::pass(std::to_string(entries.size()) + " attributes");
}

/// X11: where clients compare names, the subject has one plain reading. Elsewhere it is rebuilt.
Finding subject_form(const PolicyInput& in) {
    const auto& subject = in.request.csr->subject();
    if (!in.profile->tls_server()) return Finding::pass("not asked of this profile");
    if (subject.multi_valued)
        return Finding::refuse(ProblemKind::bad_csr, "several attributes in one RDN",
                               "the subject has a relative distinguished name of several attributes; write one attribute each");
    if (subject.legacy_text)
        return Finding::refuse(ProblemKind::bad_csr, "T61String or BMPString",
                               "the subject has a T61String or BMPString; use UTF8String or PrintableString");
    return Finding::pass("one attribute each, UTF-8");
}

}  // namespace postern::ra::checks
