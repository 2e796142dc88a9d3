#pragma once
#include <span>
#include <vector>

#include "core/crypto/certificate_template.hpp"
#include "core/crypto/key.hpp"

namespace postern::crypto {

/// A certificate as a CMS message needs it: whom it names and which key it holds. Devices sign their
/// first SCEP message with a certificate that they made themselves, with critical extensions, odd
/// names, serials and dates; those prove nothing and are not judged. Whether a certificate was issued
/// here is found out by its SHA-256, never from this.
class CmsCertificate {
public:
    CmsCertificate() = default;
    /// DER throughout (X19: BER is for the wrapping). `malformed` otherwise. Signatures are not checked.
    static core::Result<CmsCertificate> parse(core::BytesView der);

    [[nodiscard]] const core::Bytes& der() const noexcept { return der_; }
    [[nodiscard]] const core::Bytes& issuer_der() const noexcept { return issuer_der_; }
    [[nodiscard]] const core::Bytes& subject_der() const noexcept { return subject_der_; }
    /// Content of the INTEGER, as it is in the certificate.
    [[nodiscard]] const core::Bytes& serial() const noexcept { return serial_; }
    [[nodiscard]] const core::Bytes& spki() const noexcept { return spki_; }
    /// Empty without the extension.
    [[nodiscard]] const core::Bytes& subject_key_id() const noexcept { return subject_key_id_; }
    /// Whether keyUsage is there and names this use. One without the extension may be used for everything
    /// (RFC 5280 §4.2.1.3), but clients that look for a use find none.
    [[nodiscard]] bool states(KeyUsageBit use) const noexcept;
    [[nodiscard]] bool self_issued() const noexcept { return issuer_der_ == subject_der_; }

private:
    core::Bytes der_, issuer_der_, subject_der_, serial_, spki_, subject_key_id_;
    unsigned key_usage_ = 0;  ///< bit n is KeyUsageBit n
};

/// Whose certificate it is, and the key in it: who signed a message, and whom an answer is for.
struct CmsParty {
    CmsParty() = default;
    CmsCertificate certificate;
    PublicKey key;
};

/// A certificate of ours with its private key (SCEP: the registration authority's).
struct CmsIdentity {
    CmsIdentity() = default;
    CmsIdentity(CmsCertificate c, PrivateKey k) : certificate(std::move(c)), key(std::move(k)) {}
    CmsCertificate certificate;
    PrivateKey key;
};

/// How a message names a certificate (RFC 5652 §10.2.4, RFC 5280 §4.2.1.2): by issuer and serial, or
/// by subjectKeyIdentifier.
struct CmsIdentifier {
    CmsIdentifier() = default;
    core::Bytes issuer_der, serial, subject_key_id;
    /// Issuers are compared by octets and, since some clients encode the name anew, by their text.
    [[nodiscard]] bool names(const CmsCertificate& certificate) const;
};

}  // namespace postern::crypto
