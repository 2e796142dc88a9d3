#include "core/dns/resolver.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <future>
#include <ostream>
#include <stdexcept>

#include "core/async/deadline.hpp"
#include "core/async/shards.hpp"
#include "tests/support/none_left.hpp"
#include "tests/unit/dns/authority.hpp"

namespace dns = postern::dns;
namespace core = postern::core;
namespace asio = boost::asio;
using namespace std::chrono_literals;
using dns::RecordType;

namespace {

std::string anchor(const std::string& zone) {
    std::ifstream in(std::string(POSTERN_TEST_DATA) + "/dns/" + zone + ".ds");
    std::string line;
    std::getline(in, line);
    return line;
}

/// One authority for the suite: it takes a moment to start.
struct Servers {
    static Servers*& current() {
        static Servers* servers = nullptr;
        return servers;
    }
    Servers() { current() = this; }
    ~Servers() { current() = nullptr; }
    postern::test::Authority authority;
    postern::test::SilentServer silent;
};

/// Everything in these tests that is not below a stub zone goes to the silent server: no test asks
/// the world.
dns::ResolverConfig configuration() {
    const Servers& servers = *Servers::current();
    dns::ResolverConfig config;
    config.allow_loopback_servers = true;
    config.servers = {servers.silent.address()};
    for (const auto* zone : {"plain.test", "signed.test", "bogus.test", "refused.test"}) {
        config.stub_zones[zone] = servers.authority.address();
    }
    config.stub_zones["silent.test"] = servers.silent.address();
    config.trust_anchors = {anchor("signed.test"), anchor("bogus.test")};
    return config;
}

/// A resolver on the one executor of the test.
struct Rig {
    explicit Rig(const dns::ResolverConfig& config) : resolver(dns::make_unbound_resolver(io.get_executor(), config)) {}
    Rig() : Rig(configuration()) {}

    template <class T>
    T run(core::Task<T> task) {
        auto future = asio::co_spawn(io, std::move(task), asio::use_future);
        io.restart();
        io.run();
        return future.get();
    }
    core::Result<dns::Answer> look(std::string name, RecordType type, core::Deadline at = core::deadline_in(10s)) {
        return run(resolver->lookup(std::move(name), type, at));
    }
    core::Result<std::vector<std::string>> addresses(std::string name) {
        return run(dns::addresses(*resolver, std::move(name), core::deadline_in(10s)));
    }
    asio::io_context io{1};
    std::unique_ptr<dns::Resolver> resolver;
};

template <class T>
std::string refusal(const core::ResultOf<T>& result) {
    BOOST_REQUIRE(result.has_error());
    BOOST_TEST((result.error().kind == core::ProblemKind::dns));
    return result.error().detail;
}

template <class T>
std::vector<T> sorted(std::vector<T> values) {
    std::sort(values.begin(), values.end());
    return values;
}

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(Servers);

BOOST_AUTO_TEST_SUITE(dns_resolver)

BOOST_AUTO_TEST_CASE(addresses_of_both_families_come_with_v6_first) {
    Rig rig;
    const auto found = rig.addresses("www.plain.test");
    BOOST_REQUIRE(found.has_value());
    BOOST_REQUIRE_EQUAL(found->size(), 3U);
    BOOST_TEST(found->front() == "2001:db8::1");
    BOOST_TEST((sorted(*found) == std::vector<std::string>{"192.0.2.1", "192.0.2.2", "2001:db8::1"}));
    BOOST_TEST((rig.addresses("v4only.plain.test").value() == std::vector<std::string>{"192.0.2.4"}));
    BOOST_TEST(rig.addresses("gone.plain.test").value().empty());
    BOOST_TEST(rig.addresses("_acme-challenge.plain.test").value().empty());
    BOOST_TEST(refusal(rig.addresses("www.refused.test")).starts_with("the look-up of A for www.refused.test was answered with "));
}

BOOST_AUTO_TEST_CASE(a_look_up_without_a_descriptor_says_nothing_about_the_name) {
    Rig rig;
    BOOST_TEST(rig.addresses("v4only.plain.test").has_value());  // the helper thread runs
    {
        const postern::test::NoneLeft none;
        const auto refused = rig.addresses("www.plain.test");
        BOOST_REQUIRE(refused.has_error());
        BOOST_TEST((refused.error().kind == core::ProblemKind::unavailable));
    }
    Rig later;  // libunbound remembers a server that it could not ask for a while
    BOOST_TEST(later.addresses("www.plain.test").has_value());
}

BOOST_AUTO_TEST_CASE(txt_records_are_joined_one_string_each) {
    Rig rig;
    const auto answer = rig.look("_acme-challenge.plain.test", RecordType::txt);
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST((sorted(dns::txt_strings(*answer).value()) == std::vector<std::string>{"one-two", "second"}));
    const auto bytes = dns::txt_strings(rig.look("bytes.plain.test", RecordType::txt).value()).value();
    BOOST_REQUIRE_EQUAL(bytes.size(), 1U);
    BOOST_TEST(bytes[0] == std::string("\0\xFF\"", 3));
}

BOOST_AUTO_TEST_CASE(caa_records_are_read_with_lower_case_tags) {
    Rig rig;
    auto records = dns::caa_records(rig.look("plain.test", RecordType::caa).value()).value();
    BOOST_REQUIRE_EQUAL(records.size(), 2U);
    std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) { return a.flags < b.flags; });
    BOOST_TEST(records[0].tag == "issue");
    BOOST_TEST(records[0].value == "ca.example; validationmethods=dns-01");
    BOOST_TEST(records[1].flags == 128);
    BOOST_TEST(records[1].tag == "iodef");
    BOOST_TEST(records[1].value == "mailto:pki@plain.test");
}

