#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ca/lint.hpp"
#include "core/base/random.hpp"
#include "core/crypto/certificate.hpp"
#include "core/crypto/key.hpp"

namespace postern::ca {

/// A CA whose private key is here, unless it ended and the key was lost: immutable, shared by issuance, CRL signer and routes.
struct Authority {
    Authority() = default;
    std::string key_id;  ///< lower-case hex of the subject key identifier
    std::string issuer_id;  ///< the root above it; a root's own
    bool root = false;
    crypto::Certificate certificate;
    crypto::PrivateKey key;
    core::TimePoint takes_over{};  ///< the first one's is 0; a root's is that of the first issuing CA under it
    bool withdrawn = false;        ///< before its day: it never takes over, and its CRL goes on

    [[nodiscard]] bool can_sign() const noexcept { return key.native() != nullptr; }
    [[nodiscard]] IssuerFacts facts() const {
        IssuerFacts out;
        out.subject_der = certificate.subject_der();
        out.subject_key_id = certificate.subject_key_id();
        out.algorithm = key.default_algorithm();
        out.not_before = certificate.not_before();
        out.not_after = certificate.not_after();
        return out;
    }
};

/// What one root says of another's key (RFC 4210 §4.4): NewWithOld where the issuer is the older one, else OldWithNew.
struct CrossCertificate {
    CrossCertificate() = default;
    std::string subject_id, issuer_id;  ///< key ids of roots
    crypto::Certificate certificate;
};

struct Hierarchy {
    using Member = std::shared_ptr<const Authority>;
    Hierarchy() = default;
    /// In the order in which they take over, those withdrawn last; never empty.
    std::vector<Member> roots;
    /// The same.
    std::vector<Member> issuing;
    std::vector<std::shared_ptr<const CrossCertificate>> crossed;  ///< of `roots`: every NewWithOld, then every OldWithNew

    /// null for an authority that is not ours.
    [[nodiscard]] Member find(std::string_view key_id) const noexcept;
    /// Who issues at that time.
    [[nodiscard]] const Member& today(core::TimePoint now) const noexcept;
    /// Who takes over next; null: nobody waits.
    [[nodiscard]] Member successor(core::TimePoint now) const noexcept;
    /// How many issuing CAs were withdrawn.
    [[nodiscard]] std::size_t withdrawn() const noexcept;
    /// At the end of its path; a root's is itself.
    [[nodiscard]] Member root_of(const Authority& authority) const noexcept { return find(authority.issuer_id); }
    [[nodiscard]] Member root(core::TimePoint now) const noexcept { return root_of(*today(now)); }
    /// That a client may trust at that time or learn of: the one of today last, and always.
    [[nodiscard]] std::vector<Member> trusted(core::TimePoint now) const;
    /// What such roots say of one another.
    [[nodiscard]] std::vector<std::shared_ptr<const CrossCertificate>> crossed_at(core::TimePoint now) const;
    /// By which clients that know an older root alone come to this one, as long as they can: in the order of a path, which ends below
    /// the oldest.
    [[nodiscard]] std::vector<std::shared_ptr<const CrossCertificate>> way_from_older(const Authority& root, core::TimePoint now) const;
    /// By which clients that know a newer root alone come to this one: the first ends below the next that took over, and so on.
    [[nodiscard]] std::vector<std::shared_ptr<const CrossCertificate>> way_to_newer(const Authority& root, core::TimePoint now) const;
};

/// URLs that certificates carry; they outlive ports and hosts (design §11).
inline std::string ca_issuers_url(const std::string& public_http, const std::string& key_id) {
    return public_http + "/ca/" + key_id + ".cer";
}
inline std::string crl_url(const std::string& public_http, const std::string& key_id) {
    return public_http + "/crl/" + key_id + "/0.crl";
}

/// P-256 and Ed25519 sign in some 20 to 60 µs; anything else belongs on the pool (design §6).
inline bool signs_inline(const crypto::PrivateKey& key) {
    const auto type = key.public_key().type();
    return type == crypto::KeyType::ec_p256 || type == crypto::KeyType::ed25519;
}

/// 16 random octets, top bit clear, first octet not zero: always 16 octets of DER content.
core::Bytes random_serial(core::Random& random);

}  // namespace postern::ca
