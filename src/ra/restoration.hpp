#pragma once
#include <atomic>
#include <string>
#include <vector>

#include "core/async/task.hpp"
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/crypto/revocation_list.hpp"
#include "core/observe/log.hpp"
#include "ra/issuing_gate.hpp"
#include "ra/principals.hpp"
#include "store/database.hpp"
#include "store/numbers.hpp"
#include "store/tables/authority.hpp"
#include "store/tables/certificate.hpp"

/// An installation that was restored from a backup of time T starts closed: what was
/// revoked and published after T is not in it. It opens when the last published CRLs were taken over.
/// So does one whose database failed over to a server that lagged behind.
namespace postern::ra {

/// Why an installation is closed.
struct Closed {
    Closed() = default;
    core::TimePoint since{};  ///< the backup's time; or when it was seen that the database had lost commits
    std::string lost;         ///< what the database has forgotten; empty: it was restored from a backup
    std::string value;        ///< as it is stored
    /// For people: what happened, and what to do.
    [[nodiscard]] std::string why() const;
};
/// nullopt while the installation is not closed.
core::Task<std::optional<Closed>> restored_and_closed(store::Database& db);

/// What a restore makes void besides the protocols' own: tokens of principals and MAC keys; and what it
/// leaves to an officer.
struct VoidedCredentials {
    VoidedCredentials() = default;
    std::vector<std::string> principals;  ///< names; their tokens must be made anew
    std::vector<std::string> accounts;    ///< "tenant/name"; their keys must be given or generated anew
    /// Requests that were being signed at `backup_time`. The lost server may have delivered their
    /// certificates after it: neither is their serial revoked nor are they issued anew.
    std::vector<core::EnrollmentId> unknown;
};

/// Adds to the batch that makes a database copied at `backup_time` a restored, closed one.
core::Task<VoidedCredentials> close_restored(store::Database& db, store::Numbers& numbers, store::Batch& batch,
                                             core::TimePoint backup_time, core::TimePoint now);

struct OpenReport {
    OpenReport() = default;
    struct Crl {
        Crl() = default;
        std::string key_id;
        std::int64_t number = 0;   ///< the next CRL's is above
        std::size_t entries = 0;
        std::size_t taken_over = 0;  ///< revocations that the backup lacked
        bool imported = false;       ///< false: the operator said that none was published
    };
    std::vector<Crl> crls;
};

class Restoration {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        IssuingGate& gate;
        const core::Clock& clock;
        observe::Log& log;
    };
    explicit Restoration(Deps deps) : deps_(deps) {}

    /// At the start: shuts the gate when the installation is restored and not opened.
    /// Whether it is closed.
    core::Task<bool> load();
    /// What another node did: told once.
    enum class Change { none, opened, closed };
    /// Twice a second. Throws StoreUnavailable.
    core::Task<Change> follow();
    /// Closes the installation on every node, also after a restart: its database lost commits, `what` is one of them. What was issued
    /// and revoked since is unknown here, as after a restore, and open() ends it in the same way. Audited; nothing where
    /// it is closed already.
    core::Task<void> close_lost(std::string what);
    /// Takes over the CRLs (DER) and records that the installation may issue again. Each authority
    /// needs its last published one, unless `none_published` says that the others published none
    /// after the backup. Errors: malformed (what cannot be a last CRL of ours, or a missing one),
    /// conflict (not restored, or opened already). The gate opens with the batch; CRLs are
    /// released by the caller before clients hear of it.
    core::Task<core::Result<OpenReport>> open(std::vector<core::Bytes> crls, bool none_published, Principal by, core::RequestId request);

private:
    struct Matched {
        store::AuthorityRow authority;
        std::optional<crypto::RevocationList> list;
    };
    core::Task<core::Result<std::vector<Matched>>> match(const std::vector<core::Bytes>& crls, bool none_published);
    core::Task<void> revoke_held(store::Batch& batch, const store::CertificateRow& held, const crypto::CrlEntry& entry,
                                 const Principal& by, const core::RequestId& request);
    core::Task<std::size_t> take_over(const Matched& matched, const Principal& by, const core::RequestId& request);

    Deps deps_;
    std::atomic<bool> closed_{false};  ///< as far as this node knows
};

}  // namespace postern::ra