BOOST_AUTO_TEST_CASE(a_cname_chain_ends_at_its_target) {
    Rig rig;
    const auto answer = rig.look("Chain.Plain.TEST.", RecordType::aaaa).value();
    BOOST_TEST(answer.canonical_name == "www.plain.test");
    BOOST_TEST(answer.rdata.size() == 1U);
    BOOST_TEST(rig.look("www.plain.test", RecordType::a).value().canonical_name == "www.plain.test");
    BOOST_TEST(rig.look("alias.plain.test", RecordType::cname).value().rdata.size() == 1U);
}

BOOST_AUTO_TEST_CASE(absence_is_an_answer) {
    Rig rig;
    const auto gone = rig.look("gone.plain.test", RecordType::a).value();
    BOOST_TEST(gone.nxdomain);
    BOOST_TEST(gone.rdata.empty());
    const auto empty = rig.look("www.plain.test", RecordType::txt).value();
    BOOST_TEST(!empty.nxdomain);
    BOOST_TEST(empty.rdata.empty());
    BOOST_TEST(empty.canonical_name == "www.plain.test");
}

BOOST_AUTO_TEST_CASE(refusing_servers_are_named_in_words) {
    Rig rig;
    BOOST_TEST(refusal(rig.look("www.refused.test", RecordType::a))
                   .starts_with("the look-up of A for www.refused.test was answered with "));
}

BOOST_AUTO_TEST_CASE(a_silent_server_ends_with_the_deadline) {
    Rig rig;
    BOOST_TEST(refusal(rig.look("www.silent.test", RecordType::txt, core::deadline_in(100ms))) ==
               "the look-up of TXT for www.silent.test timed out; do the name servers of the zone answer?");
    BOOST_TEST(refusal(rig.look("www.silent.test", RecordType::txt, core::Deadline::clock::now() - 1s)).ends_with(
        "timed out; do the name servers of the zone answer?"));
}

BOOST_AUTO_TEST_CASE(a_silent_server_ends_with_the_configured_timeout) {
    auto config = configuration();
    config.timeout = 100ms;
    Rig rig(config);
    BOOST_TEST(refusal(rig.look("www.silent.test", RecordType::a, core::deadline_in(1h))).ends_with(
        "timed out; do the name servers of the zone answer?"));
}

