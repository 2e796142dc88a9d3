#include "tests/unit/validation/support.hpp"

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

const std::string right = "token-0123456789_abcde.thumbprint";

bool asks_for(const std::string& head, std::string_view target) {
    return head.starts_with("GET " + std::string(target) + " ");
}

std::string port_text(const RawServer& server) { return std::to_string(server.port()); }

}  // namespace

BOOST_AUTO_TEST_SUITE(validation_http_01)

BOOST_AUTO_TEST_CASE(the_key_authorization_at_its_place_is_proof) {
    const RawServer server(http_answer("200 OK", right));
    Probe probe(server.port());
    const auto finding = probe.run();
    BOOST_REQUIRE_MESSAGE(finding.verdict, (finding.verdict ? "" : finding.verdict.error().detail));
    const auto head = server.heads().at(0);
    has(head, "GET /.well-known/acme-challenge/token-0123456789_abcde HTTP/1.1\r\n");
    has(head, "Host: www.example.test:" + port_text(server) + "\r\n");
    has(head, "Accept: */*\r\n");
    has(head, "User-Agent: Postern-validation (RFC 8555 http-01)\r\n");
    BOOST_REQUIRE(finding.steps.size() == 2U);
    BOOST_TEST(finding.steps[0] == "look-up of www.example.test: 127.0.0.1");
    has(finding.steps[1], "from 127.0.0.1: status 200");
}

