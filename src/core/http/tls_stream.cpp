#include "core/http/tls_stream.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/context.hpp>

#include "core/crypto/handles.hpp"

namespace postern::http {
namespace asio = boost::asio;

namespace {

using SslPtr = std::unique_ptr<SSL, crypto::Deleter<::SSL_free>>;
using Context = std::shared_ptr<asio::ssl::context>;

class OpenSslStream final : public TlsStream {
public:
    OpenSslStream(Socket& socket, Context context, SslPtr ssl)
        : socket_(socket), context_(std::move(context)), ssl_(std::move(ssl)) {
        crypto::BioPtr in(::BIO_new(::BIO_s_mem()));
        crypto::BioPtr out(::BIO_new(::BIO_s_mem()));
        if (!in || !out) crypto::fail("no memory for a TLS connection");
        in_ = in.get();
        out_ = out.get();
        // An empty input buffer means "more to come", not the end.
        BIO_set_mem_eof_return(in_, -1);
        ::SSL_set_bio(ssl_.get(), in.release(), out.release());
    }

    core::Task<bool> handshake() override {
        for (;;) {
            ::ERR_clear_error();
            const int outcome = ::SSL_do_handshake(ssl_.get());
            const int state = ::SSL_get_error(ssl_.get(), outcome);
            if (outcome != 1) note_failure(state);
            // Sent after a failure too: the alert tells the peer why.
            const ErrorCode sent = co_await flush();
            if (outcome == 1 && !sent) co_return true;
            if (state != SSL_ERROR_WANT_READ || sent) co_return false;
            const ErrorCode fed = co_await feed();
            if (fed) {
                if (reason_.empty()) reason_ = fed == asio::error::eof ? "the peer closed the connection" : fed.message();
                co_return false;
            }
        }
    }

    core::Task<Received> read_some(std::span<char> into) override {
        for (;;) {
            Received got;
            ::ERR_clear_error();
            const int outcome = ::SSL_read_ex(ssl_.get(), into.data(), into.size(), &got.bytes);
            const int state = ::SSL_get_error(ssl_.get(), outcome);
            if (outcome != 1) got.error = failure(state);
            ::ERR_clear_error();
            // A read may owe the peer an answer (key update, alert).
            if (has_output()) {
                const ErrorCode sent = co_await flush();
                if (sent && !got.error) got.error = sent;
            }
            if (got.bytes > 0 || got.error != asio::error::would_block) co_return got;
            got.error = co_await feed();
            if (got.error) co_return got;
        }
    }

    core::Task<ErrorCode> write(std::string_view data) override {
        // In parts, so that a large answer is not held a second time as ciphertext.
        ErrorCode error;
        while (!data.empty() && !error) {
            const std::string_view part = data.substr(0, part_bytes);
            data.remove_prefix(part.size());
            error = encrypt(part);
            if (!error) error = co_await flush();
        }
        co_return error;
    }

    core::Task<void> shutdown() override {
        ::ERR_clear_error();
        if (::SSL_is_init_finished(ssl_.get()) == 1) ::SSL_shutdown(ssl_.get());
        ::ERR_clear_error();
        co_await flush();
        socket_.shutdown_send();
    }

    [[nodiscard]] const std::string& reason() const noexcept override { return reason_; }

    [[nodiscard]] core::Bytes peer_certificate() const override {
        const X509* leaf = ::SSL_get0_peer_certificate(ssl_.get());
        return leaf == nullptr ? core::Bytes() : encoded(leaf);
    }

    [[nodiscard]] TlsFacts facts() const override {
        TlsFacts out;
        out.tls_1_3 = ::SSL_version(ssl_.get()) >= TLS1_3_VERSION;
        // OpenSSL 3.0 answers 0 in TLS 1.3, whose key schedule has it built in.
        out.extended_master_secret = !out.tls_1_3 && SSL_get_extms_support(ssl_.get()) == 1;
        // A server's list leaves the leaf out.
        const STACK_OF(X509)* sent = ::SSL_get_peer_cert_chain(ssl_.get());
        for (int i = 0; i < ::sk_X509_num(sent); ++i) out.sent.push_back(encoded(sk_X509_value(sent, i)));
        if (!out.tls_1_3) out.unique = first_finished();
        if (out.tls_1_3 || out.extended_master_secret) out.exporter = channel_binding();
        return out;
    }

