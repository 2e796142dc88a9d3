#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ca/lint.hpp"
#include "core/base/random.hpp"
#include "core/crypto/certificate.hpp"
#include "core/crypto/key.hpp"

namespace postern::ca {

/// A CA whose private key is here: immutable, shared by issuance, CRL signer and routes.
struct Authority {
    Authority() = default;
    std::string key_id;  ///< lower-case hex of the subject key identifier
    bool root = false;
    crypto::Certificate certificate;
    crypto::PrivateKey key;
    core::TimePoint takes_over{};  ///< an issuing CA's; the first one's is 0
    bool withdrawn = false;        ///< before its day: it never takes over, and its CRL goes on

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

struct Hierarchy {
    Hierarchy() = default;
    std::shared_ptr<const Authority> root;
    /// In the order in which they take over, those withdrawn last; never empty.
    std::vector<std::shared_ptr<const Authority>> issuing;
    /// null for an authority that is not ours.
    [[nodiscard]] std::shared_ptr<const Authority> find(std::string_view key_id) const noexcept {
        if (root->key_id == key_id) return root;
        for (const auto& authority : issuing)
            if (authority->key_id == key_id) return authority;
        return nullptr;
    }
    /// Who issues at that time.
    [[nodiscard]] const std::shared_ptr<const Authority>& today(core::TimePoint now) const noexcept {
        std::size_t at = 0;
        while (at + 1 < issuing.size() && issuing[at + 1]->takes_over <= now) ++at;
        return issuing[at];
    }
    /// Who takes over next; null: nobody waits.
    [[nodiscard]] std::shared_ptr<const Authority> successor(core::TimePoint now) const noexcept {
        for (const auto& authority : issuing)
            if (authority->takes_over > now && !authority->withdrawn) return authority;
        return nullptr;
    }
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
