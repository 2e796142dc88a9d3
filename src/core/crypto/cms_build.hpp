#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/random.hpp"
#include "core/crypto/cms_algorithms.hpp"
#include "core/crypto/cms_certificate.hpp"
#include "core/crypto/cms_content.hpp"

/// CMS messages as DER, for readers that have never seen anything but OpenSSL's.
namespace postern::crypto {

/// Degenerate SignedData (RFC 5652 §5.2): no signers, no content, certificates and CRLs in this order.
/// The order is kept although they are a SET: clients take the first of them.
core::Bytes cms_certificates(std::span<const core::Bytes> certificates, std::span<const core::Bytes> crls = {});

/// EnvelopedData over id-data for one RSA recipient, named by issuer and serial, its content key in
/// RSAES-PKCS1-v1_5, which every client reads. Throws std::invalid_argument for a key that is not RSA.
/// Cost: one RSA public-key operation.
core::Bytes cms_envelope(core::BytesView content, const CmsParty& recipient, CmsCipher cipher, core::Random& random);

/// A signed attribute with one value of exactly that type.
struct CmsAttribute {
    CmsAttribute() = default;
    CmsAttribute(std::string o, std::uint8_t t, core::BytesView v) : oid(std::move(o)), tag(t), value(core::to_bytes(v)) {}
    std::string oid;
    std::uint8_t tag = 0;
    core::Bytes value;
};

/// SignedData over `content_type` with one signer, named by issuer and serial, whose certificate comes first,
/// then `more`. contentType and messageDigest are added to the attributes, signingTime is not. Without
/// content, eContent is absent and the digest that of no octets, as SCEP has it in refusals.
/// Cost: one private-key operation (RSA 0.3 ms and more): run on the CpuPool.
/// Throws std::invalid_argument for a key that is neither RSA nor EC.
core::Bytes cms_sign(std::optional<core::BytesView> content, std::span<const CmsAttribute> attributes, const CmsIdentity& signer,
                     CmsDigest digest, std::span<const core::Bytes> more = {}, std::string_view content_type = oid_cms_data);

}  // namespace postern::crypto
