#include <boost/test/unit_test.hpp>

#include "tests/unit/http/support.hpp"

using namespace postern;
using std::chrono::milliseconds;

namespace {

http::ServerLimits small_limits() {
    http::ServerLimits limits;
    limits.header_bytes = 1024;
    limits.header_count = 10;
    limits.uri_bytes = 200;
    return limits;
}

struct Fixture {
    Fixture() : server(small_limits()) {
        http::RouteLimits route;
        route.body_bytes = 100;
        server.router.add(http::Method::post, "/echo", route, test::echo);
        server.router.add(http::Method::get, "/hello", route, test::text_handler("hello"));
        port = server.listen();
    }
    test::TestServer server;
    std::uint16_t port = 0;
};

struct Case {
    const char* name;
    std::string bytes;
    unsigned status;
    std::string says;
};

const std::string host = "Host: localhost\r\n";
const std::string get = "GET /hello HTTP/1.1\r\n";
const std::string post = "POST /echo HTTP/1.1\r\n" + host;

std::string many_headers(std::size_t n) {
    std::string text;
    for (std::size_t i = 0; i < n; ++i) text += "X-" + std::to_string(i) + ": y\r\n";
    return text;
}

std::vector<Case> cases() {
    using namespace std::string_literals;
    return {
        {"obs-fold", get + host + "X-A: b\r\n c\r\n\r\n", 400, "folded"},
        {"bare LF after the request line", "GET /hello HTTP/1.1\nHost: a\n\n", 400, "CR LF"},
        {"bare LF in the headers", get + "Host: localhost\n\r\n", 400, "CR LF"},
        {"bare CR in a value", get + host + "X-A: b\rc\r\n\r\n", 400, "control character"},
        {"NUL in a value", get + host + "X-A: b\0c\r\n\r\n"s, 400, "control character"},
        {"ESC in a value", get + host + "X-A: \x1b[2J\r\n\r\n", 400, "control character"},
        {"two equal Content-Length", post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", 400, "more than one Content-Length"},
        {"a list of lengths", post + "Content-Length: 2, 2\r\n\r\nab", 400, "digits only"},
        {"a signed length", post + "Content-Length: +5\r\n\r\nabcde", 400, "digits only"},
        {"an empty length", post + "Content-Length:\r\n\r\n", 400, "digits only"},
        {"length and coding", post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "exclude each other"},
        {"another coding", post + "Transfer-Encoding: gzip\r\n\r\n", 400, "only Transfer-Encoding"},
        {"a list of codings", post + "Transfer-Encoding: gzip, chunked\r\n\r\n", 400, "only Transfer-Encoding"},
        {"chunked twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "only Transfer-Encoding"},
        {"chunked in HTTP/1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "HTTP/1.0"},
        {"two hosts", get + host + host + "\r\n", 400, "more than one Host"},
        {"no host", get + "\r\n", 400, "Host header is missing"},
        {"a host that is none", get + "Host: a/b\r\n\r\n", 400, "no host name"},
        {"space before the colon", get + host + "X-A : b\r\n\r\n", 400, "no token"},
        {"no colon", get + host + "nonsense\r\n\r\n", 400, "no colon"},
        {"an empty name", get + host + ": b\r\n\r\n", 400, "no token"},
        {"two spaces in the request line", "GET  /hello HTTP/1.1\r\n" + host + "\r\n", 400, "one space"},
        {"no version", "GET /hello\r\n" + host + "\r\n", 400, "one space"},
        {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP/1.1"},
        {"lower-case version", "GET /hello http/1.1\r\n" + host + "\r\n", 400, "HTTP/1.1"},
        {"control character in the target", "GET /he\x01llo HTTP/1.1\r\n" + host + "\r\n", 400, "URI"},
        {"octets above ASCII in the target", "GET /\xc3\xa4 HTTP/1.1\r\n" + host + "\r\n", 400, "URI"},
        {"a fragment", "GET /hello#x HTTP/1.1\r\n" + host + "\r\n", 400, "fragment"},
        {"a target without slash", "GET hello HTTP/1.1\r\n" + host + "\r\n", 400, "begin with /"},
        {"a TLS hello", "\x16\x03\x01\x02"s, 400, "no HTTP request"},
        {"only empty lines", "\r\n\r\n\r\n\r\n\r\n\r\n", 400, "empty lines"},
        {"a long URI", "GET /" + std::string(300, 'a') + " HTTP/1.1\r\n" + host + "\r\n", 414, "too long"},
        {"a URI without end", "GET /" + std::string(300, 'a'), 414, "too long"},
        {"long headers", get + host + "X-A: " + std::string(1100, 'a') + "\r\n\r\n", 431, "too long"},
        {"headers without end", get + "X-A: " + std::string(1100, 'a'), 431, "too long"},
        {"many headers", get + host + many_headers(11) + "\r\n", 431, "too many"},
        {"a long body by its length", post + "Content-Length: 101\r\n\r\n", 413, "longer than"},
        {"a long body in one chunk", post + "Transfer-Encoding: chunked\r\n\r\n65\r\n", 413, "longer than"},
        {"a huge chunk", post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", 400, "chunked"},
        {"a signed chunk", post + "Transfer-Encoding: chunked\r\n\r\n+2\r\nab\r\n", 400, "chunked"},
        {"a chunk without its end", post + "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", 400, "chunked"},
        {"bare LF in the coding", post + "Transfer-Encoding: chunked\r\n\r\n2\nab\r\n", 400, "chunked"},
        {"a bare CR in a trailer", post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\rGET / HTTP/1.1\r\n\r\n", 400, "chunked"},
        {"an encoded body", post + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab", 415, "Content-Encoding"},
        {"another expectation", post + "Expect: wonders\r\nContent-Length: 2\r\n\r\n", 417, "100-continue"},
    };
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_refusals, Fixture)

BOOST_AUTO_TEST_CASE(each_ambiguous_or_oversized_request_is_answered_and_the_connection_closed) {
    for (const Case& c : cases()) {
        test::RawClient client(port);
        client.send(c.bytes);
        const auto answer = client.read();
        BOOST_TEST(answer.status == c.status, c.name << ": " << answer.head);
        BOOST_TEST(answer.body.find(c.says) != answer.body.npos, c.name << ": " << answer.body);
        BOOST_TEST(answer.has("Connection: close"), c.name);
        BOOST_TEST(answer.has("X-Request-Id: "), c.name);
        BOOST_TEST(client.at_end(), c.name);
    }
}

BOOST_AUTO_TEST_CASE(a_head_that_arrives_in_single_octets_is_served_or_refused_alike) {
    for (const auto& [bytes, status] : std::vector<std::pair<std::string, unsigned>>{
             {get + host + "\r\n", 200}, {get + "Host: localhost\n\r\n", 400}}) {
        test::RawClient client(port);
        for (const char c : bytes) client.send(std::string(1, c));
        BOOST_TEST(client.read().status == status);
    }
}

BOOST_AUTO_TEST_CASE(single_octet_chunks_are_counted) {
    test::RawClient client(port);
    client.send(post + "Transfer-Encoding: chunked\r\n\r\n");
    std::string chunks;
    for (int i = 0; i < 101; ++i) chunks += "1\r\nx\r\n";
    client.send(chunks);
    BOOST_TEST(client.read().status == 413U);
}

BOOST_AUTO_TEST_CASE(a_body_up_to_the_limit_is_served_by_length_and_in_chunks) {
    test::RawClient client(port);
    const std::string body(100, 'x');
    client.send(post + "Content-Length: 100\r\n\r\n" + body);
    BOOST_TEST(client.read().body == body);
    client.send(post + "Transfer-Encoding: Chunked\r\n\r\n32;ext=\"1\"\r\n" + body.substr(0, 50) + "\r\n032\r\n" +
                body.substr(50) + "\r\n0\r\nTrailer: x\r\n\r\n");
    BOOST_TEST(client.read().body == body);
}

BOOST_AUTO_TEST_CASE(the_answer_reaches_a_client_that_is_still_sending) {
    for (const std::size_t size : {500'000U, 12'000'000U}) {
        test::RawClient client(port);
        client.send(post + "Content-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x'));
        BOOST_TEST(client.read().status == 413U, size);
        BOOST_TEST(client.at_end(), size);
    }
}

BOOST_AUTO_TEST_CASE(each_size_is_served_at_its_limit_and_refused_one_beyond) {
    const auto status = [&](const std::string& bytes) {
        test::RawClient client(port);
        client.send(bytes);
        return client.read().status;
    };
    const auto with_fields = [](std::size_t size) {
        return get + host + "X-A: " + std::string(size - host.size() - 7, 'a') + "\r\n\r\n";
    };
    BOOST_TEST(status(with_fields(1024)) == 200U);
    BOOST_TEST(status(with_fields(1025)) == 431U);
    BOOST_TEST(status(get + host + many_headers(9) + "\r\n") == 200U);
    BOOST_TEST(status(get + host + many_headers(10) + "\r\n") == 431U);
    const auto with_uri = [](std::size_t size) { return "GET /hello?" + std::string(size - 7, 'a') + " HTTP/1.1\r\n" + host + "\r\n"; };
    BOOST_TEST(status(with_uri(200)) == 200U);
    BOOST_TEST(status(with_uri(201)) == 414U);
}

BOOST_AUTO_TEST_CASE(the_limits_by_default_are_those_of_the_catalogue) {
    const http::ServerLimits limits;
    BOOST_TEST(limits.header_bytes == 16U * 1024);
    BOOST_TEST(limits.header_count == 100U);
    BOOST_TEST(limits.uri_bytes == 8U * 1024);
    BOOST_TEST(limits.handshake.count() == 10'000);
    BOOST_TEST(limits.head.count() == 10'000);
    BOOST_TEST(limits.body.count() == 30'000);
    BOOST_TEST(http::RouteLimits().body_bytes == 64U * 1024);
}

BOOST_AUTO_TEST_CASE(http_1_0_needs_no_host_and_closes) {
    test::RawClient client(port);
    client.send("GET /hello HTTP/1.0\r\n\r\n");
    const auto answer = client.read();
    BOOST_TEST(answer.body == "hello");
    BOOST_TEST(answer.has("Connection: close"));
    BOOST_TEST(client.at_end());
}

BOOST_AUTO_TEST_CASE(absolute_form_and_empty_lines_before_a_request_are_taken) {
    test::RawClient client(port);
    client.send("\r\nGET http://elsewhere/hello?x=1 HTTP/1.1\r\n" + host + "\r\n");
    BOOST_TEST(client.read().body == "hello");
}

BOOST_AUTO_TEST_CASE(control_characters_of_a_stranger_stay_on_one_log_line) {
    test::RawClient client(port);
    client.send("GET /a%0d%0aforged HTTP/1.1\r\n" + host + "User-Agent: x\r\n\r\n");
    BOOST_TEST(client.read().status == 404U);
    client.send("DELETE /hello HTTP/1.1\r\n" + host + "\r\n");
    BOOST_TEST(client.read().has("Allow: GET, HEAD"));
    BOOST_TEST(server.log_text().find("\nforged") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(http_time_limits)

BOOST_AUTO_TEST_CASE(a_slow_head_and_a_slow_body_are_408_and_silence_is_closed) {
    http::ServerLimits limits;
    limits.head = milliseconds(80);
    limits.body = milliseconds(80);
    limits.idle = milliseconds(80);
    test::TestServer server(limits);
    server.router.add(http::Method::post, "/echo", http::RouteLimits(), test::echo);
    const auto port = server.listen();

    test::RawClient slow_head(port);
    slow_head.send("GET /hello HT");
    const auto head_answer = slow_head.read();
    BOOST_TEST(head_answer.status == 408U);
    BOOST_TEST(head_answer.has("Connection: close"));

    test::RawClient slow_body(port);
    slow_body.send(post + "Content-Length: 5\r\n\r\nab");
    const auto body_answer = slow_body.read();
    BOOST_TEST(body_answer.status == 408U);
    BOOST_TEST(body_answer.body == "the body of the request took too long to arrive\n");

    test::RawClient silent(port);
    BOOST_TEST(silent.at_end());

    test::RawClient idle(port);
    idle.send(post + "Content-Length: 2\r\n\r\nab");
    BOOST_TEST(idle.read().body == "ab");
    BOOST_TEST(idle.at_end());
}

BOOST_AUTO_TEST_SUITE_END()
