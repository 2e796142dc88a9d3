#pragma once
#include <string_view>

#include "core/base/result.hpp"
#include "core/crypto/cms_certificate.hpp"
#include "core/crypto/der.hpp"

/// What the readers of SignedData and EnvelopedData share.
namespace postern::crypto {

inline constexpr std::string_view oid_cms_data = "1.2.840.113549.1.7.1";
inline constexpr std::string_view oid_cms_signed_data = "1.2.840.113549.1.7.2";
inline constexpr std::string_view oid_cms_enveloped_data = "1.2.840.113549.1.7.3";

/// The largest message that is read.
inline constexpr std::size_t cms_most_octets = 256 * 1024;

/// The content of one ContentInfo (RFC 5652 §3), BER or DER, which must be of that type: nothing else
/// is looked at before. `malformed`: too large, not BER, bytes after its end, another type.
core::Result<der::Element> cms_content(core::BytesView message, std::string_view type);

/// A SignerIdentifier or RecipientIdentifier: issuerAndSerialNumber or [0] subjectKeyIdentifier.
std::optional<CmsIdentifier> cms_identifier(const der::Element& e);

/// The OID of an AlgorithmIdentifier, and its parameters when there are any.
struct CmsAlgorithm {
    CmsAlgorithm() = default;
    std::string oid;
    std::optional<der::Element> parameters;
};
std::optional<CmsAlgorithm> cms_algorithm(const der::Element& e);

}  // namespace postern::crypto
