#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/crypto/key.hpp"
#include "core/crypto/name.hpp"

namespace postern::crypto {

enum class KeyUsageBit : unsigned {  ///< RFC 5280 §4.2.1.3 bit numbers
    digital_signature = 0, content_commitment = 1, key_encipherment = 2, data_encipherment = 3,
    key_agreement = 4, key_cert_sign = 5, crl_sign = 6
};

/// What all certificates of one profile and issuer share; encoded once, used for every issuance.
struct CertificateShape {
    CertificateShape() = default;
    SignatureAlgorithm algorithm = SignatureAlgorithm::ecdsa_sha256;
    core::Bytes issuer_der;               ///< the issuer's subject, byte for byte
    core::Bytes authority_key_id;         ///< the issuer's SKI
    bool ca = false;
    std::optional<unsigned> path_length;  ///< CA only
    std::vector<KeyUsageBit> key_usage;
    std::vector<std::string> extended_key_usage;  ///< dotted OIDs
    std::vector<std::string> policies;            ///< dotted OIDs
    std::string ca_issuers_url;           ///< AIA; empty: none
    std::string ocsp_url;
    std::string crl_url;                  ///< empty: none
};

/// The fields of one certificate.
struct CertificateFields {
    CertificateFields() = default;
    core::Bytes serial;  ///< 16 octets, top bit clear, first octet not zero
    core::TimePoint not_before{};
    core::TimePoint not_after{};
    core::Bytes subject_der;  ///< Name; an empty SEQUENCE makes the SAN critical
    core::Bytes spki;
    core::Bytes subject_key_id;
    std::vector<GeneralName> alt_names;
    bool must_staple = false;
    std::string security_identifier;  ///< writes the extension 1.3.6.1.4.1.311.25.2; empty: none
};

class CertificateTemplate {
public:
    CertificateTemplate() = default;
    explicit CertificateTemplate(CertificateShape shape);
    [[nodiscard]] const CertificateShape& shape() const noexcept { return shape_; }
    /// TBSCertificate, version 3 (RFC 5280 §4.1).
    [[nodiscard]] core::Bytes to_be_signed(const CertificateFields& fields) const;

private:
    CertificateShape shape_;
    // DER, filled by the constructor; the order is that of the certificate.
    core::Bytes algorithm_and_issuer_;
    core::Bytes issuer_extension_;     // authorityKeyIdentifier
    core::Bytes usage_extensions_;     // keyUsage, extendedKeyUsage, basicConstraints
    core::Bytes location_extensions_;  // policies, authorityInfoAccess, cRLDistributionPoints
};

/// Certificate or CertificateList around signed content.
core::Bytes assemble_signed(core::BytesView tbs, SignatureAlgorithm algorithm, core::BytesView signature);

struct CrlEntry {
    CrlEntry() = default;
    core::Bytes serial;
    core::TimePoint revoked{};
    unsigned reason = 0;  ///< 0 writes no extension (RFC 5280 §5.3.1)
};
struct CrlFields {
    CrlFields() = default;
    SignatureAlgorithm algorithm = SignatureAlgorithm::ecdsa_sha256;
    core::Bytes issuer_der;
    core::Bytes authority_key_id;
    std::int64_t number = 1;
    core::TimePoint this_update{};
    core::TimePoint next_update{};
    /// When set: a critical issuingDistributionPoint with this URL (shards).
    std::string distribution_point;
    std::vector<CrlEntry> entries;
};
/// TBSCertList, version 2 (RFC 5280 §5.1). An empty list has no revokedCertificates.
core::Bytes crl_to_be_signed(const CrlFields& fields);

}  // namespace postern::crypto
