#pragma once
#include <optional>
#include <string>
#include <vector>

#include "ca/backend.hpp"
#include "core/async/task.hpp"
#include "core/base/result.hpp"
#include "ra/principals.hpp"
#include "store/database.hpp"
#include "store/tables/certificate.hpp"
#include "store/tables/revocation_request.hpp"

/// What the RA recorded, for people and programs that ask.
namespace postern::ra {

/// Up to `limit` certificates the principal may see with id > after, rising; keyset paging.
core::Task<store::Rows> list_certificates(store::Database& db, const Principal& by, std::int64_t after, std::int64_t limit);
/// By its serial, in any spelling of crypto::serial_from_text; not_found also for another tenant's.
core::Task<core::Result<store::CertificateRow>> find_certificate(store::Database& db, const Principal& by, std::string serial_hex);

/// Whether nobody is to have its certificate yet: Intune has not heard of it (intune_notices.hpp).
core::Task<bool> withheld(store::Database& db, core::EnrollmentId enrollment);

/// What a foreign CA was asked to revoke and has not confirmed; nullopt: nothing.
core::Task<std::optional<store::RevocationRequestRow>> open_revocation(store::Database& db, core::CertificateId certificate);

/// The chains of an issuer as PEM, itself first in each: the one to send along, then those to other roots.
core::Task<std::vector<std::string>> chains_of(store::Database& db, const ca::Backends& backends, std::string backend, std::string issuer_key_id);
/// The chain below a certificate as PEM, its issuer first: the backend's own, or a foreign CA's as it was verified.
core::Task<std::string> chain_of(store::Database& db, const ca::Backends& backends, std::string backend, std::string issuer_key_id);

}  // namespace postern::ra
