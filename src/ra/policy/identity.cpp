#include <algorithm>

#include "ca/lint.hpp"
#include "core/crypto/security_identifier.hpp"
#include "ra/policy/checks.hpp"

/// Who the holder of a certificate is to a directory: security identifiers, principal names, fields of the subject.
namespace postern::ra::checks {

namespace {

using core::ProblemKind;
using crypto::DnAttribute;
using crypto::GeneralName;
using crypto::GeneralNameType;

bool has(const EnrollmentRequest& request, Evidence::Kind kind) {
    return std::any_of(request.evidence.begin(), request.evidence.end(), [&](const Evidence& e) { return e.kind == kind; });
}

Finding refuse(std::string why) { return Finding::refuse(ProblemKind::bad_csr, "a security identifier of Windows", std::move(why)); }

}  // namespace

/// X07, A17: whoever has a security identifier in a certificate is that account to a domain controller. It is taken only from
/// the URI of a CSR that Intune validated, and never from the extension, at which Intune does not look.
Finding security_identifier(const PolicyInput& in) {
    const auto& csr = *in.request.csr;
    const bool extension = std::find(csr.extension_oids().begin(), csr.extension_oids().end(), crypto::oid_security_identifier) != csr.extension_oids().end();
    if (extension && in.profile->refuse_sid_extension)
        return refuse("the CSR asks for the extension " + std::string(crypto::oid_security_identifier) + ", which the profile refuses (sid_extension)");
    for (const auto& entry : csr.subject().entries)
        if (crypto::resembles_security_identifier(entry.value)) return refuse("a security identifier of Windows has no place in a subject");
    std::string found;
    for (const auto& name : csr.alt_names()) {
        const auto text = name.type == GeneralNameType::other ? core::as_text(name.der) : std::string_view(name.value);
        if (!crypto::resembles_security_identifier(text)) continue;
        const auto identifier = name.type == GeneralNameType::uri ? crypto::security_identifier_in(name.value) : std::nullopt;
        if (!identifier)
            return refuse("the CSR names what looks like a security identifier of Windows and is none; it is a URI, octet for octet \"" +
                          std::string(crypto::security_identifier_uri_prefix) + "S-1-5-21-…\"");
        if (!found.empty()) return refuse("the CSR names two security identifiers of Windows; a certificate has one");
        found = *identifier;
    }
    const std::string stripped = extension ? "; the extension that the CSR asks for is left out" : "";
    if (found.empty()) return Finding::pass("none" + stripped);
    if (in.profile->strong_mapping == StrongMapping::none)
        return refuse("the CSR names a security identifier of Windows, and the profile maps none (strong_mapping)");
    if (in.request.via != Protocol::scep || !has(in.request, Evidence::Kind::intune) || has(in.request, Evidence::Kind::certificate))
        return refuse("the CSR names a security identifier of Windows, which is taken from a CSR alone that Intune validated with its challenge");
    return Finding::pass(found + ", by Intune" + stripped);
}

Finding principal_names_allowed(const Catalog& catalog, const Account& account, const std::vector<GeneralName>& names) {
    const auto found = std::find_if(names.begin(), names.end(), [](const GeneralName& n) { return n.type == GeneralNameType::upn; });
    if (found == names.end()) return Finding::pass("none");
    const auto refused = [&](std::string why) { return Finding::refuse(ProblemKind::rejected_identifier, crypto::to_text(*found), std::move(why)); };
    const auto* organization = account.organization ? catalog.organization(*account.organization) : nullptr;
    if (!organization) return refused("account " + account.name + " belongs to no organization, and an organization must allow principal names (principal_names)");
    if (!organization->principal_names) return refused("organization " + organization->name + " does not allow principal names (principal_names)");
    return Finding::pass("allowed by organization " + organization->name);
}

/// The fields of the CSR's subject that the profile takes, within what the account was given.
Finding subject_fields(const PolicyInput& in) {
    const auto& account = *in.account;
    std::string taken;
    for (const auto attribute : {DnAttribute::serial_number, DnAttribute::email}) {
        const std::string called(crypto::short_name(attribute));
        if (std::find(in.profile->subject.begin(), in.profile->subject.end(), called) == in.profile->subject.end()) continue;
        const auto values = in.request.csr->subject().values(attribute);
        if (values.empty()) continue;
        auto value = values.front();
        const auto refused = [&](ProblemKind kind, std::string why) { return Finding::refuse(kind, called + "=" + value, std::move(why)); };
        if (values.size() > 1) return refused(ProblemKind::bad_csr, "the subject has " + called + " more than once");
        if (attribute == DnAttribute::email) {
            auto mailbox = normalize_mailbox(value);
            if (!mailbox) return refused(ProblemKind::bad_csr, "the subject's E: " + mailbox.error().detail);
            value = std::move(*mailbox);
        }
        if (const auto why = ca::why_no_subject_value(crypto::DnEntry(attribute, value)); !why.empty())
            return refused(ProblemKind::bad_csr, "the subject's " + called + " " + why);
        const bool within = attribute == DnAttribute::email ? account.scope.covers_email(value)
                                                            : std::any_of(account.serial_numbers.begin(), account.serial_numbers.end(),
                                                                          [&](const std::string& pattern) { return matches(pattern, value); });
        if (!within)
            return refused(ProblemKind::rejected_identifier, "the subject's " + called + " is none that account " + account.name + " may ask for (" +
                                                                 (attribute == DnAttribute::email ? "emails" : "serial_numbers") + ")");
        if (attribute == DnAttribute::email)
            if (const auto why = why_not_delegated(in.catalog, account, GeneralName(GeneralNameType::email, value)); !why.empty())
                return refused(ProblemKind::rejected_identifier, "the subject's E: " + why);
        taken += (taken.empty() ? "" : ", ") + called + "=" + value;
    }
    return Finding::pass(taken.empty() ? "none of the CSR's" : taken);
}

}  // namespace postern::ra::checks
