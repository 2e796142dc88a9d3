// Requests of mixed good and bad kind on kept connections, TLS and plain: what a server meets that is
// left open to the world. Each must be answered with the status that its kind has coming; one that
// is not fails the run.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace postern::bench {
namespace {

struct Options {
    Options() = default;
    std::uint16_t https = 0, http = 0;
    std::string crl = "/crl/none/0.crl";
    std::size_t requests = 20'000;
    std::size_t workers = 8;
};

/// One kind of request, the octets as they are sent, and the status that it must be answered with.
struct Kind {
    std::string_view name;
    std::string octets;
    int status;
    bool closes;  ///< the server ends the connection after its answer
    bool head;    ///< the answer has no body
};

std::string get(std::string_view path) { return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n"; }

std::string post(std::string_view path, std::string_view type, std::string_view body) {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + std::string(type) +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

constexpr std::string_view unsigned_jws = R"({"protected":"eyJhbGciOiJub25lIn0","payload":"","signature":""})";
constexpr std::string_view chunked_junk =
    "POST /acme/default/new-order HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/jose+json\r\n"
    "Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\nzz\r\n";
constexpr std::string_view two_framings =
    "POST /acme/default/new-order HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What a public HTTPS listener with ACME is asked; the good and the cheap refusals far more often than
/// those that cost a connection.
std::vector<Kind> https_kinds() {
    std::vector<Kind> kinds;
    for (int i = 0; i < 6; ++i) {
        kinds.push_back({"directory", get("/acme/default/directory"), 200, false, false});
        kinds.push_back({"nonce", "HEAD /acme/default/new-nonce HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, false, true});
        kinds.push_back({"bad JWS", post("/acme/default/new-account", "application/jose+json", unsigned_jws), 400, false, false});
        kinds.push_back({"no JSON", post("/acme/default/new-order", "application/jose+json", "{\"protected\":"), 400, false, false});
        kinds.push_back({"other media type", post("/acme/default/new-order", "text/plain", "x"), 415, false, false});
        kinds.push_back({"no such endpoint", get("/acme/none/directory"), 404, false, false});
        kinds.push_back({"no such path", get("/nothing?a=b"), 404, false, false});
        kinds.push_back({"other method", "DELETE /acme/default/directory HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, false, false});
        kinds.push_back({"no credential", get("/api/postern/v1/certificates"), 401, false, false});
    }
    kinds.push_back({"junk in chunks", std::string(chunked_junk), 400, true, false});
    return kinds;
}

std::vector<Kind> http_kinds(const Options& o) {
    std::vector<Kind> kinds;
    for (int i = 0; i < 8; ++i) {
        kinds.push_back({"CRL", get(o.crl), 200, false, false});
        kinds.push_back({"no such CRL", get("/crl/0000/0.crl"), 404, false, false});
        kinds.push_back({"no such path", get("/nothing"), 404, false, false});
        kinds.push_back({"other method", "PUT " + o.crl + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", 405, false, false});
    }
    kinds.push_back({"long head", "GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + std::string(20'000, 'a') + "\r\n\r\n", 431, true, false});
    kinds.push_back({"long URI", get("/" + std::string(9'000, 'a')), 414, true, false});
    kinds.push_back({"two framings", std::string(two_framings), 400, true, false});
    kinds.push_back({"junk in chunks", std::string(chunked_junk), 400, true, false});
    kinds.push_back({"no HTTP", "\x16\x03\x01 hello\r\n\r\n", 400, true, false});
    kinds.push_back({"no host", "GET / HTTP/1.1\r\n\r\n", 400, true, false});
    kinds.push_back({"long body", "POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n", 413, true, false});
    return kinds;
}

struct SslDelete {
    void operator()(SSL_CTX* p) const noexcept { SSL_CTX_free(p); }
    void operator()(SSL* p) const noexcept { SSL_free(p); }
};

/// A blocking connection, plain or TLS. The server's name and issuer are not what is measured here.
class Connection {
public:
    Connection(std::uint16_t port, SSL_CTX* tls) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (fd_ < 0) throw std::runtime_error("no socket");
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_port = htons(port);
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int on = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const timeval patience{60, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (::connect(fd_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) throw std::runtime_error("cannot connect");
        if (tls == nullptr) return;
        ssl_.reset(SSL_new(tls));
        SSL_set_fd(ssl_.get(), fd_);
        if (SSL_connect(ssl_.get()) != 1) throw std::runtime_error("no TLS handshake");
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() {
        if (ssl_) SSL_shutdown(ssl_.get());
        ::close(fd_);
    }

    void write(std::string_view octets) {
        while (!octets.empty()) {
            const auto n = ssl_ ? SSL_write(ssl_.get(), octets.data(), static_cast<int>(octets.size()))
                                : ::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
            if (n <= 0) throw std::runtime_error("the server broke off while the request was sent");
            octets.remove_prefix(static_cast<std::size_t>(n));
        }
    }
    /// The status of the answer, read to its end.
    int read_answer(bool head) {
        std::size_t end = std::string::npos;
        while ((end = in_.find("\r\n\r\n")) == std::string::npos) fill();
        const int status = std::stoi(in_.substr(9, 3));
        std::size_t length = 0;
        const auto field = in_.find("\r\nContent-Length: ");
        if (!head && field < end) length = std::stoul(in_.substr(field + 18));
        while (in_.size() < end + 4 + length) fill();
        in_.erase(0, end + 4 + length);
        return status;
    }

private:
    void fill() {
        std::array<char, 16 * 1024> part;
        const auto n = ssl_ ? SSL_read(ssl_.get(), part.data(), part.size()) : ::recv(fd_, part.data(), part.size(), 0);
        if (n <= 0) throw std::runtime_error("the server broke off before its answer was whole");
        in_.append(part.data(), static_cast<std::size_t>(n));
    }

    int fd_;
    std::unique_ptr<SSL, SslDelete> ssl_;
    std::string in_;
};

class Mix {
public:
    explicit Mix(const Options& options) : options_(options), tls_(SSL_CTX_new(TLS_client_method())) {}

    /// 0 when every answer was the one due.
    int run() {
        const auto begin = std::chrono::steady_clock::now();
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < options_.workers; ++i) threads.emplace_back([this, i] { work(i); });
        for (auto& thread : threads) thread.join();
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        const auto done = static_cast<double>(options_.requests);
        if (failure_.empty())
            std::printf("%.0f requests, %.0f/s, %zu connections\n", done, done / took.count(), connections_.load());
        else
            std::fprintf(stderr, "http_mix: %s\n", failure_.c_str());
        return failure_.empty() ? 0 : 1;
    }

private:
    /// Even workers ask over TLS, odd ones plainly, each one kind after the other.
    void work(std::size_t index) {
        const bool secure = index % 2 == 0;
        const auto kinds = secure ? https_kinds() : http_kinds(options_);
        std::unique_ptr<Connection> connection;
        const Kind* kind = nullptr;
        try {
            for (std::size_t n = index; begun_.fetch_add(1) < options_.requests && !stop_; ++n) {
                kind = &kinds[n % kinds.size()];
                if (!connection) {
                    connection = std::make_unique<Connection>(secure ? options_.https : options_.http, secure ? tls_.get() : nullptr);
                    ++connections_;
                }
                connection->write(kind->octets);
                const int status = connection->read_answer(kind->head);
                if (status != kind->status)
                    throw std::runtime_error("answered with " + std::to_string(status) + ", not " + std::to_string(kind->status));
                if (kind->closes) connection.reset();
            }
        } catch (const std::exception& e) {
            const std::lock_guard lock(mutex_);
            stop_ = true;
            failure_ = (kind != nullptr ? std::string(kind->name) + ": " : std::string()) + e.what();
        }
    }

    const Options& options_;
    std::unique_ptr<SSL_CTX, SslDelete> tls_;
    std::atomic<std::size_t> begun_{0}, connections_{0};
    std::atomic<bool> stop_{false};
    std::mutex mutex_;
    std::string failure_;
};

int run(int argc, char** argv) {
    Options o;
    CLI::App app("Requests of mixed good and bad kind for a Postern on this machine", "http_mix");
    app.add_option("--https", o.https, "port of the https listener")->required();
    app.add_option("--http", o.http, "port of the http listener")->required();
    app.add_option("--crl", o.crl, "path of a CRL that exists")->required();
    app.add_option("--requests", o.requests, "how many");
    app.add_option("--workers", o.workers, "connections at a time, half of them TLS");
    CLI11_PARSE(app, argc, argv);
    return Mix(o).run();
}

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) { return postern::bench::run(argc, argv); }
