#pragma once
#include <string>
#include <string_view>

#include "azure/intune.hpp"
#include "core/base/clock.hpp"
#include "core/crypto/sealer.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"
#include "ra/catalog.hpp"
#include "ra/outbox.hpp"
#include "ra/revocation.hpp"
#include "store/numbers.hpp"
#include "store/tables/enrollment.hpp"
#include "store/tables/intune.hpp"

/// What Intune hears of the requests that it validated. Whoever has the device waiting tells it at once; what was not
/// told then leaves through the outbox, so that neither a kill nor an Intune that is away loses it.
namespace postern::ra {

inline constexpr std::string_view intune_success_kind = "intune.success", intune_failure_kind = "intune.failure";
/// Body of a message of both kinds. `why`: of a failure.
std::string intune_message(core::EnrollmentId id, std::string_view why);

class IntuneNotices {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        const CatalogSource& catalog;
        const crypto::Sealer& sealer;
        azure::Intune& intune;
        Revocation& revocation;
        const core::Clock& clock;
        observe::Log& log;
        observe::Metrics& metrics;
    };
    explicit IntuneNotices(Deps deps);

    /// A withheld certificate whose notification nobody could make for so long is revoked. The device was told FAILURE
    /// or nothing by then, and asks again with the same challenge or a new one. Longer than Intune is usually away for.
    static constexpr std::chrono::minutes withheld_limit{30};

    /// Adds to a batch what Intune validated, octet by octet as it came: notifications repeat it. Sealed, since the
    /// challenge is in it, and gone once Intune knows the end.
    void keep(store::Batch& batch, core::EnrollmentId id, std::int64_t azure_account, std::string_view transaction_id, core::BytesView csr) const;

    /// Who tells: a request whose device waits, and which takes the outbox's message back; or that message's sender.
    enum class By { request, outbox };
    /// That a certificate was issued. A value: Intune knows, now or from before; one that was withheld is the
    /// device's from then on. Errors: the port's; conflict (it was acknowledged or revoked meanwhile).
    core::Task<core::Result<void>> tell_success(core::EnrollmentId id, By by, core::Deadline deadline);
    /// That none was.
    core::Task<core::Result<void>> tell_failure(core::EnrollmentId id, std::string why, core::Deadline deadline);
    /// Revokes a withheld certificate: nobody has it, and nobody gets it any more. Errors: unavailable, it could not be
    /// revoked now; what tells of it stays in the outbox, which tries again.
    core::Task<core::Result<void>> give_up(core::EnrollmentId id, By by, std::string why, core::Deadline deadline);

    /// Tries a message of the outbox, and gives up what cannot be told any more.
    core::Task<core::Result<void>> send_success(core::EnrollmentId id, core::Deadline deadline);

private:
    struct Kept;
    core::Task<std::optional<Kept>> find(core::EnrollmentId id);
    core::Task<core::Result<void>> record_told(const store::EnrollmentRow& row, By by, azure::ActivityRef activity);
    core::Task<AuditRecord> record_of_failure(core::EnrollmentId id, const Kept& kept);

    Deps deps_;
    observe::Counter told_, given_up_;
};

/// Sends the messages of one of the two kinds.
class IntuneSender final : public Sender {
public:
    IntuneSender(IntuneNotices& notices, std::string_view kind) : notices_(notices), success_(kind == intune_success_kind) {}
    core::Task<core::Result<void>> send(Message message, core::Deadline deadline) override;

private:
    IntuneNotices& notices_;
    bool success_;
};

}  // namespace postern::ra