BOOST_AUTO_TEST_CASE(a_caller_that_leaves_ends_the_look_up) {
    auto config = configuration();
    config.timeout = 1h;
    Rig rig(config);
    const auto left = rig.run(core::with_deadline<core::Result<dns::Answer>>(
        core::deadline_in(50ms), rig.resolver->lookup("www.silent.test", RecordType::a, core::deadline_in(1h))));
    BOOST_TEST(!left.has_value());
    BOOST_TEST(rig.look("www.plain.test", RecordType::a).has_value());
}

BOOST_AUTO_TEST_CASE(a_closed_port_is_an_error_before_the_deadline) {
    auto config = configuration();
    config.timeout = 500ms;
    config.stub_zones["silent.test"] = postern::test::SilentServer().address();
    Rig rig(config);
    BOOST_TEST(refusal(rig.look("www.silent.test", RecordType::a, core::deadline_in(8s)))
                   .starts_with("the look-up of A for www.silent.test "));
}

BOOST_AUTO_TEST_CASE(signed_answers_and_absences_are_secure) {
    Rig rig;
    BOOST_TEST(rig.look("www.signed.test", RecordType::a).value().secure);
    BOOST_TEST(rig.look("www.signed.test", RecordType::txt).value().secure);
    const auto gone = rig.look("gone.signed.test", RecordType::a).value();
    BOOST_TEST(gone.secure);
    BOOST_TEST(gone.nxdomain);
    BOOST_TEST(!rig.look("www.plain.test", RecordType::a).value().secure);
}

BOOST_AUTO_TEST_CASE(altered_records_of_a_signed_zone_are_refused_with_the_reason) {
    Rig rig;
    const auto why = refusal(rig.look("txt.bogus.test", RecordType::txt));
    const std::string_view start = "DNSSEC validation failed for txt.bogus.test TXT: ";
    BOOST_TEST(why.starts_with(start), why);
    BOOST_TEST(why.size() > start.size() + 10, why);
    BOOST_TEST(why.find("altered") == std::string::npos);
    BOOST_TEST(rig.look("www.bogus.test", RecordType::a).value().secure);
}

BOOST_AUTO_TEST_CASE(a_zone_that_lost_its_signatures_is_refused) {
    auto config = configuration();
    config.trust_anchors.push_back("plain.test. IN DS 22742 13 2 8f7f24aaa87004d3ec32175193fdb3852792de5ba18f7c60abe2205fbc7d5c85");
    Rig rig(config);
    BOOST_TEST(refusal(rig.look("www.plain.test", RecordType::a)).starts_with("DNSSEC validation failed for www.plain.test A: "));
}

BOOST_AUTO_TEST_CASE(without_dnssec_nothing_is_validated) {
    auto config = configuration();
    config.dnssec = false;
    Rig rig(config);
    BOOST_TEST(!rig.look("www.signed.test", RecordType::a).value().secure);
    BOOST_TEST((dns::txt_strings(rig.look("txt.bogus.test", RecordType::txt).value()).value() ==
                std::vector<std::string>{"altered"}));
}

BOOST_AUTO_TEST_CASE(a_private_zone_resolves_below_the_roots_anchor) {
    auto config = configuration();
    config.trust_anchors = {". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"};
    Rig rig(config);
    const auto answer = rig.look("v4only.plain.test", RecordType::a);
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(!answer->secure);
}

BOOST_AUTO_TEST_CASE(names_that_cannot_be_asked_are_refused) {
    Rig rig;
    const std::vector<std::pair<std::string, std::string>> names{
        {"", "it has no label"}, {".", "it has no label"}, {"a..b", "it has an empty label"},
        {".a", "it has an empty label"}, {"a.b..", "it has an empty label"},
        {std::string(64, 'a') + ".test", "it has a label longer than 63 characters"},
        {std::string(254, 'a'), "it is longer than 253 characters"},
        {"*.plain.test", "only letters, digits, hyphen and underscore may be asked for"},
        {"a b.test", "only letters, digits, hyphen and underscore may be asked for"},
        {std::string("a\0b.test", 8), "only letters, digits, hyphen and underscore may be asked for"},
        {"a\\.b.test", "only letters, digits, hyphen and underscore may be asked for"},
        {"zürich.test", "only letters, digits, hyphen and underscore may be asked for"},
    };
    for (const auto& [name, why] : names) {
        BOOST_TEST(refusal(rig.look(name, RecordType::a)).ends_with(" is not a DNS name: " + why), name);
    }
}

