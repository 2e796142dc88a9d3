#include "ra/renewal.hpp"

#include <algorithm>

#include "ca/tbs_view.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/security_identifier.hpp"
#include "ra/catalog.hpp"
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
    const auto tbs = ca::TbsView::read(certificate.tbs());
    return !tbs || tbs->find(crypto::oid_security_identifier) != nullptr;
}

core::Result<void> judge(const store::CertificateRow& row, core::EndpointId endpoint, core::TimePoint now, std::chrono::milliseconds window) {
    if (row.endpoint != endpoint) return refuse("renewal.record", "the certificate was not issued at this endpoint");
    if (row.status != "issued") return refuse("renewal.status", "the certificate is " + row.status);
    if (now < row.not_before || now > row.not_after)
        return refuse("renewal.validity", "the certificate is valid from " + core::rfc3339(row.not_before) + " to " + core::rfc3339(row.not_after));
    if (now < row.not_after - window)
        return refuse("renewal.window", "the certificate can be renewed from " + core::rfc3339(row.not_after - window) + " on");
    return {};
}

}  // namespace

core::Task<core::Result<RenewalRight>> find_renewal_right(store::Database& db, core::EndpointId endpoint, core::Bytes presented,
                                                          core::TimePoint now, std::chrono::milliseconds window) {
    auto certificate = crypto::Certificate::parse(presented);
    if (!certificate) co_return refuse("renewal.record", "the certificate cannot be read: " + certificate.error().detail);
    const auto digest = crypto::sha256(presented);
    auto by_certificate = store::values(certificate->serial(), core::Bytes(digest.begin(), digest.end()));
    const auto found = co_await store::read_one(db, store::certificate_presented, std::move(by_certificate));
    if (!found) co_return refuse("renewal.record", "the certificate was not issued here");
    const auto row = store::CertificateRow::from(*found);
    if (auto good = judge(row, endpoint, now, window); !good) co_return good.error();
    auto account = co_await find_account(db, row.account);
    if (!account) co_return refuse("renewal.record", "the account that the certificate was issued under is gone");
    RenewalRight out;
    out.account = std::move(*account);
    out.enrollment = row.enrollment;
    out.evidence = Evidence::of(Evidence::Kind::certificate, core::hex(digest), now)
                       .resting_on(store::certificate_requester.kind, row.id.get(), certificate->spki());
    out.certificate = std::move(*certificate);
    co_return out;
}

core::Task<core::Result<void>> check_renewal_names(store::Database& db, const RenewalRight& right, const crypto::Csr& csr) {
    if (maps_to_account(right.certificate))
        co_return refuse("renewal.security_identifier", "the certificate holds a security identifier of Windows, for which Intune must vouch each time; enroll with a challenge of Intune");
    const Names wished(csr.subject(), csr.alt_names());
    if (wished == Names(right.certificate.subject(), right.certificate.alt_names())) co_return core::Result<void>();
    auto by_id = store::values(right.enrollment);
    const auto enrollment = co_await store::read_one(db, store::enrollment_by_id, std::move(by_id));
    const auto before = crypto::Csr::parse_kept(store::EnrollmentRow::from(enrollment.value()).csr);
    if (before && wished == Names(before->subject(), before->alt_names())) co_return core::Result<void>();
    co_return refuse("renewal.names", "the request asks for other names than the certificate has");
}

}  // namespace postern::ra
