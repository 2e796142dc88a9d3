#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "core/async/deadline.hpp"
#include "core/base/unavailable.hpp"
#include "tests/unit/http/support.hpp"

using namespace postern;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const std::string host = "Host: localhost\r\n";
const std::string get = "GET /hello HTTP/1.1\r\n" + host + "\r\n";

core::Task<http::Response> throwing(const http::Request&) {
    throw std::runtime_error("secret path /var/lib/x");
    co_return http::Response(200);
}
core::Task<http::Response> unavailable(const http::Request&) {
    throw core::Unavailable("the store at 10.0.0.1 is away", seconds(7));
    co_return http::Response(200);
}
core::Task<http::Response> no_content(const http::Request&) { co_return http::Response(204); }
core::Task<http::Response> large(const http::Request&) {
    co_return http::Response(200, "application/pkix-crl", std::string(3'000'000, 'c'));
}
core::Task<http::Response> split_header(const http::Request&) {
    http::Response response(200, "text/plain", "x");
    response.set("X-Name", "a\r\nX-Injected: b");
    co_return response;
}
core::Task<http::Response> who(const http::Request& request) {
    std::string text = request.peer.address;
    if (request.peer.unix_uid) text += " " + std::to_string(*request.peer.unix_uid);
    co_return http::Response(200, "text/plain", text);
}
std::atomic<int> in_flight{0}, most_in_flight{0}, counted_so_far{0};
core::Task<http::Response> counted(const http::Request&) {
    const int now = ++in_flight;
    if (now > most_in_flight) most_in_flight = now;
    co_await core::sleep_for(milliseconds(0));
    --in_flight;
    co_return http::Response(200, "text/plain", std::to_string(counted_so_far++));
}
core::Task<http::Response> slow(const http::Request&) {
    co_await core::sleep_for(milliseconds(300));
    co_return http::Response(200, "text/plain", "done");
}
std::atomic<int> handlers_entered{0};
core::Task<http::Response> endless(const http::Request&) {
    ++handlers_entered;
    co_await core::sleep_for(seconds(600));
    co_return http::Response(200, "text/plain", "never");
}

