#include <openssl/ssl.h>

#include <boost/test/unit_test.hpp>

#include "core/crypto/handles.hpp"
#include "tests/unit/http/support.hpp"

using namespace postern;
using http::TlsContext;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const std::string get = "GET /who HTTP/1.1\r\nHost: localhost\r\n\r\n";

core::Task<http::Response> who(const http::Request& request) {
    const std::string tls = request.peer.tls ? "tls " : "plain ";
    co_return http::Response(200, "text/plain", tls + std::string(core::as_text(request.peer.client_certificate)));
}

std::shared_ptr<TlsContext> context_of(const test::Identity& identity,
                                       TlsContext::ClientCertificate client = TlsContext::ClientCertificate::never_asked) {
    const auto key = identity.key();
    auto made = TlsContext::make(identity.certificate_pem, key, client);
    BOOST_REQUIRE(made.has_value());
    return *made;
}

void present(SSL_CTX* ctx, const test::Identity& identity) {
    const crypto::BioPtr cert(::BIO_new_mem_buf(identity.certificate_pem.data(), -1));
    const crypto::X509Ptr leaf(::PEM_read_bio_X509(cert.get(), nullptr, nullptr, nullptr));
    ::SSL_CTX_use_certificate(ctx, leaf.get());
    const crypto::BioPtr pem(::BIO_new_mem_buf(identity.key_pem.data(), -1));
    const crypto::PkeyPtr key(::PEM_read_bio_PrivateKey(pem.get(), nullptr, nullptr, nullptr));
    ::SSL_CTX_use_PrivateKey(ctx, key.get());
}

struct Fixture {
    Fixture() { server.router.add(http::Method::get, "/who", http::RouteLimits(), who); }
    test::Identity identity = test::make_identity("server");
    test::TestServer server;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_tls, Fixture)

BOOST_AUTO_TEST_CASE(tls_1_2_and_1_3_are_served) {
    const auto port = server.listen(context_of(identity));
    for (const auto& [version, name] : {std::pair(TLS1_2_VERSION, "TLSv1.2"), std::pair(TLS1_3_VERSION, "TLSv1.3")}) {
        test::RawTlsClient client(port, [v = version](SSL_CTX* ctx) { ::SSL_CTX_set_max_proto_version(ctx, v); });
        BOOST_REQUIRE(client.connected());
        BOOST_TEST(client.version() == name);
        for (int i = 0; i < 3; ++i) {
            client.send(get);
            BOOST_TEST(client.read().body == "tls ");
        }
    }
}

BOOST_AUTO_TEST_CASE(older_versions_and_weak_suites_are_refused) {
    const auto port = server.listen(context_of(identity));
    const test::RawTlsClient old(port, [](SSL_CTX* ctx) {
        ::SSL_CTX_set_security_level(ctx, 0);
        ::SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
        ::SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
    });
    BOOST_TEST(!old.connected());
    for (const char* suites : {"ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-NULL-SHA", "AES128-GCM-SHA256"}) {
        const test::RawTlsClient weak(port, [suites](SSL_CTX* ctx) {
            ::SSL_CTX_set_security_level(ctx, 0);
            ::SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
            ::SSL_CTX_set_cipher_list(ctx, suites);
        });
        BOOST_TEST(!weak.connected(), suites);
    }
}

BOOST_AUTO_TEST_CASE(renegotiation_is_refused) {
    const auto port = server.listen(context_of(identity));
    test::RawTlsClient client(port, [](SSL_CTX* ctx) { ::SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION); });
    BOOST_REQUIRE(client.connected());
    BOOST_TEST(!client.renegotiates());
}

BOOST_AUTO_TEST_CASE(alpn_chooses_http_1_1_and_refuses_a_client_without_it) {
    const auto port = server.listen(context_of(identity));
    const auto offering = [](std::string protocols) {
        return [protocols](SSL_CTX* ctx) {
            ::SSL_CTX_set_alpn_protos(ctx, reinterpret_cast<const unsigned char*>(protocols.data()),
                                      static_cast<unsigned>(protocols.size()));
        };
    };
    const test::RawTlsClient both(port, offering("\x02h2\x08http/1.1"));
    BOOST_TEST(both.alpn() == "http/1.1");
    const test::RawTlsClient only_h2(port, offering("\x02h2"));
    BOOST_TEST(!only_h2.connected());
}

