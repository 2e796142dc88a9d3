#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>
#include <stdexcept>

#include "core/dns/resolver.hpp"

namespace dns = postern::dns;
namespace core = postern::core;
namespace asio = boost::asio;
using dns::RecordType;
using Strings = std::vector<std::string>;

namespace {

/// Only answers from the configuration: port 9 of loopback would fail anything that asks.
dns::ResolverConfig deaf() {
    dns::ResolverConfig config;
    config.servers = {"127.0.0.1@9"};
    config.allow_loopback_servers = true;
    return config;
}

template <class T>
T run(asio::io_context& io, core::Task<T> task) {
    auto future = asio::co_spawn(io, std::move(task), asio::use_future);
    io.restart();
    io.run();
    return future.get();
}

Strings addresses(const dns::ResolverConfig& config, std::string name) {
    asio::io_context io(1);
    const auto resolver = dns::make_unbound_resolver(io.get_executor(), config);
    return run(io, dns::addresses(*resolver, std::move(name), core::deadline_in(std::chrono::seconds(10)))).value();
}

/// What the operator reads when this configuration is tried.
std::string complaint(const dns::ResolverConfig& config) {
    asio::io_context io(1);
    try {
        (void)dns::make_unbound_resolver(io.get_executor(), config);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "accepted";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(dns_configuration)

BOOST_AUTO_TEST_CASE(static_hosts_answer_without_asking) {
    auto config = deaf();
    config.static_hosts = {{"Web.Example.COM", "192.0.2.7"}, {"web.example.com", "2001:db8::7"},
                           {"*.apps.example.com", "192.0.2.8"}, {"*.deep.apps.example.com", "192.0.2.9"}};
    BOOST_TEST((addresses(config, "web.example.com.") == Strings{"2001:db8::7", "192.0.2.7"}));
    BOOST_TEST((addresses(config, "A.APPS.example.com") == Strings{"192.0.2.8"}));
    BOOST_TEST((addresses(config, "x.y.z.apps.example.com") == Strings{"192.0.2.8"}));
    BOOST_TEST((addresses(config, "a.deep.apps.example.com") == Strings{"192.0.2.9"}));
    asio::io_context io(1);
    const auto resolver = dns::make_unbound_resolver(io.get_executor(), config);
    for (const auto type : {RecordType::txt, RecordType::caa, RecordType::cname}) {
        const auto answer = run(io, resolver->lookup("web.example.com", type, core::deadline_in(std::chrono::seconds(10))));
        BOOST_TEST(answer.value().rdata.empty());
        BOOST_TEST(!answer.value().nxdomain);
        BOOST_TEST(answer.value().canonical_name == "web.example.com");
    }
}

BOOST_AUTO_TEST_CASE(a_wildcard_does_not_cover_its_own_suffix) {
    auto config = deaf();
    config.static_hosts = {{"*.apps.example.com", "192.0.2.8"}};
    asio::io_context io(1);
    const auto resolver = dns::make_unbound_resolver(io.get_executor(), config);
    const auto answer = run(io, resolver->lookup("apps.example.com", RecordType::a, core::deadline_in(std::chrono::milliseconds(50))));
    BOOST_REQUIRE(answer.has_error());
    BOOST_TEST((answer.error().kind == core::ProblemKind::dns));
}

BOOST_AUTO_TEST_CASE(entries_that_cannot_be_are_named) {
    auto config = deaf();
    config.static_hosts = {{"a..b", "192.0.2.1"}};
    BOOST_TEST(complaint(config) == "static host a..b: \"a..b\" is not a DNS name: it has an empty label");
    config.static_hosts = {{"a.test", "not-an-address"}};
    BOOST_TEST(complaint(config) == "static host a.test: \"not-an-address\" is not an IP address");
    config = deaf();
    config.servers = {"dns.example.com"};
    BOOST_TEST(complaint(config) == "dns: servers: \"dns.example.com\" is not ADDRESS or ADDRESS@PORT");
    config.servers = {"192.0.2.1@x"};
    BOOST_TEST(complaint(config) == "dns: servers: \"192.0.2.1@x\" is not ADDRESS or ADDRESS@PORT");
    config = deaf();
    config.allow_loopback_servers = false;
    BOOST_TEST(complaint(config) ==
               "dns: servers: 127.0.0.1@9 is a loopback address; allow_loopback_servers permits that");
    config = deaf();
    config.stub_zones = {{"bad zone", "127.0.0.1@9"}};
    BOOST_TEST(complaint(config).starts_with("dns: stub zone: \"bad zone\" is not a DNS name: "));
    config = deaf();
    config.trust_anchors = {"example.com. IN DS nonsense"};
    BOOST_TEST(complaint(config).starts_with("dns: libunbound refuses the configuration; are all trust anchors lines like "));
    config.trust_anchors = {"a..b IN DS 1 13 2 00"};
    BOOST_TEST(complaint(config).starts_with("dns: trust anchor \"a..b IN DS 1 13 2 00\": "));
    BOOST_TEST(complaint(deaf()) == "accepted");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(dns_records)

BOOST_AUTO_TEST_CASE(malformed_txt_is_refused) {
    dns::Answer answer;
    answer.canonical_name = "x.test";
    answer.rdata = {{3, 'a', 'b'}};
    BOOST_TEST(dns::txt_strings(answer).error().detail == "a TXT record of x.test ends inside a character-string");
    answer.rdata = {{0}, {}, {1, 'a', 1, 'b'}};
    BOOST_TEST((dns::txt_strings(answer).value() == Strings{"", "", "ab"}));
}

BOOST_AUTO_TEST_CASE(malformed_caa_is_refused) {
    dns::Answer answer;
    answer.canonical_name = "x.test";
    for (const core::Bytes& rdata : {core::Bytes{}, core::Bytes{0}, core::Bytes{0, 0, 'x'}, core::Bytes{0, 5, 'i', 's'}}) {
        answer.rdata = {rdata};
        BOOST_TEST(dns::caa_records(answer).error().detail == "a CAA record of x.test is shorter than its tag");
        BOOST_TEST((dns::caa_records(answer).error().kind == core::ProblemKind::dns));
    }
    answer.rdata = {{0, 2, 'a', '-', 'v'}};
    BOOST_TEST(dns::caa_records(answer).error().detail ==
               "a CAA record of x.test has a tag with other characters than letters and digits");
    answer.rdata = {{1, 5, 'I', 's', 's', 'u', 'E'}};
    BOOST_TEST(dns::caa_records(answer).value().at(0).tag == "issue");
    BOOST_TEST(dns::caa_records(answer).value().at(0).value.empty());
}

BOOST_AUTO_TEST_SUITE_END()
