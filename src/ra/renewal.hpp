#pragma once
#include "core/base/result.hpp"
#include "core/crypto/certificate.hpp"
#include "core/crypto/csr.hpp"
#include "ra/catalog.hpp"
#include "ra/evidence.hpp"
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
    bool after_expiry = false;          ///< it ended, and its profile still lets it enroll its successor
};

/// By record: this very certificate was issued at the endpoint or imported for it, is valid, not revoked here and within `window`
/// of its end. A chain proves nothing. `presented`: DER; that its key signed the request was checked. Errors: forbidden, with the check:
/// "renewal.record", "renewal.status", "renewal.validity", "renewal.window".
core::Task<core::Result<RenewalRight>> find_renewal_right(store::Database& db, core::EndpointId endpoint, core::Bytes presented,
                                                          core::TimePoint now, std::chrono::milliseconds window);

/// What find_renewal_right says by "renewal.validity" of a certificate that ended: whether its profile of today still lets it enroll
/// its successor (renew_after_expiry). Its own CA's alone, and its end alone is passed over. nullopt: it does not.
core::Task<std::optional<RenewalRight>> find_late_renewal_right(store::Database& db, const Catalog& catalog, core::EndpointId endpoint, core::Bytes presented,
                                                                core::TimePoint now);

/// Whether any endpoint has it on record, its own or an imported one: what it is good for is said by that record alone.
core::Task<bool> on_record(store::Database& db, crypto::Certificate certificate);

/// A certificate with strong mapping is enrolled anew each time. Errors: forbidden, "renewal.security_identifier".
core::Result<void> check_no_security_identifier(const crypto::Certificate& certificate);

/// RFC 7030 §4.2.2: subject and alternative names are the certificate's or, of one that was issued here, those of the CSR that it came
/// from; whole, not only what a profile takes from them. Order counts in a subject; letter case does not count in host names, nor in the
/// subject of a predecessor's certificate, which that CA may have written otherwise (RFC 5280 §7.1). Errors: forbidden,
/// "renewal.names", and those of check_no_security_identifier. `right` and `csr` must outlive the task.
core::Task<core::Result<void>> check_same_names(store::Database& db, const RenewalRight& right, const crypto::Csr& csr);

/// Whether the CSR asks for the names of the certificate, or for those of the CSR that it was issued for (clients send that
/// one again). A predecessor's certificate has no such CSR; its names are compared as RFC 5280 §7 has it, since another CA may have
/// written them otherwise. Errors: forbidden, "renewal.names";
/// "renewal.security_identifier" for a certificate with strong mapping, which is enrolled anew each time. `right` and `csr` must outlive the task.
core::Task<core::Result<void>> check_renewal_names(store::Database& db, const RenewalRight& right, const crypto::Csr& csr);
/// The comparison alone, for a request that rests on something else than the certificate.
core::Task<core::Result<void>> asks_for_own_names(store::Database& db, const RenewalRight& right, const crypto::Csr& csr);

}  // namespace postern::ra
