#pragma once
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/crypto/der.hpp"

/// Extensions as certificates and requests carry them (RFC 5280 §4.1, §4.2).
namespace postern::crypto {

struct Extension {
    std::string oid;
    bool critical = false;
    core::BytesView value;  ///< content of the OCTET STRING, borrowed
};

/// The SEQUENCE OF Extension. `malformed` when empty, not DER, with an OID twice (X19), or with
/// more than 64 of them.
core::Result<std::vector<Extension>> read_extensions(core::BytesView sequence_der);

/// TLS feature (RFC 7633): true when status_request is listed; `malformed` when it is no list of
/// integers.
core::Result<bool> asks_status_request(core::BytesView extension_value);

constexpr std::string_view oid_subject_key_id = "2.5.29.14";
constexpr std::string_view oid_key_usage = "2.5.29.15";
constexpr std::string_view oid_subject_alt_name = "2.5.29.17";
constexpr std::string_view oid_basic_constraints = "2.5.29.19";
constexpr std::string_view oid_crl_number = "2.5.29.20";
constexpr std::string_view oid_reason_code = "2.5.29.21";
constexpr std::string_view oid_issuing_distribution_point = "2.5.29.28";
constexpr std::string_view oid_crl_distribution_points = "2.5.29.31";
constexpr std::string_view oid_certificate_policies = "2.5.29.32";
constexpr std::string_view oid_authority_key_id = "2.5.29.35";
constexpr std::string_view oid_extended_key_usage = "2.5.29.37";
constexpr std::string_view oid_authority_info_access = "1.3.6.1.5.5.7.1.1";
constexpr std::string_view oid_tls_feature = "1.3.6.1.5.5.7.1.24";

}  // namespace postern::crypto
