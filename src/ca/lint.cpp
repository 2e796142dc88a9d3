#include "ca/lint.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "ca/lint_rules.hpp"

namespace postern::ca {
namespace {

using Rule = lint::Finding (*)(const lint::Subject&);

constexpr std::array<Rule, 15> rules{
    lint::version_and_serial, lint::algorithm_and_issuer, lint::validity,
    lint::key,                lint::extension_set,        lint::key_identifiers,
    lint::basic_constraints,  lint::key_usage,            lint::extended_key_usage,
    lint::locations,          lint::policies,             lint::subject_name,
    lint::alt_names,          lint::common_name,          lint::security_identifier,
};

core::Problem refused(std::string_view check, const std::string& detail) {
    // Our own fault or an upstream CA's, never the requester's: they can do nothing about it.
    std::string name(check);
    return {core::ProblemKind::internal, name + ": " + detail, name};
}

bool same_names(std::vector<crypto::GeneralName> a, std::vector<crypto::GeneralName> b) {
    const auto before = [](const crypto::GeneralName& x, const crypto::GeneralName& y) {
        return std::tie(x.type, x.value, x.der) < std::tie(y.type, y.value, y.der);
    };
    std::ranges::sort(a, before);
    std::ranges::sort(b, before);
    return a == b;
}

}  // namespace

core::Result<void> lint_to_be_signed(core::BytesView tbs, const Content& content, const IssuerFacts& issuer,
                                     std::optional<core::TimePoint> now) {
    const auto read = TbsView::read(tbs);
    if (!read) return read.error();
    const lint::Subject subject{*read, content, issuer, now};
    for (const Rule rule : rules)
        if (const auto offence = rule(subject)) {
            const std::string check = "lint." + std::string(offence->name);
            const auto kind = offence->fault == lint::Fault::request ? core::ProblemKind::bad_content : core::ProblemKind::internal;
            return core::Problem(kind, check + ": " + offence->detail, check);
        }
    return {};
}

core::Result<void> lint_returned(const crypto::Certificate& leaf, const Content& authorised, const crypto::Certificate& issuer) {
    constexpr std::array<Rule, 6> fitting{lint::algorithm_and_issuer, lint::key,         lint::basic_constraints,
                                          lint::alt_names,            lint::common_name, lint::security_identifier};
    const auto read = TbsView::read(leaf.tbs());
    if (!read) return read.error();
    IssuerFacts facts;
    facts.subject_der = issuer.subject_der();
    Content content = authorised;
    content.names = leaf.alt_names();  // in its own order; which ones they are was checked
    content.subject = leaf.subject();
    const lint::Subject subject{*read, content, facts, std::nullopt};
    for (const Rule rule : fitting)
        if (const auto offence = rule(subject)) {
            const std::string check = "lint." + std::string(offence->name);
            return core::Problem(core::ProblemKind::internal, check + ": " + offence->detail, check);
        }
    return {};
}

core::Result<crypto::Certificate> check_issued(core::BytesView der, const Content& content, core::BytesView prepared_tbs,
                                               const crypto::PublicKey* issuer) {
    auto parsed = crypto::Certificate::parse(der);
    if (!parsed) return refused("issued.encoding", "the CA returned no certificate: " + parsed.error().detail);
    const crypto::Certificate& certificate = *parsed;
    if (!prepared_tbs.empty() && !std::ranges::equal(certificate.tbs(), prepared_tbs))
        return refused("issued.content", "the certificate is not the one that was prepared, checked and recorded");
    if (!std::ranges::equal(certificate.spki(), content.key.spki()))
        return refused("issued.key", "the certificate carries another public key than the request");
    if (!same_names(certificate.alt_names(), content.names))
        return refused("issued.names", "the certificate's names are not exactly the authorised ones");
    if (certificate.is_ca()) return refused("issued.ca", "the certificate is one of a CA");
    if (certificate.not_after() < certificate.not_before() || certificate.not_after() > content.not_after)
        return refused("issued.validity", "the certificate ends at " + core::rfc3339(certificate.not_after()) +
                                              ", which is outside what was authorised (up to " +
                                              core::rfc3339(content.not_after) + ")");
    if (issuer != nullptr && !certificate.signed_by(*issuer))
        return refused("issued.signature", "the certificate's signature does not verify under its issuer's key");
    return parsed;
}

}  // namespace postern::ca