BOOST_AUTO_TEST_CASE(many_look_ups_go_in_parallel) {
    Rig rig;
    std::vector<std::future<core::Result<dns::Answer>>> answers;
    for (int i = 0; i < 500; ++i) {
        auto task = rig.resolver->lookup("n" + std::to_string(i) + ".many.plain.test", RecordType::a, core::deadline_in(30s));
        answers.push_back(asio::co_spawn(rig.io, std::move(task), asio::use_future));
    }
    rig.io.run();
    std::size_t right = 0;
    for (auto& answer : answers) right += answer.get().value().rdata.at(0) == core::Bytes{192, 0, 2, 9} ? 1 : 0;
    BOOST_TEST(right == 500U);
}

BOOST_AUTO_TEST_CASE(look_ups_start_on_any_shard_and_resume_there) {
    core::Shards shards(3);
    auto resolver = dns::make_unbound_resolver(shards.executor(0), configuration());
    shards.start();
    struct Ask {
        static core::Task<bool> from(dns::Resolver* resolver, int i) {
            const auto thread = std::this_thread::get_id();
            bool same = true;
            for (int n = 0; n < 20; ++n) {
                std::string name = "s" + std::to_string(i) + "-" + std::to_string(n) + ".many.plain.test";
                auto answer = co_await resolver->lookup(std::move(name), RecordType::a, core::deadline_in(30s));
                same = same && answer.has_value() && std::this_thread::get_id() == thread;
            }
            co_return same;
        }
    };
    std::vector<std::future<bool>> all;
    for (int i = 0; i < 30; ++i) {
        all.push_back(asio::co_spawn(shards.at(static_cast<std::size_t>(i) % 3), Ask::from(resolver.get(), i), asio::use_future));
    }
    for (auto& one : all) BOOST_TEST(one.get());
    resolver.reset();
    shards.join();
}

BOOST_AUTO_TEST_CASE(answers_and_deadlines_may_race) {
    core::Shards shards(2);
    auto config = configuration();
    config.max_ttl = 0s;
    auto resolver = dns::make_unbound_resolver(shards.executor(0), config);
    shards.start();
    std::vector<std::future<core::Result<dns::Answer>>> all;
    for (int i = 0; i < 400; ++i) {
        auto task = resolver->lookup("r" + std::to_string(i) + ".many.plain.test", RecordType::a,
                                     core::deadline_in(std::chrono::milliseconds(i % 20)));
        all.push_back(asio::co_spawn(shards.at(static_cast<std::size_t>(i) % 2), std::move(task), asio::use_future));
    }
    for (auto& one : all) {
        const auto answer = one.get();
        BOOST_TEST((answer.has_value() || answer.error().detail.find("timed out") != std::string::npos));
    }
    auto last = resolver->lookup("www.plain.test", RecordType::a, core::deadline_in(30s));
    BOOST_TEST(asio::co_spawn(shards.at(1), std::move(last), asio::use_future).get().has_value());
    resolver.reset();
    shards.join();
}

BOOST_AUTO_TEST_CASE(a_resolver_may_go_while_a_question_is_open) {
    asio::io_context io(1);
    auto resolver = dns::make_unbound_resolver(io.get_executor(), configuration());
    auto open = asio::co_spawn(io, resolver->lookup("www.silent.test", RecordType::a, core::deadline_in(200ms)), asio::use_future);
    while (io.poll_one() > 0) {}
    auto abandoned = asio::co_spawn(io, resolver->lookup("w2.silent.test", RecordType::a, core::deadline_in(1h)), asio::use_future);
    while (io.poll_one() > 0) {}
    resolver.reset();
    io.run_for(400ms);
    BOOST_TEST(refusal(open.get()).find("timed out") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
