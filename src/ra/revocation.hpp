#pragma once
#include "ca/backend.hpp"
#include "core/base/clock.hpp"
#include "ra/audit.hpp"
#include "store/database.hpp"
#include "store/numbers.hpp"
#include "store/tables/certificate.hpp"

namespace postern::ra {

/// Reasons that a requester or officer may give (RFC 5280 §5.3.1): 0, 1, 3, 4, 5.
bool revocation_reason_allowed(std::int64_t reason) noexcept;

/// CRLReason keyCompromise (RFC 5280 §5.3.1): the key is blocked too.
inline constexpr std::int64_t key_compromise = 1;

class Revocation {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        const ca::Backends& backends;
        const core::Clock& clock;
    };
    explicit Revocation(Deps deps) : deps_(deps) {}

    /// Records, audits and publishes. Returns once CRLs show it, or after a short wait when signing is
    /// slow: it is durable then all the same. Errors: already_revoked, bad_revocation_reason.
    core::Task<core::Result<void>> revoke(store::CertificateRow certificate, std::int64_t reason, Actor actor,
                                          core::RequestId request, core::Deadline deadline);

private:
    Deps deps_;
};

}  // namespace postern::ra
