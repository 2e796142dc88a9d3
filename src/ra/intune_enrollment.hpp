#pragma once
#include "core/async/task_group.hpp"
#include "ra/enrollment.hpp"
#include "ra/intune_notices.hpp"
#include "store/tables/credential_use.hpp"

namespace postern::ra {

/// A request whose challenge Intune sealed.
struct IntuneRequest {
    IntuneRequest() = default;
    core::RequestId id;
    core::EndpointId endpoint;
    Account account;             ///< of method intune
    std::string transaction_id;
    std::string source;          ///< where it came from (http::source_of)
    std::optional<crypto::Csr> csr;
    core::Deadline deadline{};
};

/// Requests of devices that Intune manages: validated before, acknowledged after, each challenge for one certificate.
///
///   validate -> issue, withheld -> notify -> the device's
///
/// Whatever fails on the way, the caller has its answer in Account::intune.answer_within, and no certificate without
/// Intune's two yes (but the second where the account says deliver_first).
class IntuneEnrollment {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        const CatalogSource& catalog;
        const crypto::Sealer& sealer;
        azure::Intune& intune;
        IntuneNotices& notices;
        Enrollment& enrollment;
        Refusals& refusals;
        const Outbox& outbox;
        core::TaskGroup& tasks;
        const core::Clock& clock;
        observe::Log& log;
        observe::Metrics& metrics;
    };
    explicit IntuneEnrollment(Deps deps);

    /// Intune does not say that a challenge was used (intune.md §4.1): it is remembered for so long.
    static constexpr std::chrono::hours remembered{24 * 30};

    /// The same challenge of the same key again gives the same certificate, while that stands.
    /// Errors: those of Enrollment::submit and, audited as those of strangers are, forbidden with check "intune.CODE" and the code as
    /// its detail (Intune's decision), "challenge.single_use" (another key had it: an alarm, too) or "intune.revoked";
    /// unavailable with check "intune.…" (nobody decided anything).
    core::Task<core::Result<IssuedCertificate>> enroll(IntuneRequest request);

private:
    struct Attempt;
    /// In a little less than the account's time, but for a store that stands still.
    core::Task<core::Result<IssuedCertificate>> carry_out(IntuneRequest request);
    core::Task<core::Result<void>> validate(Attempt& attempt);
    EnrollmentRequest compose(Attempt& attempt) const;
    core::Task<core::Result<IssuedCertificate>> issue(Attempt& attempt);
    core::Task<core::Result<IssuedCertificate>> acknowledge(Attempt& attempt, IssuedCertificate issued);
    /// An earlier request of this challenge; nullopt: there is none that ended with a certificate or may still.
    core::Task<std::optional<core::Result<IssuedCertificate>>> earlier(Attempt& attempt);
    core::Task<core::Result<IssuedCertificate>> stored(core::EnrollmentId id);
    core::Task<core::Result<IssuedCertificate>> refuse(Attempt& attempt, core::Problem problem);
    core::Task<void> record(const Attempt& attempt, core::Problem problem, RefusalBudget::LeftOut left_out);
    /// That nothing was issued although Intune said yes, where no batch of the waist's told it.
    core::Task<void> tell_unissued(Attempt& attempt, core::Problem problem);

    Deps deps_;
    observe::Counter issued_, refused_, failed_, reused_;
};

}  // namespace postern::ra
