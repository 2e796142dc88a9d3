#include "ra/renewal.hpp"

#include <algorithm>

#include "core/base/encoding.hpp"
#include "core/crypto/der.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/security_identifier.hpp"
#include "ra/catalog.hpp"
#include "ra/predecessors.hpp"
#include "store/tables/certificate.hpp"
#include "store/tables/enrollment.hpp"
#include "store/tables/requester.hpp"

namespace postern::ra {

namespace {

core::Problem refuse(std::string_view check, std::string why) { return {core::ProblemKind::forbidden, std::move(why), std::string(check)}; }

/// Alternative names and what a profile may take from a subject, whatever their order.
struct Names {
    Names(const crypto::DistinguishedName& subject, const std::vector<crypto::GeneralName>& alternative)
        : common(subject.values(crypto::DnAttribute::common_name)),
          serials(subject.values(crypto::DnAttribute::serial_number)),
          mailboxes(subject.values(crypto::DnAttribute::email)),
          others(alternative) {
        sort();
    }
    void sort() {
        const auto before = [](const crypto::GeneralName& a, const crypto::GeneralName& b) {
            return a.type != b.type ? a.type < b.type : a.value < b.value;
        };
        for (auto* each : {&common, &serials, &mailboxes}) std::sort(each->begin(), each->end());
        std::sort(others.begin(), others.end(), before);
    }
    bool operator==(const Names& other) const = default;
    std::vector<std::string> common, serials, mailboxes;
    std::vector<crypto::GeneralName> others;
};

/// By either form of strong mapping, or by what somebody could read as one.
bool maps_to_account(const crypto::Certificate& certificate) {
    const auto& names = certificate.alt_names();
    if (std::any_of(names.begin(), names.end(), [](const crypto::GeneralName& n) { return crypto::resembles_security_identifier(n.value); })) return true;
    // By its octets, wherever they stand: another CA's certificate has a form of its own.
    crypto::der::Writer extension;
    extension.oid(crypto::oid_security_identifier);
    return !std::ranges::search(certificate.tbs(), extension.bytes()).empty();
}

core::Result<void> judge_times(const crypto::Certificate& certificate, core::TimePoint now, std::chrono::milliseconds window) {
    const auto from = certificate.not_before(), until = certificate.not_after();
    if (now < from || now > until) return refuse("renewal.validity", "the certificate is valid from " + core::rfc3339(from) + " to " + core::rfc3339(until));
    if (now < until - window) return refuse("renewal.window", "the certificate can be renewed from " + core::rfc3339(until - window) + " on");
    return {};
}

core::Result<void> judge(const store::CertificateRow& row, core::EndpointId endpoint) {
    if (row.endpoint != endpoint) return refuse("renewal.record", "the certificate was not issued at this endpoint");
    if (row.status != "issued") return refuse("renewal.status", "the certificate is " + row.status);
    return {};
}

/// RFC 5280 §7.1 as far as ASCII goes: letter case does not count, nor how many spaces.
std::string folded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
        out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

/// §7.2 and §7.5: host names have no letter case, local parts of mail addresses and URIs do.
Names as_compared(Names names) {
    const auto fold_mailbox = [](std::string& text) {
        const auto at = std::min(text.rfind('@'), text.size());
        text = text.substr(0, at) + folded(text.substr(at));
    };
    for (auto* each : {&names.common, &names.serials})
        for (auto& text : *each) text = folded(text);
    for (auto& mailbox : names.mailboxes) fold_mailbox(mailbox);
    for (auto& name : names.others) {
        if (name.type == crypto::GeneralNameType::dns) name.value = folded(name.value);
        if (name.type == crypto::GeneralNameType::email) fold_mailbox(name.value);
    }
    names.sort();
    return names;
}

/// Under which account, and resting on which row.
core::Task<core::Result<RenewalRight>> right_of(store::Database& db, core::AccountId account, crypto::Certificate certificate, Evidence evidence) {
    auto found = co_await find_account(db, account);
    if (!found) co_return refuse("renewal.record", "the account that the certificate was issued under is gone");
    RenewalRight out;
    out.account = std::move(*found);
    out.evidence = std::move(evidence);
    out.certificate = std::move(certificate);
    co_return out;
}

}  // namespace

core::Task<core::Result<RenewalRight>> find_renewal_right(store::Database& db, core::EndpointId endpoint, core::Bytes presented,
                                                          core::TimePoint now, std::chrono::milliseconds window) {
    auto certificate = crypto::Certificate::parse(presented);
    if (!certificate) co_return refuse("renewal.record", "the certificate cannot be read: " + certificate.error().detail);
    const auto digest = crypto::sha256(presented);
    const core::Bytes sha256(digest.begin(), digest.end());
    auto evidence = Evidence::of(Evidence::Kind::certificate, core::hex(digest), now);
    auto by_certificate = store::values(certificate->serial(), sha256);
    const auto issued = co_await store::read_one(db, store::certificate_presented, std::move(by_certificate));
    if (issued) {
        const auto row = store::CertificateRow::from(*issued);
        if (auto good = judge(row, endpoint); !good) co_return good.error();
        if (auto good = judge_times(*certificate, now, window); !good) co_return good.error();
        evidence = std::move(evidence).resting_on(store::certificate_requester.kind, row.id.get(), certificate->spki());
        auto out = co_await right_of(db, row.account, std::move(*certificate), std::move(evidence));
        if (out) out->enrollment = row.enrollment;
        co_return out;
    }
    auto by_digest = store::values(sha256, endpoint);
    const auto imported = co_await store::read_one(db, store::imported_certificate_presented, std::move(by_digest));
    if (!imported) co_return refuse("renewal.record", "the certificate was not issued here");
    const auto row = store::ImportedCertificateRow::from(*imported);
    // The import asked this too; renewal judges everything anew.
    if (const auto role = authority_role(*certificate); !role.empty()) co_return refuse("renewal.record", "it is " + role + ", which never renews here");
    if (auto good = judge_times(*certificate, now, window); !good) co_return good.error();
    evidence = std::move(evidence).resting_on(store::imported_requester.kind, row.id.get(), certificate->spki());
    auto out = co_await right_of(db, row.account, std::move(*certificate), std::move(evidence));
    if (out) out->predecessor = row.predecessor;
    co_return out;
}

core::Result<void> check_no_security_identifier(const crypto::Certificate& certificate) {
    if (!maps_to_account(certificate)) return {};
    return refuse("renewal.security_identifier", "the certificate holds a security identifier of Windows, for which Intune must vouch each time; enroll with a challenge of Intune");
}

core::Task<core::Result<void>> check_renewal_names(store::Database& db, const RenewalRight& right, const crypto::Csr& csr) {
    if (const auto none = check_no_security_identifier(right.certificate); !none) co_return none.error();
    co_return co_await asks_for_own_names(db, right, csr);
}

core::Task<core::Result<void>> asks_for_own_names(store::Database& db, const RenewalRight& right, const crypto::Csr& csr) {
    const Names wished(csr.subject(), csr.alt_names()), had(right.certificate.subject(), right.certificate.alt_names());
    if (wished == had) co_return core::Result<void>();
    if (right.predecessor) {
        if (as_compared(wished) == as_compared(had)) co_return core::Result<void>();
        co_return refuse("renewal.names", "the request asks for other names than the certificate has");
    }
    auto by_id = store::values(right.enrollment);
    const auto enrollment = co_await store::read_one(db, store::enrollment_by_id, std::move(by_id));
    const auto before = crypto::Csr::parse_kept(store::EnrollmentRow::from(enrollment.value()).csr);
    if (before && wished == Names(before->subject(), before->alt_names())) co_return core::Result<void>();
    co_return refuse("renewal.names", "the request asks for other names than the certificate has");
}

}  // namespace postern::ra