BOOST_AUTO_TEST_CASE(a_client_certificate_reaches_the_handler_unverified) {
    const auto port = server.listen(context_of(identity, TlsContext::ClientCertificate::requested));
    const auto theirs = test::make_identity("client");
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        test::RawTlsClient client(port, [&](SSL_CTX* ctx) {
            ::SSL_CTX_set_max_proto_version(ctx, version);
            present(ctx, theirs);
        });
        client.send(get);
        BOOST_TEST((client.read().body == "tls " + std::string(core::as_text(theirs.certificate_der))));
    }
    test::RawTlsClient without(port);
    without.send(get);
    BOOST_TEST(without.read().body == "tls ");
}

BOOST_AUTO_TEST_CASE(a_client_certificate_is_not_asked_for_elsewhere) {
    const auto port = server.listen(context_of(identity));
    const auto theirs = test::make_identity("client");
    test::RawTlsClient client(port, [&](SSL_CTX* ctx) { present(ctx, theirs); });
    client.send(get);
    BOOST_TEST(client.read().body == "tls ");
}

BOOST_AUTO_TEST_CASE(a_chain_of_twenty_is_refused) {
    const auto port = server.listen(context_of(identity, TlsContext::ClientCertificate::requested));
    const auto theirs = test::make_identity("client");
    test::RawTlsClient client(port, [&](SSL_CTX* ctx) {
        present(ctx, theirs);
        for (int i = 0; i < 20; ++i) {
            const crypto::BioPtr bio(::BIO_new_mem_buf(theirs.certificate_pem.data(), -1));
            const crypto::X509Ptr more(::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
            ::SSL_CTX_add1_chain_cert(ctx, more.get());
        }
    });
    client.send(get);
    BOOST_TEST(client.read().status == 0U);
}

BOOST_AUTO_TEST_CASE(a_replaced_certificate_serves_new_handshakes_and_old_connections_go_on) {
    const auto context = context_of(identity);
    const auto port = server.listen(context);
    test::RawTlsClient before(port);
    BOOST_TEST((before.server_certificate() == identity.certificate_der));
    const auto renewed = test::make_identity("renewed");
    const auto key = renewed.key();
    BOOST_TEST(context->replace(renewed.certificate_pem, key).has_value());
    const test::RawTlsClient after(port);
    BOOST_TEST((after.server_certificate() == renewed.certificate_der));
    before.send(get);
    BOOST_TEST(before.read().status == 200U);
}

BOOST_AUTO_TEST_CASE(a_pair_that_does_not_fit_is_refused_and_changes_nothing) {
    const auto context = context_of(identity);
    const auto kept = context->current();
    const auto other = test::make_identity("other");
    const auto wrong = identity.key();
    const auto mismatch = context->replace(other.certificate_pem, wrong);
    BOOST_REQUIRE(!mismatch);
    BOOST_TEST((mismatch.error().kind == core::ProblemKind::malformed));
    BOOST_TEST(mismatch.error().detail.find("does not belong to") != std::string::npos, mismatch.error().detail);
    const auto junk = context->replace("no pem", wrong);
    BOOST_REQUIRE(!junk);
    BOOST_TEST(junk.error().detail.find("not PEM") != std::string::npos);
    BOOST_TEST(context->current() == kept);
}

BOOST_AUTO_TEST_CASE(plain_http_on_a_tls_port_ends_the_connection) {
    const auto port = server.listen(context_of(identity));
    test::RawClient client(port);
    client.send(get);
    client.end_sending();
    BOOST_TEST(client.read().status == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(http_tls_time_limits)

BOOST_AUTO_TEST_CASE(a_connection_without_a_hello_or_with_half_of_one_is_closed) {
    http::ServerLimits limits;
    limits.handshake = milliseconds(80);
    test::TestServer server(limits);
    const auto port = server.listen(context_of(test::make_identity("server")));
    test::RawClient silent(port);
    BOOST_TEST(silent.at_end());
    test::RawClient half(port);
    half.send(std::string("\x16\x03\x01\x02\x00\x01", 6));
    BOOST_TEST(half.at_end());
}

BOOST_AUTO_TEST_SUITE_END()