struct Fixture {
    explicit Fixture(http::ServerLimits limits = {}) : server(limits) {
        auto& router = server.router;
        const http::RouteLimits route;
        router.add(http::Method::get, "/hello", route, test::text_handler("hello"));
        router.add(http::Method::post, "/echo", route, test::echo);
        router.add(http::Method::get, "/throws", route, throwing);
        router.add(http::Method::get, "/unavailable", route, unavailable);
        router.add(http::Method::get, "/empty", route, no_content);
        router.add(http::Method::get, "/large", route, large);
        router.add(http::Method::get, "/split", route, split_header);
        router.add(http::Method::get, "/who", route, who);
        router.add(http::Method::get, "/slow", route, slow);
        router.add(http::Method::get, "/counted", route, counted);
        router.add(http::Method::get, "/name", route, test::text_handler("who"));
        router.add(http::Method::get, "/endless", route, endless);
        port = server.listen();
    }
    static std::string request(const std::string& path) { return "GET " + path + " HTTP/1.1\r\n" + host + "\r\n"; }
    /// Waits until the server has this many connections.
    void settle(std::size_t connections) {
        for (int i = 0; i < 10'000 && server.server.connections() != connections; ++i)
            std::this_thread::sleep_for(milliseconds(1));
        BOOST_TEST(server.server.connections() == connections);
    }

    test::TestServer server;
    std::uint16_t port = 0;
};

struct TwoConnections : Fixture {
    static http::ServerLimits limits() {
        http::ServerLimits l;
        l.connections = 2;
        return l;
    }
    TwoConnections() : Fixture(limits()) {}
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_server, Fixture)

BOOST_AUTO_TEST_CASE(a_connection_is_kept_and_every_answer_has_its_headers) {
    test::RawClient client(port);
    std::string last_id;
    for (int i = 0; i < 3; ++i) {
        client.send(get);
        const auto answer = client.read();
        BOOST_TEST(answer.status == 200U);
        BOOST_TEST(answer.body == "hello");
        BOOST_TEST(answer.has("Server: postern\r\n"));
        BOOST_TEST(answer.has("Date: "));
        BOOST_TEST(answer.has(" GMT\r\n"));
        BOOST_TEST(answer.has("Content-Length: 5\r\n"));
        BOOST_TEST(!answer.has("Connection:"));
        const auto at = answer.head.find("X-Request-Id: ");
        BOOST_REQUIRE(at != answer.head.npos);
        const std::string id = answer.head.substr(at + 14, 16);
        BOOST_TEST(id != last_id);
        last_id = id;
    }
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order) {
    test::RawClient client(port);
    std::string all;
    for (int i = 0; i < 500; ++i) {
        const std::string body = std::to_string(i);
        all += "POST /echo HTTP/1.1\r\n" + host + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    client.send(all);
    for (int i = 0; i < 500; ++i) BOOST_REQUIRE(client.read().body == std::to_string(i));
}

BOOST_AUTO_TEST_CASE(of_10000_pipelined_requests_one_is_in_flight) {
    test::RawClient client(port);
    // From a thread: the server reads no further than it has answered.
    std::thread sender([&] {
        std::string all;
        for (int i = 0; i < 10'000; ++i) all += "GET /counted HTTP/1.1\r\n" + host + "\r\n";
        client.send(all);
    });
    int answered = 0;
    while (answered < 10'000 && client.read().body == std::to_string(answered)) ++answered;
    sender.join();
    BOOST_TEST(answered == 10'000);
    BOOST_TEST(most_in_flight == 1);
}

BOOST_AUTO_TEST_CASE(a_host_that_is_not_ours_is_misdirected) {
    http::Endpoint endpoint("named", "127.0.0.1", 0);
    endpoint.hosts = {"ca.example", "::1"};
    const auto named = server.server.listen(endpoint, server.router, nullptr);
    const auto status = [&](const std::string& request) {
        test::RawClient client(named);
        client.send(request);
        const auto answer = client.read();
        return answer.body == "who" || answer.status != 200 ? answer.status : 0U;
    };
    const std::string line = "GET /name HTTP/1.1\r\n";
    for (const char* ours : {"ca.example", "CA.Example", "ca.example:8443", "ca.example.", "ca.example.:1", "[::1]", "[::1]:8443"})
        BOOST_TEST(status(line + "Host: " + ours + "\r\n\r\n") == 200U, ours);
    for (const char* other : {"localhost", "xca.example", "ca.example.evil.test", "[::2]", "127.0.0.1"})
        BOOST_TEST(status(line + "Host: " + other + "\r\n\r\n") == 421U, other);
    for (const char* none : {"::1", ":8443", "[]", ".", "", "[localhost", "[localhost]", "[::1", "[::1]8443", "[::1]:a", "localhost]", "local[host",
                             "localhost:abc", "localhost:80:80", "localhost:8443x", "localhost:123456", "[[::1]]"})
        BOOST_TEST(status(line + "Host: " + none + "\r\n\r\n") == 400U, none);
    // The absolute form counts before the header.
    BOOST_TEST(status("GET http://ca.example/name HTTP/1.1\r\nHost: other\r\n\r\n") == 200U);
    BOOST_TEST(status("GET http://other/name HTTP/1.1\r\nHost: ca.example\r\n\r\n") == 421U);
    BOOST_TEST(status("GET http://ca.example:abc/name HTTP/1.1\r\nHost: ca.example\r\n\r\n") == 400U);
    BOOST_TEST(status("GET http://a@ca.example/name HTTP/1.1\r\nHost: ca.example\r\n\r\n") == 400U);
    BOOST_TEST(status("GET /name HTTP/1.0\r\n\r\n") == 200U);
}

BOOST_AUTO_TEST_CASE(connection_close_is_obeyed) {
    test::RawClient client(port);
    client.send("GET /hello HTTP/1.1\r\n" + host + "Connection: keep-alive, Close\r\n\r\n");
    BOOST_TEST(client.read().has("Connection: close"));
    BOOST_TEST(client.at_end());
}

BOOST_AUTO_TEST_CASE(an_unknown_path_with_a_body_keeps_the_connection) {
    test::RawClient client(port);
    client.send("POST /nothing HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nabc");
    BOOST_TEST(client.read().status == 404U);
    client.send("POST /hello HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nabc");
    const auto wrong_method = client.read();
    BOOST_TEST(wrong_method.status == 405U);
    BOOST_TEST(wrong_method.has("Allow: GET, HEAD\r\n"));
    client.send(get);
    BOOST_TEST(client.read().status == 200U);
}

BOOST_AUTO_TEST_CASE(head_has_the_length_of_get_and_no_body) {
    test::RawClient client(port);
    client.send("HEAD /hello HTTP/1.1\r\n" + host + "\r\n" + get);
    const auto head = client.read(true);
    BOOST_TEST(head.status == 200U);
    BOOST_TEST(head.has("Content-Length: 5\r\n"));
    BOOST_TEST(client.read().body == "hello");
}

BOOST_AUTO_TEST_CASE(no_content_has_no_length) {
    test::RawClient client(port);
    client.send(request("/empty") + get);
    const auto empty = client.read();
    BOOST_TEST(empty.status == 204U);
    BOOST_TEST(!empty.has("Content-Length"));
    BOOST_TEST(client.read().body == "hello");
}

BOOST_AUTO_TEST_CASE(a_large_answer_arrives_whole) {
    test::RawClient client(port);
    client.send(request("/large") + get);
    BOOST_TEST((client.read().body == std::string(3'000'000, 'c')));
    BOOST_TEST(client.read().body == "hello");
}

BOOST_AUTO_TEST_CASE(expect_continue_is_answered_before_the_body) {
    test::RawClient client(port);
    client.send("POST /echo HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    BOOST_TEST(client.read().status == 100U);
    client.send("ab");
    BOOST_TEST(client.read().body == "ab");
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_is_a_500_that_tells_nothing_but_its_id) {
    test::RawClient client(port);
    client.send(request("/throws"));
    const auto answer = client.read();
    BOOST_TEST(answer.status == 500U);
    BOOST_TEST(answer.body == "internal error\n");
    const auto at = answer.head.find("X-Request-Id: ");
    BOOST_REQUIRE(at != answer.head.npos);
    const std::string log = server.log_text();
    BOOST_TEST(log.find("handler_fault") != log.npos);
    BOOST_TEST(log.find("secret path /var/lib/x") != log.npos);
    BOOST_TEST(log.find(answer.head.substr(at + 14, 16)) != log.npos);
    client.send(get);
    BOOST_TEST(client.read().status == 200U);
}

BOOST_AUTO_TEST_CASE(an_unavailable_part_is_a_503_with_retry_after) {
    test::RawClient client(port);
    client.send(request("/unavailable"));
    const auto answer = client.read();
    BOOST_TEST(answer.status == 503U);
    BOOST_TEST(answer.has("Retry-After: 7\r\n"));
    BOOST_TEST(answer.body.find("10.0.0.1") == answer.body.npos);
}

BOOST_AUTO_TEST_CASE(a_header_with_a_line_break_is_never_sent) {
    test::RawClient client(port);
    client.send(request("/split"));
    const auto answer = client.read();
    BOOST_TEST(answer.status == 500U);
    BOOST_TEST(!answer.has("X-Injected"));
}

BOOST_AUTO_TEST_CASE(requests_are_counted_by_route) {
    test::RawClient client(port);
    client.send(get + get + request("/throws"));
    for (int i = 0; i < 3; ++i) client.read();
    const std::string text = server.metrics.scrape();
    const auto line = [&](const std::string& labels) { return text.find("postern_http_requests_total{" + labels) != text.npos; };
    BOOST_TEST(line("listener=\"test\",route=\"/hello\",status=\"200\"} 2"));
    BOOST_TEST(line("listener=\"test\",route=\"/throws\",status=\"500\"} 1"));
    BOOST_TEST(text.find("postern_http_connections{listener=\"test\"} 1") != text.npos);
    BOOST_TEST(text.find("postern_http_request_seconds_count{route=\"/hello\"}") != text.npos);
}

BOOST_AUTO_TEST_CASE(a_stop_lets_the_request_in_flight_end_and_closes_the_idle) {
    test::RawClient idle(port);
    idle.send(get);
    idle.read();
    test::RawClient fresh(port);
    test::RawClient busy(port);
    busy.send(request("/slow"));
    settle(3);
    std::this_thread::sleep_for(milliseconds(50));
    server.stop();
    const auto answer = busy.read();
    BOOST_TEST(answer.body == "done");
    BOOST_TEST(answer.has("Connection: close"));
    BOOST_TEST(idle.at_end());
    BOOST_TEST(fresh.at_end());
    BOOST_TEST(server.server.connections() == 0U);
    BOOST_CHECK_THROW(test::RawClient{port}, std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_stop_cancels_what_outlasts_its_deadline) {
    test::RawClient busy(port);
    busy.send(request("/endless"));
    settle(1);
    server.stop(milliseconds(50));
    BOOST_TEST(server.server.connections() == 0U);
    BOOST_TEST(busy.at_end());
    BOOST_TEST(server.log_text().find("fault") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_unix_socket_is_private_and_knows_its_peer) {
    const std::string path = server.log_path + ".sock";
    const http::Endpoint endpoint("control", path, 0);
    server.server.listen(endpoint, server.router, nullptr);
    struct stat found{};
    BOOST_REQUIRE(::stat(path.c_str(), &found) == 0);
    BOOST_TEST((found.st_mode & 0777U) == 0600U);
    test::RawClient client(path);
    client.send(request("/who"));
    BOOST_TEST(client.read().body == "local " + std::to_string(::getuid()));
    BOOST_CHECK_EXCEPTION(server.server.listen(endpoint, server.router, nullptr), std::runtime_error,
                          [&](const std::runtime_error& e) {
                              return std::string(e.what()) == "control: cannot listen on " + path + ": address in use";
                          });
    server.stop();
    BOOST_TEST(::stat(path.c_str(), &found) != 0);
}

BOOST_AUTO_TEST_CASE(a_stale_unix_socket_is_replaced_and_a_file_is_not) {
    const std::string path = server.log_path + ".sock";
    const http::Endpoint endpoint("control", path, 0);
    {
        test::TestServer crashed;
        crashed.server.listen(endpoint, crashed.router, nullptr);
        BOOST_TEST_REQUIRE(::link(path.c_str(), (path + ".kept").c_str()) == 0);
        crashed.stop();
        ::rename((path + ".kept").c_str(), path.c_str());
    }
    server.server.listen(endpoint, server.router, nullptr);
    test::RawClient client(path);
    client.send(request("/hello"));
    BOOST_TEST(client.read().body == "hello");
    const http::Endpoint file("control", server.log_path, 0);
    BOOST_CHECK_THROW(server.server.listen(file, server.router, nullptr), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_taken_port_is_named) {
    const http::Endpoint endpoint("https", "127.0.0.1", port);
    BOOST_CHECK_EXCEPTION(server.server.listen(endpoint, server.router, nullptr), std::runtime_error,
                          [&](const std::runtime_error& e) {
                              return std::string(e.what()) ==
                                     "https: cannot listen on 127.0.0.1:" + std::to_string(port) + ": address in use";
                          });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(http_server_overload, TwoConnections)

BOOST_AUTO_TEST_CASE(who_says_nothing_gives_way_to_a_newcomer) {
    test::RawClient first(port);
    auto second = std::make_unique<test::RawClient>(port);
    settle(2);
    test::RawClient third(port);
    BOOST_TEST(first.at_end());  // the oldest of the third's shard
    third.send(get);
    BOOST_TEST(third.read().body == "hello");
    second->send(get);
    BOOST_TEST(second->read().body == "hello");
    second.reset();
    settle(1);
    test::RawClient fourth(port);
    fourth.send(get);
    BOOST_TEST(fourth.read().body == "hello");
    third.send(get);  // the fourth found a place of its own
    BOOST_TEST(third.read().body == "hello");
    BOOST_TEST(server.metrics.scrape().find("postern_http_connections_shed_total{reason=\"gave_way\"} 1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(who_is_being_served_does_not_give_way) {
    const int before = handlers_entered;
    test::RawClient first(port);
    test::RawClient second(port);
    first.send(request("/endless"));
    second.send(request("/endless"));
    while (handlers_entered < before + 2) std::this_thread::sleep_for(milliseconds(1));
    test::RawClient third(port);
    BOOST_TEST(third.at_end());
    settle(2);
    BOOST_TEST(server.metrics.scrape().find("postern_http_connections_shed_total{reason=\"turned_away\"} 1") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