BOOST_AUTO_TEST_CASE(white_space_at_the_end_is_ignored_and_nothing_else) {
    for (const auto* end : {"\n", "\r\n", " \t\r\n\n"}) {
        const RawServer server(http_answer("200 OK", right + end));
        BOOST_TEST(Probe(server.port()).run().verdict.has_value());
    }
    for (const auto& body : {right + std::string(1, '\0'), " " + right, right + "x", std::string("token-0123456789_abcde.other"), right.substr(1)}) {
        const RawServer server(http_answer("200 OK", body));
        const auto detail = Probe(server.port()).refused(ProblemKind::incorrect_response);
        has(detail, "While fetching http://www.example.test:" + port_text(server) + "/.well-known/acme-challenge/token-0123456789_abcde from 127.0.0.1: ");
        has(detail, "expected the key authorization \"" + right + "\", got ");
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_answer_is_quoted_short_and_printable) {
    const RawServer server(http_answer("200 OK", "<html>\x1b[31m" + std::string(200, 'a')));
    const auto detail = Probe(server.port()).refused(ProblemKind::incorrect_response);
    has(detail, "got \"<html>?[31m" + std::string(53, 'a') + "\" …");
    const RawServer empty(http_answer("200 OK", ""));
    has(Probe(empty.port()).refused(ProblemKind::incorrect_response), "got an empty file");
}

BOOST_AUTO_TEST_CASE(another_status_is_named) {
    for (const auto* status : {"404 Not Found", "500 Oops", "201 Created", "303 See Other", "206 Partial Content"}) {
        const RawServer server(http_answer(status, right, "Location: /elsewhere\r\n"));
        has(Probe(server.port()).refused(ProblemKind::incorrect_response), "status " + std::string(status).substr(0, 3) + "; expected 200");
        BOOST_TEST(server.connections() == 1);
    }
}

BOOST_AUTO_TEST_CASE(private_addresses_are_never_contacted) {
    const RawServer server(http_answer("200 OK", right));
    Probe probe(server.port());
    probe.config.guard = &validation::why_forbidden;
    const auto detail = probe.refused(ProblemKind::connection);
    has(detail, "127.0.0.1 is loopback");
    has(detail, "only public addresses are contacted");
    BOOST_TEST(server.connections() == 0);
    probe.question.identifier_type = "ip";
    probe.question.identifier = "127.0.0.1";
    has(probe.refused(ProblemKind::connection), "127.0.0.1 is loopback");
    BOOST_TEST(server.connections() == 0);
}

/// What a record keeps has an end, whatever a stranger's zone holds.
BOOST_AUTO_TEST_CASE(of_many_addresses_the_first_are_told) {
    Probe probe(1);
    probe.config.guard = &validation::why_forbidden;
    std::vector<std::string> many;
    for (int i = 1; i <= 200; ++i) many.push_back("10.0.0." + std::to_string(i));
    probe.resolver = ScriptedResolver();
    probe.resolver.add("www.example.test", many);
    const auto finding = probe.run();
    BOOST_REQUIRE(!finding.verdict);
    has(finding.verdict.error().detail, "10.0.0.1 is private (RFC 1918), 10.0.0.2 is private (RFC 1918), 10.0.0.3 is private (RFC 1918) and 197 more; only public");
    BOOST_REQUIRE(finding.steps.size() == 5U);
    BOOST_TEST(finding.steps[0] == "look-up of www.example.test: 10.0.0.1, 10.0.0.2, 10.0.0.3 and 197 more");
    BOOST_TEST(finding.steps[3] == "not dialled: 10.0.0.3 is private (RFC 1918)");
    BOOST_TEST(finding.steps[4] == "not dialled: 197 more");
}

BOOST_AUTO_TEST_CASE(a_private_target_that_is_permitted_is_not_echoed) {
    Probe probe(0);
    probe.config.guard = &validation::why_forbidden;
    probe.question.private_targets = true;
    {
        const RawServer server(http_answer("200 OK", right));
        probe.config.port = server.port();
        BOOST_TEST(probe.run().verdict.has_value());
    }
    for (const auto* answer : {"200 OK", "403 Forbidden"}) {
        const RawServer server(http_answer(answer, "internal secret"));
        probe.config.port = server.port();
        const auto detail = probe.refused(ProblemKind::incorrect_response);
        BOOST_TEST(detail.find("secret") == std::string::npos, detail);
        BOOST_TEST(detail.find("403") == std::string::npos, detail);
        has(detail, "the answer is not status 200 with the key authorization");
    }
    const std::string path = "/.well-known/acme-challenge/token-0123456789_abcde";
    for (const auto& to : {std::string("http://other.example.test") + path, std::string("/admin"), std::string("http://10.0.0.1/admin")}) {
        const RawServer server(redirect(to));
        probe.config.port = server.port();
        probe.resolver.add("other.example.test", {"127.0.0.1"});
        const auto detail = probe.refused(ProblemKind::connection);
        has(detail, "another name or path");
        BOOST_TEST(detail.find("admin") == std::string::npos, detail);
        BOOST_TEST(server.connections() == 1);
    }
}

namespace {

/// What the guard says of the address a case is about, told of whatever is dialled here.
std::optional<std::string_view> pretended;
std::optional<std::string_view> pretend(std::string_view) noexcept { return pretended; }

}  // namespace

/// A permission for private targets is one for somebody's own network: cloud metadata, multicast and the
/// like stay out of reach.
BOOST_AUTO_TEST_CASE(permitted_private_targets_are_private_networks_alone) {
    for (const auto* address : {"169.254.169.254", "0.0.0.0", "0.1.2.3", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "203.0.113.1", "224.0.0.251",
                                "240.0.0.1", "255.255.255.255", "::", "::ffff:10.0.0.1", "64:ff9b::a00:1", "100::1", "2001:db8::1", "2002:a00:1::",
                                "fe80::1", "fec0::1", "ff02::1"}) {
        const RawServer server(http_answer("200 OK", right));
        Probe probe(server.port());
        probe.config.guard = &pretend;
        pretended = validation::why_forbidden(address);
        BOOST_TEST_REQUIRE(pretended.has_value(), address);
        for (const bool laboratory : {false, true}) {
            probe.config.private_targets = laboratory;
            probe.question.private_targets = !laboratory;
            has(probe.refused(ProblemKind::connection), "127.0.0.1 is " + std::string(*pretended));
        }
        BOOST_TEST(server.connections() == 0, address);
    }
    for (const auto* address : {"10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "::1", "fd00::1"}) {
        const RawServer server(http_answer("200 OK", right));
        Probe probe(server.port());
        probe.config.guard = &pretend;
        pretended = validation::why_forbidden(address);
        probe.question.private_targets = true;
        BOOST_TEST(probe.run().verdict.has_value(), address);
    }
}

BOOST_AUTO_TEST_CASE(redirects_are_followed_to_names_and_paths) {
    const RawServer server([](const std::string& head, RawServer::Socket& socket) {
        if (asks_for(head, "/final?x=1")) RawServer::send(socket, http_answer("200 OK", right));
        else if (asks_for(head, "/one")) RawServer::send(socket, redirect("http://other.example.test/final?x=1", "308 Permanent Redirect"));
        else RawServer::send(socket, redirect("/one", "301 Moved Permanently"));
    });
    Probe probe(server.port());
    probe.resolver.add("other.example.test", {"127.0.0.1"});
    const auto finding = probe.run();
    BOOST_REQUIRE_MESSAGE(finding.verdict, (finding.verdict ? "" : finding.verdict.error().detail));
    BOOST_TEST(probe.resolver.asked().size() == 3U);  // each hop is looked up anew
    has(server.heads().at(2), "Host: other.example.test");
}

BOOST_AUTO_TEST_CASE(redirects_to_forbidden_places_are_refused_before_any_packet) {
    const std::pair<std::string, std::string> refused[] = {
        {"http://private.example.test/", "127.0.0.66 is private (for this test)"},
        {"http://127.0.0.1/x", "IP address instead of a name"},
        {"file:///etc/passwd", "only http and https"},
        {"http://other.example.test:22/", "only 80 (http) and 443 (https)"},
        {"https://other.example.test:80/", "only 80 (http) and 443 (https)"},
        {"http://me@other.example.test/", "user information"},
        {"/" + std::string(2000, 'a'), "more than 2000 characters"},
        {"", "missing or empty"},
    };
    for (const auto& [to, why] : refused) {
        const RawServer server(redirect(to));
        Probe probe(server.port());
        probe.resolver.add("private.example.test", {"127.0.0.66"});
        probe.resolver.add("other.example.test", {"127.0.0.1"});
        has(probe.refused(ProblemKind::connection), why);
        BOOST_TEST(server.connections() == 1, to);
    }
}

BOOST_AUTO_TEST_CASE(circles_and_long_chains_end) {
    const RawServer circle(redirect("/.well-known/acme-challenge/token-0123456789_abcde"));
    has(Probe(circle.port()).refused(ProblemKind::connection), "in a circle");
    BOOST_TEST(circle.connections() == 1);

    std::atomic<int> count{0};
    const RawServer chain([&](const std::string&, RawServer::Socket& socket) { RawServer::send(socket, redirect("/" + std::to_string(++count))); });
    has(Probe(chain.port()).refused(ProblemKind::connection), "more than 10 redirects");
    BOOST_TEST(chain.connections() == 11);
}

BOOST_AUTO_TEST_CASE(the_checked_address_is_dialled_whatever_dns_says_next) {
    const RawServer server(redirect("http://www.example.test/again"));
    Probe probe(server.port());
    probe.resolver = ScriptedResolver();
    probe.resolver.add("www.example.test", {"127.0.0.1"});
    probe.resolver.add("www.example.test", {"127.0.0.66"});  // rebound for the second hop
    has(probe.refused(ProblemKind::connection), "127.0.0.66 is private");
    BOOST_TEST(server.connections() == 1);
}

BOOST_AUTO_TEST_CASE(ipv6_is_tried_first_and_ipv4_once_after_it) {
    const RawServer server(http_answer("200 OK", right));  // on 127.0.0.1 only
    Probe probe(server.port());
    probe.resolver = ScriptedResolver();
    probe.resolver.add("www.example.test", {"127.0.0.1", "::1", "127.0.0.1"});
    const auto finding = probe.run();
    BOOST_REQUIRE_MESSAGE(finding.verdict, (finding.verdict ? "" : finding.verdict.error().detail));
    BOOST_REQUIRE(finding.steps.size() == 3U);
    has(finding.steps[1], "from ::1: ");
    has(finding.steps[2], "from 127.0.0.1: status 200");
    BOOST_TEST(server.connections() == 1);
}

BOOST_AUTO_TEST_CASE(a_closed_port_says_which_address_was_tried) {
    std::uint16_t closed = 0;
    {
        const RawServer gone(std::string("x"));
        closed = gone.port();
    }
    const auto detail = Probe(closed).refused(ProblemKind::connection);
    has(detail, "from 127.0.0.1: connection refused");
}

BOOST_AUTO_TEST_CASE(names_without_addresses_and_failing_look_ups_are_dns_problems) {
    Probe probe(1);
    probe.question.identifier = "absent.example.test";
    has(probe.refused(ProblemKind::dns), "While looking up absent.example.test: the name has neither an A nor an AAAA record");
    probe.resolver.fail("broken.example.test");
    probe.question.identifier = "broken.example.test";
    has(probe.refused(ProblemKind::dns), "SERVFAIL");
}

BOOST_AUTO_TEST_CASE(an_endless_body_is_cut_at_512_octets) {
    const RawServer server([](const std::string&, RawServer::Socket& socket) {
        if (!RawServer::send(socket, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n" + right)) return;
        while (RawServer::send(socket, std::string(65536, ' '))) {}
    });
    // The key authorization, then white space beyond the limit: only the first 512 octets count.
    BOOST_TEST(Probe(server.port()).run().verdict.has_value());
}

BOOST_AUTO_TEST_CASE(a_dripping_server_is_left_at_the_deadline) {
    const RawServer server([](const std::string&, RawServer::Socket& socket) {
        if (!RawServer::send(socket, "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n")) return;
        for (int i = 0; i < 100 && RawServer::send(socket, "a"); ++i) std::this_thread::sleep_for(50ms);
    });
    Probe probe(server.port());
    probe.config.time = 300ms;
    has(probe.refused(ProblemKind::connection), "timed out");
}

BOOST_AUTO_TEST_CASE(nobody_configured_other_bounds) {
    const validation::Http01Config usual;
    BOOST_TEST((usual.redirects == 10 && usual.body_bytes == 512 && usual.time == 10s));
    BOOST_TEST((usual.port == 80 && usual.https_port == 443 && !usual.private_targets && usual.guard == &validation::why_forbidden));
}

BOOST_AUTO_TEST_CASE(what_is_no_http_is_a_connection_problem) {
    for (const auto* octets : {"SSH-2.0-OpenSSH_9.2\r\n", "", "HTTP/1.1 2"}) {
        const RawServer server{std::string(octets)};
        has(Probe(server.port()).refused(ProblemKind::connection), "from 127.0.0.1: ");
    }
}

BOOST_AUTO_TEST_CASE(a_packed_body_is_compared_as_it_is) {
    const RawServer server(http_answer("200 OK", "\x1f\x8b\x08", "Content-Encoding: gzip\r\n"));
    has(Probe(server.port()).refused(ProblemKind::incorrect_response), "got \"???\"");
}

BOOST_AUTO_TEST_CASE(addresses_are_validated_without_dns) {
    const RawServer server(http_answer("200 OK", right));
    Probe probe(server.port());
    probe.question.identifier_type = "ip";
    probe.question.identifier = "127.0.0.1";
    BOOST_TEST(probe.run().verdict.has_value());
    BOOST_TEST(probe.resolver.asked().empty());
    has(server.heads().at(0), "Host: 127.0.0.1:" + port_text(server) + "\r\n");
}

BOOST_AUTO_TEST_SUITE_END()
