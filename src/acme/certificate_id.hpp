#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "acme/call.hpp"
#include "store/tables/certificate.hpp"

namespace postern::acme {

/// A certificate's name by who issued it and its serial (RFC 9773 §4.1): base64url(keyIdentifier) "." base64url(serial as the
/// content octets of its DER), without padding.
struct CertificateId {
    CertificateId() = default;
    core::Bytes key_id;
    core::Bytes serial;  ///< as sent: with the zero octet that DER puts before a high bit
};
/// malformed.
Result<CertificateId> parse_certificate_id(std::string_view text);
/// One that was issued here to the endpoint's tenant.
core::Task<std::optional<store::CertificateRow>> find_certificate(Parts& parts, const Call& call, CertificateId id);

}  // namespace postern::acme
