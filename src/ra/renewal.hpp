#pragma once
#include "core/base/result.hpp"
#include "core/crypto/certificate.hpp"
#include "core/crypto/csr.hpp"
#include "ra/evidence.hpp"
#include "ra/model.hpp"
#include "store/database.hpp"
#include "store/tables/imported_certificate.hpp"

namespace postern::ra {

/// The right to enroll the successor of a certificate (design §7).
struct RenewalRight {
    RenewalRight() = default;
    Account account;                    ///< under which the certificate was enrolled
    core::EnrollmentId enrollment;      ///< that it came from; 0 with a predecessor
    /// Who issued it, where that was not Postern: its status is asked there (predecessor_status.hpp).
    std::optional<store::PredecessorId> predecessor;
    crypto::Certificate certificate;
    Evidence evidence;
};

/// By record: this very certificate was issued at the endpoint or imported for it, is valid, not revoked here and within `window`
/// of its end. A chain proves nothing. `presented`: DER; that its key signed the request was checked. Errors: forbidden, with the check:
/// "renewal.record", "renewal.status", "renewal.validity", "renewal.window".
core::Task<core::Result<RenewalRight>> find_renewal_right(store::Database& db, core::EndpointId endpoint, core::Bytes presented,
                                                          core::TimePoint now, std::chrono::milliseconds window);

/// Whether the CSR asks for the names of the certificate, or for those of the CSR that it was issued for (clients send that
/// one again). A predecessor's certificate has no such CSR; its names are compared as RFC 5280 §7 has it, since another CA may have
/// written them otherwise. Errors: forbidden, "renewal.names";
/// "renewal.security_identifier" for a certificate with strong mapping, which is enrolled anew each time. `right` and `csr` must outlive the task.
core::Task<core::Result<void>> check_renewal_names(store::Database& db, const RenewalRight& right, const crypto::Csr& csr);
/// The comparison alone, for a request that rests on something else than the certificate.
core::Task<core::Result<void>> asks_for_own_names(store::Database& db, const RenewalRight& right, const crypto::Csr& csr);

}  // namespace postern::ra
