#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>
#include <thread>

#include "core/async/deadline.hpp"
#include "core/http/curl_outbound.hpp"
#include "tests/unit/http/support.hpp"

/// What the port of calls outwards promises, on libcurl.
BOOST_AUTO_TEST_SUITE(http_outbound)

using namespace postern;
using namespace std::chrono_literals;
using http::Method;
using http::OutboundRequest;

namespace {

struct Way {
    Way() = default;
    explicit Way(http::OutboundConfig config) : outbound(http::make_curl_outbound(std::move(config))) {}
    core::Result<http::Response> send(OutboundRequest request, std::chrono::milliseconds time = 20s) {
        return core::run_to_end(outbound->exchange(std::move(request), core::deadline_in(time)));
    }
    std::string check(OutboundRequest request, std::chrono::milliseconds time = 20s) {
        const auto got = send(std::move(request), time);
        return got ? "answered " + std::to_string(got->status) : got.error().check;
    }
    std::unique_ptr<http::Outbound> outbound = http::make_curl_outbound({});
};

OutboundRequest plain(std::uint16_t port, Method method = Method::get, std::string path = "/") {
    OutboundRequest out(method, "http://127.0.0.1:" + std::to_string(port) + path);
    out.plain_allowed = true;
    return out;
}

std::string answer(std::string body, std::string more = {}) {
    return "HTTP/1.1 200 OK\r\n" + more + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

core::Task<http::Response> shown(const http::Request& request) {
    std::string body(http::to_string(request.method));
    body += " " + request.target + " [" + std::string(request.header("Content-Type")) + "] [" + std::string(request.header("User-Agent")) + "] [" +
            std::string(request.header("Expect")) + std::string(request.header("Accept-Encoding")) + "] " + request.body;
    co_return http::Response(200, "text/plain", std::move(body));
}

http::RouteLimits limits() {
    http::RouteLimits out;
    out.body_bytes = 1'000'000;
    return out;
}

/// A handler that answers no earlier than it is let go.
struct Holding {
    Holding() {
        server.router.add(Method::get, "/hold", limits(), [this](const http::Request&) { return hold(); });
        port = server.listen();
    }
    ~Holding() { released = true; }
    Holding(const Holding&) = delete;
    Holding& operator=(const Holding&) = delete;
    core::Task<http::Response> hold() {
        held = true;
        for (bool wait = !released; wait; wait = !released) co_await core::sleep_for(1ms);
        co_return http::Response(200);
    }
    void until_held() const {
        while (!held) std::this_thread::yield();
    }
    std::atomic<bool> held{false}, released{false};
    test::TestServer server;
    std::uint16_t port = 0;
};

/// Answers a first request with a head that ends it, and sends the body that it must not have before whatever comes next on that
/// connection. Answers "right" to the second request, on whichever connection.
class Misframed {
public:
    explicit Misframed(std::string head) : acceptor_(context_, {boost::asio::ip::address_v4::loopback(), 0}), thread_([this, first = std::move(head)] { serve(first); }) {}
    ~Misframed() { thread_.join(); }
    Misframed(const Misframed&) = delete;
    Misframed& operator=(const Misframed&) = delete;
    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

private:
    using Socket = boost::asio::ip::tcp::socket;
    /// False: the client ended the connection.
    static bool read_request(Socket& socket) {
        std::string text;
        boost::system::error_code error;
        boost::asio::read_until(socket, boost::asio::dynamic_buffer(text), "\r\n\r\n", error);
        return !error;
    }
    void serve(const std::string& head) {
        Socket socket = acceptor_.accept();
        read_request(socket);
        boost::asio::write(socket, boost::asio::buffer(head));
        std::string next = answer("right");
        if (read_request(socket)) {
            next = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong" + next;
        } else {
            socket = acceptor_.accept();
            read_request(socket);
        }
        boost::asio::write(socket, boost::asio::buffer(next));
    }

    boost::asio::io_context context_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::thread thread_;
};

std::optional<std::string_view> nobody(std::string_view) noexcept { return "not today"; }

}  // namespace

BOOST_AUTO_TEST_CASE(a_request_arrives_as_it_is) {
    test::TestServer server;
    for (const auto method : {Method::get, Method::post, Method::put}) server.router.add(method, "/x", limits(), &shown);
    const auto port = server.listen();
    http::OutboundConfig config;
    config.user_agent = "Postern/9";
    Way way(config);
    BOOST_TEST(way.send(plain(port, Method::get, "/x?q=1")).value().body == "GET /x?q=1 [] [Postern/9] [] ");
    auto post = plain(port, Method::post, "/x");
    post.body = std::string(2'000'00, 'b');
    post.headers.emplace_back("Content-Type", "application/json");
    post.most = 1'000'000;
    const auto echoed = way.send(post).value().body;
    BOOST_TEST(echoed == "POST /x [application/json] [Postern/9] [] " + post.body);
    auto put = plain(port, Method::put, "/x");
    put.body = "p";
    BOOST_TEST(way.send(put).value().body == "PUT /x [] [Postern/9] [] p");
    auto empty = plain(port, Method::post, "/x");
    BOOST_TEST(way.send(empty).value().body == "POST /x [] [Postern/9] [] ");
}

BOOST_AUTO_TEST_CASE(headers_come_back_without_those_of_interim_answers) {
    const test::ScriptedServer server({"HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\n" + answer("hi", "X-Late:  two words \r\n")});
    Way way;
    const auto got = way.send(plain(server.port())).value();
    BOOST_TEST((got.body == "hi" && got.header("x-late") == "two words" && got.header("X-Early").empty()));
}

BOOST_AUTO_TEST_CASE(a_body_that_must_not_be_is_not_the_next_answer) {
    const std::pair<Method, std::string> cases[] = {{Method::get, "HTTP/1.1 204 No Content\r\nContent-Length: 43\r\n\r\n"},
                                                    {Method::post, "HTTP/1.1 204 No Content\r\n\r\n"},
                                                    {Method::get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 43\r\n\r\n"},
                                                    {Method::head, "HTTP/1.1 200 OK\r\nContent-Length: 43\r\n\r\n"}};
    for (const auto& [method, head] : cases) {
        BOOST_TEST_CONTEXT(head) {
            const Misframed server(head);
            Way way;
            BOOST_TEST(way.send(plain(server.port(), method)).value().body.empty());
            BOOST_TEST(way.send(plain(server.port())).value().body == "right");
        }
    }
}

BOOST_AUTO_TEST_CASE(the_most_is_exact) {
    const test::ScriptedServer server({answer("12345"), answer("123456"), "HTTP/1.1 200 OK\r\n\r\n123456", "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n"});
    Way way;
    auto five = plain(server.port());
    five.most = 5;
    BOOST_TEST(way.check(five) == "answered 200");
    BOOST_TEST(way.check(five) == "outbound.too_long");
    BOOST_TEST(way.check(five) == "outbound.too_long");
    BOOST_TEST(way.check(plain(server.port())) == "outbound.too_long");
}

BOOST_AUTO_TEST_CASE(what_breaks_off_is_no_answer) {
    const std::vector<std::string> broken{"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n123",
                                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", "nonsense\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"};
    const test::ScriptedServer server(broken);
    Way way;
    for (const auto& each : broken) BOOST_TEST(way.check(plain(server.port())) == "outbound.cut", each);
}

BOOST_AUTO_TEST_CASE(nothing_is_followed_and_every_status_is_an_answer) {
    const test::ScriptedServer server({"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"});
    Way way;
    BOOST_TEST(way.check(plain(server.port())) == "answered 302");
    BOOST_TEST(way.check(plain(server.port())) == "answered 500");
}

BOOST_AUTO_TEST_CASE(requests_that_are_none) {
    Way way;
    for (const auto* url : {"", "x", "/x", "http://127.0.0.1:1/", "ftp://127.0.0.1/", "file:///etc/passwd", "https://user@127.0.0.1/", "https://127.0.0.1/#f", "https:///x", "https://a b/"}) {
        const OutboundRequest request(Method::get, url);
        BOOST_TEST(way.check(request) == "outbound.request", url);
    }
    for (const auto& [name, value] : {std::pair("a b", "c"), std::pair("", "c"), std::pair("A", "b\r\nC: d"), std::pair("A", "b\n")}) {
        auto request = plain(1);
        request.headers.emplace_back(name, value);
        BOOST_TEST(way.check(request) == "outbound.request");
    }
}

BOOST_AUTO_TEST_CASE(the_guard_sees_the_address) {
    const test::ScriptedServer server({answer("hi"), answer("hi")});
    Way way;
    BOOST_TEST(way.check(plain(server.port())) == "answered 200");
    auto guarded = plain(server.port());
    guarded.guard = &nobody;
    const auto got = way.send(guarded);
    BOOST_TEST_REQUIRE(!got.has_value());
    BOOST_TEST(got.error().check == "outbound.address");
    BOOST_TEST(got.error().detail.find("127.0.0.1: not today") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(certificates_are_verified) {
    test::TestServer server;
    server.router.add(Method::get, "/x", limits(), test::text_handler("well"));
    const auto identity = test::make_identity("localhost");
    const auto port = server.listen(http::TlsContext::make(identity.certificate_pem, identity.key(), http::TlsContext::ClientCertificate::never_asked).value());
    Way way;
    OutboundRequest request(Method::get, "https://localhost:" + std::to_string(port) + "/x");
    BOOST_TEST(way.check(request) == "outbound.tls");
    request.ca_pem = identity.certificate_pem;
    BOOST_TEST(way.check(request) == "answered 200");
    // A connection that was trusted once serves nobody who trusts others.
    request.ca_pem.clear();
    BOOST_TEST(way.check(request) == "outbound.tls");
    OutboundRequest unnamed(Method::get, "https://127.0.0.2:" + std::to_string(port) + "/x");
    unnamed.ca_pem = identity.certificate_pem;
    BOOST_TEST(way.check(unnamed) != "answered 200");
    OutboundRequest clear(Method::get, "https://localhost:" + std::to_string(test::ScriptedServer({"hello\r\n"}).port()) + "/x");
    BOOST_TEST(way.check(clear) != "answered 200");
}

BOOST_AUTO_TEST_CASE(the_deadline_ends_it) {
    Holding holding;
    Way way;
    BOOST_TEST(way.check(plain(holding.port, Method::get, "/hold"), 50ms) == "outbound.timeout");
    BOOST_TEST(way.check(plain(holding.port, Method::get, "/hold"), 0ms) == "outbound.timeout");
}

BOOST_AUTO_TEST_CASE(whoever_is_cancelled_leaves_at_once) {
    Holding holding;
    Way way;
    auto op = way.outbound->exchange(plain(holding.port, Method::get, "/hold"), core::deadline_in(1h));
    const auto got = core::run_to_end(core::with_deadline(core::deadline_in(50ms), std::move(op)));
    BOOST_TEST(!got.has_value());
}

BOOST_AUTO_TEST_CASE(the_end_of_the_way_ends_what_is_on_it) {
    Holding holding;
    auto way = std::make_unique<Way>();
    std::string check;
    std::thread caller([&, outbound = way->outbound.get()] {
        const auto got = core::run_to_end(outbound->exchange(plain(holding.port, Method::get, "/hold"), core::deadline_in(1h)));
        check = got ? "answered" : got.error().check;
    });
    holding.until_held();
    way.reset();
    caller.join();
    BOOST_TEST(check == "outbound.full");
}

BOOST_AUTO_TEST_CASE(more_than_the_limit_are_refused) {
    Holding holding;
    http::OutboundConfig config;
    config.at_once = 1;
    Way way(config);
    std::string first;
    std::thread caller([&] { first = way.check(plain(holding.port, Method::get, "/hold"), 1h); });
    holding.until_held();
    BOOST_TEST(way.check(plain(holding.port)) == "outbound.full");
    holding.released = true;
    caller.join();
    BOOST_TEST(first == "answered 200");
    BOOST_TEST(way.check(plain(1)) == "outbound.connect");
}

BOOST_AUTO_TEST_CASE(proxy_urls) {
    for (const auto* good : {"http://proxy.example:3128", "https://10.0.0.1:8080/", "http://[::1]:3128"}) BOOST_TEST(http::wrong_proxy_url(good).empty(), good);
    for (const auto* bad : {"", "proxy:3128", "socks5://a:1", "http://a", "http://u:p@a:1", "http://u@a:1", "http://a:1/x", "http://a:1?x", "http://a:1#x", "http://:1"})
        BOOST_TEST(!http::wrong_proxy_url(bad).empty(), bad);
}

BOOST_AUTO_TEST_SUITE_END()
