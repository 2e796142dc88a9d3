#include "est/proxies.hpp"

#include <boost/test/unit_test.hpp>

#include "core/base/encoding.hpp"

using namespace postern;

namespace {

const core::Bytes proxy(40, 0x31), device(50, 0x32), issuer(60, 0x33);

std::string item(const core::Bytes& der) { return ":" + core::base64(der) + ":"; }

http::Request from(const core::Bytes& certificate, http::Headers headers) {
    http::Request request;
    request.peer.client_certificate = certificate;
    auto facts = std::make_shared<http::TlsFacts>();
    facts->exporter = core::Bytes(32, 1);
    facts->unique = core::Bytes(12, 1);
    request.peer.tls_facts = std::move(facts);
    request.headers = std::move(headers);
    return request;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(est_proxies)

BOOST_AUTO_TEST_CASE(a_proxy_says_who_is_behind_it) {
    const est::Proxies known({proxy});
    const auto seen = known.behind(from(proxy, {{"CLIENT-Cert", " " + item(device)}, {"Client-Cert-Chain", item(issuer) + " , " + item(proxy)}, {"client-cert-chain", item(device)}}));
    BOOST_TEST_REQUIRE((seen.has_value() && seen->has_value()));
    const auto& peer = **seen;
    BOOST_TEST((peer.client_certificate == device));
    BOOST_TEST_REQUIRE(peer.tls_facts->sent.size() == 3U);
    BOOST_TEST((peer.tls_facts->sent[0] == issuer && peer.tls_facts->sent[1] == proxy && peer.tls_facts->sent[2] == device));
    BOOST_TEST((peer.tls_facts->exporter.empty() && peer.tls_facts->unique.empty()));  // those of the proxy's own connection bind nobody
}

BOOST_AUTO_TEST_CASE(its_own_certificate_is_nobodys) {
    const auto seen = est::Proxies({proxy}).behind(from(proxy, {}));
    BOOST_TEST_REQUIRE((seen.has_value() && seen->has_value()));
    BOOST_TEST((*seen)->client_certificate.empty());
}

BOOST_AUTO_TEST_CASE(nobody_else_is_listened_to) {
    const http::Headers said{{"Client-Cert", item(device)}};
    for (const auto& certificate : {core::Bytes(), device, issuer}) {
        const auto seen = est::Proxies({proxy}).behind(from(certificate, said));
        BOOST_TEST((seen.has_value() && !seen->has_value()));
    }
    BOOST_TEST(!est::Proxies().behind(from(proxy, said))->has_value());
    BOOST_TEST(!est::Proxies(std::vector<core::Bytes>(1)).behind(from({}, said))->has_value());
}

BOOST_AUTO_TEST_CASE(what_a_proxy_gets_wrong_is_refused) {
    const est::Proxies known({proxy});
    std::string many = item(issuer);
    for (int i = 0; i < 10; ++i) many += "," + item(issuer);
    for (const auto& headers : std::vector<http::Headers>{{{"Client-Cert", core::base64(device)}},
                                                          {{"Client-Cert", "::"}},
                                                          {{"Client-Cert", ":"}},
                                                          {{"Client-Cert", ""}},
                                                          {{"Client-Cert", ":!:"}},
                                                          {{"Client-Cert", item(device)}, {"Client-Cert", item(device)}},
                                                          {{"Client-Cert-Chain", item(issuer)}},
                                                          {{"Client-Cert", item(device)}, {"Client-Cert-Chain", item(issuer) + ",," + item(issuer)}},
                                                          {{"Client-Cert", item(device)}, {"Client-Cert-Chain", many}}}) {
        const auto seen = known.behind(from(proxy, headers));
        BOOST_TEST_REQUIRE(!seen.has_value());
        BOOST_TEST((seen.error().kind == core::ProblemKind::malformed && seen.error().check == "est.proxy"));
    }
}

BOOST_AUTO_TEST_SUITE_END()
