#pragma once
#include <vector>

#include "core/crypto/cms_algorithms.hpp"
#include "core/crypto/cms_certificate.hpp"

namespace postern::crypto {

/// A CMS SignedData over id-data with signed attributes (RFC 5652 §5), read from BER or DER. Nothing
/// that it says is proven before verify().
///
/// Bounds: 256 KiB, 16 certificates, 8 signers, 32 attributes. Unsigned attributes and CRLs are not
/// looked at. No OpenSSL decoder sees the message.
class CmsSignedData {
public:
    CmsSignedData() = default;
    /// `malformed` with what is wrong. An algorithm that is not supported is no error yet, nor is a
    /// second signer, so that a refusal can be addressed: verify() refuses them.
    static core::Result<CmsSignedData> parse(core::BytesView message);

    /// Nothing when eContent is absent, as it is in a SCEP refusal.
    [[nodiscard]] const std::optional<core::Bytes>& content() const noexcept { return content_; }
    [[nodiscard]] const std::string& digest_oid() const noexcept { return digest_oid_; }
    /// Nothing for what is not supported.
    [[nodiscard]] std::optional<CmsDigest> digest() const noexcept { return cms_digest_from(digest_oid_); }
    /// All certificates of the bag, in order, unread.
    [[nodiscard]] const std::vector<core::Bytes>& certificates() const noexcept { return certificates_; }

    /// The content of the one value of the one signed attribute of that type. `not_found` when it is
    /// absent; `malformed` when it is there twice (A9), has not exactly one value, or its value has
    /// another tag.
    [[nodiscard]] core::Result<core::Bytes> attribute(std::string_view oid, std::uint8_t tag) const;

    /// Who signed: exactly one signer, whose certificate is the one in the bag under whose key the
    /// signature verifies, not the first with that name (A8).
    /// Cost: one public-key operation for each of at most two certificates of that name.
    /// Errors: unsupported (an algorithm), bad_public_key (a signer's key that is too small or weak),
    /// unauthenticated (no or several signers, no certificate, wrong digest or signature).
    [[nodiscard]] core::Result<CmsParty> verify() const;

private:
    struct Attribute {
        std::string oid;
        core::Bytes values;  ///< content of the SET
    };
    static core::Result<std::vector<core::Bytes>> read_certificates(core::BytesView bag);
    std::optional<core::Problem> read_signer(core::BytesView content);
    std::optional<core::Problem> read_attributes(core::BytesView content);

    std::optional<core::Bytes> content_;
    std::vector<core::Bytes> certificates_;
    std::size_t signers_ = 0;
    // Of the first signer:
    CmsIdentifier signer_;
    std::string digest_oid_, signature_oid_;
    core::Bytes signed_octets_;  ///< the attributes as the SET OF that is signed
    std::vector<Attribute> attributes_;
    core::Bytes signature_;
};

}  // namespace postern::crypto
