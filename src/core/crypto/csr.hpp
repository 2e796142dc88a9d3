#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/crypto/key.hpp"
#include "core/crypto/name.hpp"

namespace postern::crypto {

/// Which digests a request's signature may use. SHA-1 is for devices that a profile still lets use it, and
/// with RSA only: the signature proves nothing but possession.
enum class CsrDigests { modern, sha1_too };

/// A PKCS #10 request (RFC 2986), read once: fields decoded, key loaded and the proof of possession
/// verified. Identity is never taken from it: these are wishes that policy compares.
class Csr {
public:
    Csr() = default;
    /// Errors: bad_csr (not DER anywhere in it, trailing bytes, duplicate or empty extensions, SHA-1 or MD5 or wrong
    /// signature, doubled extensionRequest, a challengePassword over 16 KiB), bad_public_key (see PublicKey::from_spki).
    /// Cost: one signature verification; RSA and P-256 inline, larger curves on the pool.
    static core::Result<Csr> parse(core::BytesView der, CsrDigests allowed = CsrDigests::modern);

    /// Whether parse() takes 0.1 ms: the request names the curve P-256. Handing it to another thread and back costs a fifth of that.
    static bool is_quick(core::BytesView der) noexcept;

    /// What kept() gave, read again: its signature was judged when it came, and does not cover it any more.
    static core::Result<Csr> parse_kept(core::BytesView kept);
    /// A request whose key somebody else makes: its own key and signature count for nothing (RFC 7030 §4.4.1), and key() is not
    /// valid() where none can be read. Never for an issuance: see remade().
    static core::Result<Csr> parse_for_new_key(core::BytesView der);
    /// The same wishes (subject and extensions, no other attribute) for another key, signed by it.
    [[nodiscard]] core::Bytes remade(const PrivateKey& key) const;

    [[nodiscard]] const core::Bytes& der() const noexcept { return der_; }
    /// What may be stored: der() with asterisks in place of the secrets of its challenges, which may open more than this one door.
    [[nodiscard]] core::Bytes kept() const;
    [[nodiscard]] const PublicKey& key() const noexcept { return key_; }
    [[nodiscard]] const DistinguishedName& subject() const noexcept { return subject_; }
    [[nodiscard]] const std::vector<GeneralName>& alt_names() const noexcept { return alt_names_; }
    /// Dotted OIDs of all requested extensions, in order.
    [[nodiscard]] const std::vector<std::string>& extension_oids() const noexcept { return extension_oids_; }
    /// Dotted OIDs of the purposes in the extendedKeyUsage, empty without one.
    [[nodiscard]] const std::vector<std::string>& extended_key_usage() const noexcept { return extended_key_usage_; }
    /// Dotted OIDs of the attributes that nobody here reads, in order.
    [[nodiscard]] const std::vector<std::string>& unread_attributes() const noexcept { return unread_attributes_; }
    /// RFC 7633 status_request asked for.
    [[nodiscard]] bool must_staple() const noexcept { return must_staple_; }
    /// PKCS #9 challengePassword, empty when absent (SCEP, EST).
    [[nodiscard]] const std::string& challenge_password() const noexcept { return challenge_password_; }
    /// The content of the SET of attributes: request_attributes.hpp reads what only some protocols ask for.
    [[nodiscard]] core::BytesView attributes() const noexcept { return core::BytesView(der_).subspan(attributes_at_, attributes_size_); }

private:
    enum class Judged { key_and_signature, key, nothing };
    static core::Result<Csr> read(core::BytesView der, Judged judged, CsrDigests allowed);
    /// Fills what the extensions ask for; a refusal, or nothing.
    std::optional<core::Problem> read_requested(core::BytesView extensions_der);

    core::Bytes der_;
    PublicKey key_;
    DistinguishedName subject_;
    std::vector<GeneralName> alt_names_;
    std::vector<std::string> extension_oids_, extended_key_usage_, unread_attributes_;
    bool must_staple_ = false;
    std::string challenge_password_;
    std::size_t attributes_at_ = 0, attributes_size_ = 0;  ///< what is in the SET of attributes, in der_
};

/// Makes a signed request, for Postern's own certificates, tests and bench.
core::Bytes make_csr(const PrivateKey& key, const DistinguishedName& subject, const std::vector<GeneralName>& names);

}  // namespace postern::crypto
