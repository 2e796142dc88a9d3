#pragma once
#include <optional>
#include <string>

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/jwk.hpp"
#include "core/json/writer.hpp"

/// Makes the messages that ACME clients make, right ones and wrong ones.
namespace postern::test {

/// The JOSE name that goes with a key.
inline std::string jose_name(const crypto::PrivateKey& key) {
    for (const auto& known : crypto::jose_algorithms())
        if (crypto::fits(known.algorithm, key.public_key())) return std::string(known.name);
    return {};
}

/// What a protected header says; empty members are left out.
struct Header {
    Header() = default;
    std::string alg, kid, jwk, nonce, url;
    std::string extra;  ///< members as JSON, after a comma
    [[nodiscard]] std::string text() const {
        json::Writer w;
        w.begin_object();
        if (!alg.empty()) w.member("alg", alg);
        if (!jwk.empty()) w.key("jwk").raw(jwk);
        if (!kid.empty()) w.member("kid", kid);
        if (!nonce.empty()) w.member("nonce", nonce);
        if (!url.empty()) w.member("url", url);
        w.end_object();
        std::string out = w.take();
        if (!extra.empty()) out.insert(out.size() - 1, "," + extra);
        return out;
    }
};

inline std::string flattened(std::string_view protected_part, std::string_view payload_part, core::BytesView signature) {
    json::Writer w;
    w.begin_object().member("protected", protected_part).member("payload", payload_part);
    w.member("signature", core::base64url(signature)).end_object();
    return w.take();
}

inline std::string sign_jws(const crypto::PrivateKey& key, const Header& header, std::string_view payload) {
    const std::string protected_part = core::base64url(core::as_bytes(header.text()));
    const std::string payload_part = core::base64url(core::as_bytes(payload));
    const auto algorithm = crypto::jose_algorithm(jose_name(key)).value();
    return flattened(protected_part, payload_part,
                     key.sign_jose(algorithm, core::as_bytes(protected_part + "." + payload_part)));
}

/// externalAccountBinding (RFC 8555 §7.3.4).
inline std::string bind_account(crypto::HmacHash hash, core::BytesView mac_key, const Header& header,
                                std::string_view payload) {
    const std::string protected_part = core::base64url(core::as_bytes(header.text()));
    const std::string payload_part = core::base64url(core::as_bytes(payload));
    return flattened(protected_part, payload_part,
                     crypto::hmac(hash, mac_key, core::as_bytes(protected_part + "." + payload_part)));
}

}  // namespace postern::test
