#include "bench/floor_tls.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <vector>

#include "bench/openssl_handles.hpp"
#include "bench/timing.hpp"

namespace postern::bench {
namespace {

using Cert = std::unique_ptr<X509, Deleter<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Deleter<SSL_free>>;

struct Identity {
    Key key;
    Cert certificate;
};

Identity make_identity(const char* name, const Identity* issuer) {
    Identity made{Key(EVP_EC_gen("P-256")), Cert(X509_new())};
    X509* x = made.certificate.get();
    must(made.key && x != nullptr, "making a key");
    static long serial = 1;
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(issuer != nullptr ? issuer->certificate.get() : x));
    X509_set_pubkey(x, made.key.get());
    if (issuer == nullptr) {
        const std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>> ca(
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE"));
        must(ca && X509_add_ext(x, ca.get(), -1) == 1, "adding basicConstraints");
    }
    must(X509_sign(x, issuer != nullptr ? issuer->key.get() : made.key.get(), EVP_sha256()) > 0, "signing");
    return made;
}

Context make_context(const SSL_METHOD* method, const Identity& own, const Identity& ca, int verify) {
    Context context(SSL_CTX_new(method));
    must(context != nullptr, "making a TLS context");
    SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
    // Resumption would not be a full handshake, and tickets cost the server what it never uses.
    SSL_CTX_set_num_tickets(context.get(), 0);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    must(SSL_CTX_use_certificate(context.get(), own.certificate.get()) == 1, "using the certificate");
    must(SSL_CTX_use_PrivateKey(context.get(), own.key.get()) == 1, "using the key");
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), ca.certificate.get());
    SSL_CTX_set_verify(context.get(), verify, nullptr);
    return context;
}

/// One handshake; returns the time spent inside the server's calls.
std::chrono::nanoseconds handshake(SSL_CTX* server_context, SSL_CTX* client_context) {
    using Clock = ThreadCpuClock;
    std::chrono::nanoseconds spent{0};
    auto begin = Clock::now();
    const Ssl server(SSL_new(server_context));
    spent += Clock::now() - begin;
    const Ssl client(SSL_new(client_context));
    BIO *server_end = nullptr, *client_end = nullptr;
    must(BIO_new_bio_pair(&server_end, 32 * 1024, &client_end, 32 * 1024) == 1, "making a buffer pair");
    SSL_set_bio(server.get(), server_end, server_end);
    SSL_set_bio(client.get(), client_end, client_end);
    for (bool client_done = false, server_done = false; !client_done || !server_done;) {
        if (!client_done) {
            const int got = SSL_connect(client.get());
            client_done = got == 1;
            must(client_done || SSL_get_error(client.get(), got) == SSL_ERROR_WANT_READ, "the client's handshake");
        }
        begin = Clock::now();
        const int got = SSL_accept(server.get());
        spent += Clock::now() - begin;
        server_done = got == 1;
        must(server_done || SSL_get_error(server.get(), got) == SSL_ERROR_WANT_READ, "the server's handshake");
    }
    return spent;
}

}  // namespace

double server_handshake_us(bool mutual) {
    const Identity ca = make_identity("floor CA", nullptr);
    const Identity server = make_identity("floor server", &ca);
    const Identity client = make_identity("floor client", &ca);
    const auto asked = mutual ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE;
    const Context server_context = make_context(TLS_server_method(), server, ca, asked);
    const Context client_context = make_context(TLS_client_method(), client, ca, SSL_VERIFY_PEER);
    std::vector<double> each(201);
    for (auto& us : each)
        us = std::chrono::duration<double, std::micro>(handshake(server_context.get(), client_context.get())).count();
    std::nth_element(each.begin(), each.begin() + 100, each.end());
    return each[100];
}

}  // namespace postern::bench
