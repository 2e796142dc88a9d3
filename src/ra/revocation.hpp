#pragma once
#include "ca/backend.hpp"
#include "core/async/task_group.hpp"
#include "core/base/clock.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"
#include "ra/audit.hpp"
#include "store/database.hpp"
#include "store/numbers.hpp"
#include "store/tables/certificate.hpp"
#include "store/tables/revocation_request.hpp"

namespace postern::ra {

/// Reasons that a requester or officer may give (RFC 5280 §5.3.1): 0, 1, 3, 4, 5.
bool revocation_reason_allowed(std::int64_t reason) noexcept;

/// CRLReason keyCompromise (RFC 5280 §5.3.1): the key is blocked too.
inline constexpr std::int64_t key_compromise = 1;

/// Whether this actor's word for keyCompromise blocks the key. An ACME account's does not: it may have ordered with another's
/// CSR and never have held the key. Who signs with the key, and an officer, do.
bool may_block_key(const Actor& actor) noexcept;

class Revocation {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        const ca::Backends& backends;
        const core::Clock& clock;
        // For foreign CAs; a house without any needs none.
        core::TaskGroup* tasks = nullptr;
        observe::Log* log = nullptr;
        const observe::Counter* alarm = nullptr;    ///< revocations that nobody publishes
        const observe::Counter* unasked = nullptr;  ///< wishes whose backend is gone
    };
    explicit Revocation(Deps deps) : deps_(deps) {}

    /// At a foreign CA: asks it first; forbidden when it refuses, or takes none (recorded here all the same),
    /// unavailable while it has not answered, or its backend is gone: the wish is kept.
    /// Records, audits and publishes. Returns once CRLs show it, or after a short wait when signing is
    /// slow: it is durable then all the same. One of our own CA that is revoked already becomes a keyCompromise when somebody
    /// who may block its key says so. Errors: already_revoked, bad_revocation_reason.
    core::Task<core::Result<void>> revoke(store::CertificateRow certificate, std::int64_t reason, Actor actor,
                                          core::RequestId request, core::Deadline deadline) {
        return revoke_with(std::move(certificate), reason, std::move(actor), std::move(request), deadline, store::Batch());
    }
    /// The same, with what is true with the revocation alone in its batch; for certificates of our own CA.
    core::Task<core::Result<void>> revoke_with(store::CertificateRow certificate, std::int64_t reason, Actor actor,
                                               core::RequestId request, core::Deadline deadline, store::Batch more);

    /// The backends of which something has not been confirmed and is due. For the poller.
    core::Task<std::vector<std::string>> backends_due();
    /// Asks that one's CA again for what it has not confirmed; how many.
    core::Task<std::size_t> ask_due(std::string backend, std::int64_t limit);

private:
    /// One batch: certificate, enrollment, key, audit and `more`. Errors: already_revoked.
    core::Task<core::Result<void>> record(const store::CertificateRow& certificate, std::int64_t reason, Actor actor, core::RequestId request,
                                          store::Batch more);
    /// The same; one that was revoked before has its key blocked at least.
    core::Task<core::Result<void>> record_or_block(store::CertificateRow certificate, std::int64_t reason, Actor actor, core::RequestId request,
                                                   store::Batch more);
    /// Revoked for a lesser reason before: a keyCompromise from now on. `entry` is the CRL's. Errors: already_revoked.
    core::Task<core::Result<void>> raise_to_compromise(store::CertificateRow certificate, Actor actor, core::RequestId request, store::Batch entry);
    core::Task<store::Written> block_key(store::CertificateRow certificate, Actor actor, core::RequestId request, store::Batch more, store::Expect expect);
    core::Task<bool> write_wish(store::CertificateRow certificate, store::RevocationRequestRow wish);
    core::Task<core::Result<void>> revoke_at_foreign(store::CertificateRow certificate, std::int64_t reason, Actor actor, core::RequestId request,
                                                     core::Deadline deadline);
    core::Task<core::Result<void>> revoke_locally(store::CertificateRow certificate, std::int64_t reason, Actor actor, core::RequestId request,
                                                  store::Batch more);
    core::Task<core::Result<void>> ask(store::RevocationRequestRow wish);
    core::Task<core::Result<void>> confirm(store::CertificateRow certificate, store::RevocationRequestRow wish);
    core::Task<void> drop(store::RevocationRequestRow wish);
    core::Task<bool> record_answer(store::CertificateRow certificate, store::RevocationRequestRow wish, core::Problem why, store::Batch batch);

    Deps deps_;
};

}  // namespace postern::ra
