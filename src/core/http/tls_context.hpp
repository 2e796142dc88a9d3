#pragma once
#include <memory>
#include <string>

#include "core/base/result.hpp"
#include "core/base/secret.hpp"

namespace boost::asio::ssl {
class context;
}

namespace postern::http {

/// What a TLS listener presents. TLS 1.2 (ECDHE + AEAD) and 1.3; no renegotiation, no compression.
/// The certificate can be replaced while running: new handshakes take the new one (SIGHUP).
class TlsContext {
public:
    enum class ClientCertificate { never_asked, requested };

    /// `chain_pem` leaf first; the key is PKCS#8 PEM. `malformed` when they do not fit each other.
    static core::Result<std::shared_ptr<TlsContext>> make(const std::string& chain_pem, const core::SecretText& key_pem,
                                                          ClientCertificate client);
    /// All or nothing: on a Problem the old certificate stays.
    core::Result<void> replace(const std::string& chain_pem, const core::SecretText& key_pem);
    /// Thread safe.
    [[nodiscard]] std::shared_ptr<boost::asio::ssl::context> current() const;
    [[nodiscard]] ClientCertificate client() const noexcept;

    ~TlsContext();

private:
    TlsContext();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::http
