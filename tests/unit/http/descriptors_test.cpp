#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <boost/test/unit_test.hpp>

#include "core/async/deadline.hpp"
#include "core/base/descriptors.hpp"
#include "tests/support/none_left.hpp"
#include "tests/unit/http/support.hpp"

using namespace postern;
using test::NoneLeft;
using std::chrono::milliseconds;

namespace {

int made_before() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{60, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

bool connect_to(int fd, std::uint16_t port) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_descriptors)

BOOST_AUTO_TEST_CASE(a_call_without_a_descriptor_is_our_fault_and_not_the_peers) {
    test::TestServer server;
    http::Target target;
    target.address = "127.0.0.1";
    target.port = server.listen();
    const auto connect = [&] {
        http::Request request;
        return http::fetch(target, std::move(request), http::ClientLimits(), core::deadline_in(std::chrono::seconds(30)));
    };
    boost::asio::io_context context(1);
    std::optional<core::Result<http::Response>> outcome;
    const auto ask = [&] {
        boost::asio::co_spawn(context, connect(), [&](std::exception_ptr e, core::Result<http::Response> r) {
            BOOST_TEST(!e);
            outcome.emplace(std::move(r));
        });
        context.restart();
        context.run();
    };
    {
        const NoneLeft none;
        BOOST_TEST(!core::descriptor_left());
        ask();
        BOOST_REQUIRE(outcome && !*outcome);
        BOOST_TEST((outcome->error().kind == core::ProblemKind::unavailable));
    }
    BOOST_TEST(core::descriptor_left());
    ask();
    BOOST_TEST(outcome->has_value());
}

BOOST_AUTO_TEST_CASE(who_waits_longer_than_a_connection_may_say_nothing_is_turned_away) {
    http::ServerLimits limits;
    limits.head = milliseconds(150);
    test::TestServer server(limits);
    const auto port = server.listen();
    const int waiting = made_before();
    const int later = made_before();
    const int kept = made_before();
    char octet = 0;
    {
        const NoneLeft none;
        BOOST_REQUIRE(connect_to(waiting, port));
        BOOST_TEST(::recv(waiting, &octet, 1, 0) <= 0);
        BOOST_REQUIRE(connect_to(later, port));  // the reserve is there for the next one too
        BOOST_TEST(::recv(later, &octet, 1, 0) <= 0);
    }
    BOOST_REQUIRE(connect_to(kept, port));
    const std::string get = "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n";
    BOOST_REQUIRE(::send(kept, get.data(), get.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(get.size()));
    const auto log = [&] { return server.log_text(); };
    for (int i = 0; i < 10'000 && log().find("accept_resumed") == std::string::npos; ++i) std::this_thread::sleep_for(milliseconds(1));
    BOOST_TEST(log().find("accept_resumed") != std::string::npos);
    BOOST_TEST(server.metrics.scrape().find("postern_http_connections_shed_total{reason=\"turned_away\"}") != std::string::npos);
    for (const int fd : {waiting, later, kept}) ::close(fd);
}

BOOST_AUTO_TEST_CASE(the_process_keeps_some_for_itself) {
    BOOST_TEST(core::own_descriptors(20'000) == 256U);
    BOOST_TEST(core::own_descriptors(256) == 64U);
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    rlimit few = before;
    few.rlim_cur = 400;
    ::setrlimit(RLIMIT_NOFILE, &few);
    http::ServerLimits limits;
    limits.connections = 10'000;
    const test::TestServer server(limits);
    BOOST_TEST(server.log_text().find("connections_limited") != std::string::npos);
    core::raise_descriptor_limit(100);
    BOOST_TEST(core::descriptor_limit() == std::min<std::size_t>(400, before.rlim_max));
    core::raise_descriptor_limit(200);
    BOOST_TEST(core::descriptor_limit() == std::min<std::size_t>(456, before.rlim_max));
    ::setrlimit(RLIMIT_NOFILE, &before);
}

BOOST_AUTO_TEST_SUITE_END()
