#include "core/http/tls_context.hpp"

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <array>
#include <boost/asio/ssl/context.hpp>
#include <mutex>

#include "core/crypto/handles.hpp"

namespace postern::http {
namespace {

using Native = std::shared_ptr<boost::asio::ssl::context>;

/// ALPN: http/1.1 when offered; a client that speaks only other protocols is told so (RFC 7301 §3.2).
int select_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* offered,
                    unsigned int length, void*) {
    static constexpr std::array<unsigned char, 9> ours{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* chosen = nullptr;
    const int outcome = ::SSL_select_next_proto(&chosen, out_length, ours.data(), ours.size(), offered, length);
    if (outcome != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

constexpr int chain_depth = 10;
constexpr long chain_bytes = 64 * 1024;

/// Whoever holds the key of the certificate may come in: who they are is judged later, against
/// what the registration authority knows. Only the amount is bounded here (H13).
int accept_any_certificate(X509_STORE_CTX* context, void*) {
    const bool fits = ::sk_X509_num(::X509_STORE_CTX_get0_untrusted(context)) <= chain_depth;
    ::X509_STORE_CTX_set_error(context, fits ? X509_V_OK : X509_V_ERR_CERT_CHAIN_TOO_LONG);
    return fits ? 1 : 0;
}

/// Never asked: a PEM file with a passphrase must fail instead of prompting on a terminal.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

core::Problem malformed(std::string what) {
    return core::Problem(core::ProblemKind::malformed, crypto::last_error(what));
}

void harden(SSL_CTX* ctx, TlsContext::ClientCertificate client) {
    ::SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    ::SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION);
    ::SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA);
    ::SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    ::SSL_CTX_set_max_early_data(ctx, 0);
    if (::SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!PSK") != 1 ||
        ::SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") != 1)
        crypto::fail("cannot set the TLS algorithms");
    // Session ids need a context of their own where client certificates are asked for.
    static constexpr std::array<unsigned char, 7> session_context{'p', 'o', 's', 't', 'e', 'r', 'n'};
    ::SSL_CTX_set_session_id_context(ctx, session_context.data(), session_context.size());
    ::SSL_CTX_set_alpn_select_cb(ctx, select_protocol, nullptr);
    // Sessions live in tickets; a server-side cache would only grow with strangers.
    ::SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    ::SSL_CTX_set_num_tickets(ctx, 1);
    if (client == TlsContext::ClientCertificate::never_asked) return;
    ::SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
    ::SSL_CTX_set_verify_depth(ctx, chain_depth);
    ::SSL_CTX_set_max_cert_list(ctx, chain_bytes);
    ::SSL_CTX_set_cert_verify_callback(ctx, accept_any_certificate, nullptr);
    // A resumed session would answer with the certificate of an earlier handshake.
    ::SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    ::SSL_CTX_set_num_tickets(ctx, 0);
}

core::Result<void> load_chain(SSL_CTX* ctx, const std::string& pem) {
    const crypto::BioPtr bio(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const crypto::X509Ptr leaf(::PEM_read_bio_X509_AUX(bio.get(), nullptr, no_passphrase, nullptr));
    if (!leaf) return malformed("the TLS certificate is not PEM");
    if (::SSL_CTX_use_certificate(ctx, leaf.get()) != 1) return malformed("the TLS certificate cannot be used");
    ::SSL_CTX_clear_chain_certs(ctx);
    while (crypto::X509Ptr issuer{::PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)}) {
        if (::SSL_CTX_add1_chain_cert(ctx, issuer.get()) != 1) return malformed("the TLS chain cannot be used");
    }
    // The loop ends with "no start line" in OpenSSL's queue, which is the end of the file.
    const auto error = ::ERR_peek_last_error();
    if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE)
        return malformed("a certificate of the TLS chain is not PEM");
    ::ERR_clear_error();
    return {};
}

core::Result<Native> build(const std::string& chain_pem, const core::SecretText& key_pem,
                           TlsContext::ClientCertificate client) {
    auto native = std::make_shared<boost::asio::ssl::context>(boost::asio::ssl::context::tls_server);
    SSL_CTX* ctx = native->native_handle();
    harden(ctx, client);
    if (auto loaded = load_chain(ctx, chain_pem); !loaded) return loaded.error();
    const std::string& pem = key_pem.expose();
    const crypto::BioPtr bio(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const crypto::PkeyPtr key(::PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
    if (!key) return malformed("the TLS private key is not an unencrypted PKCS#8 PEM");
    if (::SSL_CTX_use_PrivateKey(ctx, key.get()) != 1 || ::SSL_CTX_check_private_key(ctx) != 1)
        return malformed("the TLS private key does not belong to the first certificate of the chain");
    return native;
}

}  // namespace

struct TlsContext::Impl {
    ClientCertificate client = ClientCertificate::never_asked;
    mutable std::mutex mutex;
    Native native;
};

TlsContext::TlsContext() : impl_(std::make_unique<Impl>()) {}
TlsContext::~TlsContext() = default;

core::Result<std::shared_ptr<TlsContext>> TlsContext::make(const std::string& chain_pem,
                                                           const core::SecretText& key_pem,
                                                           ClientCertificate client) {
    std::shared_ptr<TlsContext> made(new TlsContext());
    made->impl_->client = client;
    if (auto loaded = made->replace(chain_pem, key_pem); !loaded) return loaded.error();
    return made;
}

core::Result<void> TlsContext::replace(const std::string& chain_pem, const core::SecretText& key_pem) {
    auto native = build(chain_pem, key_pem, impl_->client);
    if (!native) return native.error();
    const std::lock_guard lock(impl_->mutex);
    impl_->native = std::move(*native);
    return {};
}

std::shared_ptr<boost::asio::ssl::context> TlsContext::current() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->native;
}

TlsContext::ClientCertificate TlsContext::client() const noexcept { return impl_->client; }

}  // namespace postern::http
