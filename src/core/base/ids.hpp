#pragma once
#include <cstdint>
#include <string>

#include "core/base/strong.hpp"

/// Every identifier of the house. Numbers are BIGINT > 0 (design: number blocks); tokens are
/// 22 characters of base64url over 128 random bits, the only ids that strangers see in URLs.
namespace postern::core {

using TenantId = Strong<std::int64_t, struct TenantIdTag>;
using OrganizationId = Strong<std::int64_t, struct OrganizationIdTag>;
using DepartmentId = Strong<std::int64_t, struct DepartmentIdTag>;
using ProfileId = Strong<std::int64_t, struct ProfileIdTag>;
using EndpointId = Strong<std::int64_t, struct EndpointIdTag>;
using AccountId = Strong<std::int64_t, struct AccountIdTag>;  ///< endpoint account (RA), not ACME's
using PrincipalId = Strong<std::int64_t, struct PrincipalIdTag>;
using EnrollmentId = Strong<std::int64_t, struct EnrollmentIdTag>;
using CertificateId = Strong<std::int64_t, struct CertificateIdTag>;

/// Correlation id of one request: 16 characters of lower-case base32, in logs, audit, traces and
/// the X-Request-Id header.
using RequestId = Strong<std::string, struct RequestIdTag>;

}  // namespace postern::core