    [[nodiscard]] std::string alpn() const override {
        const unsigned char* name = nullptr;
        unsigned length = 0;
        ::SSL_get0_alpn_selected(ssl_.get(), &name, &length);
        return std::string(reinterpret_cast<const char*>(name), length);
    }

private:
    static core::Bytes encoded(const X509* certificate) {
        const int size = ::i2d_X509(certificate, nullptr);
        if (size <= 0) crypto::fail("cannot encode the peer's certificate");
        core::Bytes der(static_cast<std::size_t>(size));
        unsigned char* end = der.data();
        ::i2d_X509(certificate, &end);
        return der;
    }

    /// The client's, since no session is resumed where it is asked for.
    [[nodiscard]] core::Bytes first_finished() const {
        std::array<unsigned char, EVP_MAX_MD_SIZE> finished{};
        const std::size_t size = ::SSL_session_reused(ssl_.get()) == 1 ? ::SSL_get_finished(ssl_.get(), finished.data(), finished.size())
                                                                       : ::SSL_get_peer_finished(ssl_.get(), finished.data(), finished.size());
        return {finished.begin(), finished.begin() + static_cast<std::ptrdiff_t>(std::min(size, finished.size()))};
    }

    /// RFC 9266 §2. With a context of no length: in TLS 1.2 that is not the same as none.
    [[nodiscard]] core::Bytes channel_binding() const {
        static constexpr std::string_view label = "EXPORTER-Channel-Binding";
        static constexpr unsigned char no_context = 0;
        core::Bytes out(32);
        if (::SSL_export_keying_material(ssl_.get(), out.data(), out.size(), label.data(), label.size(), &no_context, 0, 1) != 1)
            crypto::fail("cannot export the channel binding");
        return out;
    }

    /// Memory takes everything at once, and renegotiation is off: no want-read in between.
    ErrorCode encrypt(std::string_view data) {
        std::size_t written = 0;
        ::ERR_clear_error();
        if (::SSL_write_ex(ssl_.get(), data.data(), data.size(), &written) == 1) return {};
        ::ERR_clear_error();
        return asio::error::broken_pipe;
    }

    [[nodiscard]] bool has_output() const { return ::BIO_ctrl_pending(out_) > 0; }

    /// Sends what OpenSSL has put into its output buffer. Taken out of it by reading: a reset would
    /// clear the whole memory that the largest answer ever needed.
    core::Task<ErrorCode> flush() {
        const std::size_t size = ::BIO_ctrl_pending(out_);
        if (size == 0) co_return ErrorCode();
        pending_.resize(size);
        ::BIO_read(out_, pending_.data(), static_cast<int>(size));
        const ErrorCode error = co_await socket_.write(pending_);
        if (pending_.capacity() > kept_output) pending_ = std::string();
        co_return error;
    }

    /// Moves what has arrived into OpenSSL's input buffer, waiting for it when there is none.
    core::Task<ErrorCode> feed() {
        if (drained_) {
            drained_ = false;
            const ErrorCode woken = co_await socket_.wait_readable();
            if (woken) co_return woken;
        }
        for (;;) {
            const ErrorCode taken = take();
            if (taken != asio::error::would_block) co_return taken;
            const ErrorCode woken = co_await socket_.wait_readable();
            if (woken) co_return woken;
        }
    }

    /// Not a coroutine: the buffer is on the stack, so that idle connections hold none.
    ErrorCode take() {
        std::array<char, 17 * 1024> arrived;
        ErrorCode error;
        const std::size_t n = socket_.receive(arrived, error);
        if (n == 0) return error;
        drained_ = n < arrived.size();
        if (::BIO_write(in_, arrived.data(), static_cast<int>(n)) != static_cast<int>(n))
            return asio::error::no_memory;
        return {};
    }

    static ErrorCode failure(int state) noexcept {
        if (state == SSL_ERROR_WANT_READ) return asio::error::would_block;
        if (state == SSL_ERROR_ZERO_RETURN) return asio::error::eof;
        return asio::error::connection_reset;
    }

    void note_failure(int state) {
        if (state == SSL_ERROR_WANT_READ) return;
        const long verified = ::SSL_get_verify_result(ssl_.get());
        if (verified != X509_V_OK) {
            ::ERR_clear_error();
            reason_ = std::string("the certificate was refused: ") + ::X509_verify_cert_error_string(verified);
        } else {
            reason_ = crypto::last_error("TLS handshake");
        }
    }

    Socket& socket_;
    Context context_;
    SslPtr ssl_;
    BIO* in_ = nullptr;   // both owned by ssl_
    BIO* out_ = nullptr;
    static constexpr std::size_t part_bytes = 128 * 1024;
    static constexpr std::size_t kept_output = 16 * 1024;
    std::string pending_;
    std::string reason_;
    bool drained_ = false;
};

SslPtr session_of(const Context& context) {
    SslPtr ssl(::SSL_new(context->native_handle()));
    if (!ssl) crypto::fail("no memory for a TLS connection");
    return ssl;
}

core::Problem tls_problem(std::string_view what) {
    return core::Problem(core::ProblemKind::tls, crypto::last_error(what));
}

/// `pem` may hold several anchors.
bool trust(SSL_CTX* ctx, const std::string& pem) {
    const crypto::BioPtr bio(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    X509_STORE* store = ::SSL_CTX_get_cert_store(ctx);
    int added = 0;
    while (const crypto::X509Ptr anchor{::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)})
        if (::X509_STORE_add_cert(store, anchor.get()) == 1) ++added;
    if (added > 0) ::ERR_clear_error();
    return added > 0;
}

bool check_name(SSL* ssl, const std::string& name) {
    X509_VERIFY_PARAM* param = ::SSL_get0_param(ssl);
    if (::X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str()) == 1) return true;
    ::ERR_clear_error();
    ::X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return ::X509_VERIFY_PARAM_set1_host(param, name.c_str(), name.size()) == 1;
}

bool is_address(const std::string& name) {
    const std::unique_ptr<ASN1_OCTET_STRING, crypto::Deleter<::ASN1_OCTET_STRING_free>> octets(
        ::a2i_IPADDRESS(name.c_str()));
    ::ERR_clear_error();
    return octets != nullptr;
}

}  // namespace

std::unique_ptr<TlsStream> tls_server_stream(Socket& socket, std::shared_ptr<asio::ssl::context> context) {
    SslPtr ssl = session_of(context);
    ::SSL_set_accept_state(ssl.get());
    return std::make_unique<OpenSslStream>(socket, std::move(context), std::move(ssl));
}

core::Result<std::unique_ptr<TlsStream>> tls_client_stream(Socket& socket, const Target& target) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    SSL_CTX* ctx = context->native_handle();
    ::SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    ::SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    if (target.verify) {
        const bool trusted = target.ca_pem.empty() ? ::SSL_CTX_set_default_verify_paths(ctx) == 1 : trust(ctx, target.ca_pem);
        if (!trusted) return tls_problem("there is no usable trust anchor");
        ::SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
    }
    SslPtr ssl = session_of(context);
    const std::string& name = target.server_name.empty() ? target.address : target.server_name;
    if (target.verify && !check_name(ssl.get(), name)) return tls_problem("the server name cannot be checked");
    // RFC 6066 §3: server names are names, never addresses.
    if (!target.server_name.empty() && !is_address(target.server_name) &&
        SSL_set_tlsext_host_name(ssl.get(), target.server_name.c_str()) != 1)
        return tls_problem("the server name cannot be sent");
    if (!target.alpn.empty()) {
        std::string offered(1, static_cast<char>(target.alpn.size()));
        offered += target.alpn;
        const auto* bytes = reinterpret_cast<const unsigned char*>(offered.data());
        if (::SSL_set_alpn_protos(ssl.get(), bytes, static_cast<unsigned>(offered.size())) != 0)
            return tls_problem("the ALPN protocol cannot be offered");
    }
    ::SSL_set_connect_state(ssl.get());
    return std::unique_ptr<TlsStream>(
        std::make_unique<OpenSslStream>(socket, std::move(context), std::move(ssl)));
}

}  // namespace postern::http
