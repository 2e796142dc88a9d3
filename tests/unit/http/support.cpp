#include "tests/unit/http/support.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "core/crypto/handles.hpp"

namespace postern::test {
namespace {

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

void bound_waits(int fd) {
    const timeval patience{20, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return name;
}

std::string fresh_path(const char* what) {
    static int number = 0;
    return "/tmp/postern-test-" + std::to_string(::getpid()) + "-" + std::to_string(++number) + what;
}

}  // namespace

Identity make_identity(const std::string& common_name) {
    Identity made;
    const crypto::PkeyPtr key(::EVP_EC_gen("P-256"));
    const crypto::X509Ptr cert(::X509_new());
    ::X509_set_version(cert.get(), X509_VERSION_3);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(cert.get()), 1);
    ::X509_gmtime_adj(::X509_getm_notBefore(cert.get()), -3600);
    ::X509_gmtime_adj(::X509_getm_notAfter(cert.get()), 86'400);
    ::X509_set_pubkey(cert.get(), key.get());
    X509_NAME* name = ::X509_get_subject_name(cert.get());
    const auto* cn = reinterpret_cast<const unsigned char*>(common_name.c_str());
    ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, cn, -1, -1, 0);
    ::X509_set_issuer_name(cert.get(), name);
    X509_EXTENSION* san = ::X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    ::X509_add_ext(cert.get(), san, -1);
    ::X509_EXTENSION_free(san);
    ::X509_sign(cert.get(), key.get(), ::EVP_sha256());
    const crypto::BioPtr cert_pem(::BIO_new(::BIO_s_mem()));
    ::PEM_write_bio_X509(cert_pem.get(), cert.get());
    made.certificate_pem = text_of(cert_pem.get());
    const crypto::BioPtr key_pem(::BIO_new(::BIO_s_mem()));
    ::PEM_write_bio_PKCS8PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    made.key_pem = text_of(key_pem.get());
    made.certificate_der.resize(static_cast<std::size_t>(::i2d_X509(cert.get(), nullptr)));
    unsigned char* end = made.certificate_der.data();
    ::i2d_X509(cert.get(), &end);
    return made;
}

RawClient::RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    bound_waits(fd_);
    const sockaddr_in name = loopback(port);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
        throw std::runtime_error("test client: cannot connect");
}

RawClient::RawClient(const std::string& unix_path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    bound_waits(fd_);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    unix_path.copy(name.sun_path, sizeof name.sun_path - 1);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
        throw std::runtime_error("test client: cannot connect to the socket");
}

RawClient::~RawClient() {
    ::close(fd_);
}

void RawClient::send(const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const ssize_t n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) return;  // refused early: the answer tells
        sent += static_cast<std::size_t>(n);
    }
}

void RawClient::end_sending() {
    ::shutdown(fd_, SHUT_WR);
}

std::string RawClient::receive() {
    std::string part(16 * 1024, '\0');
    const ssize_t n = ::recv(fd_, part.data(), part.size(), 0);
    part.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return part;
}

Message RawClient::read(bool head_request) {
    Message m;
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == buffer_.npos) {
        const std::string more = receive();
        if (more.empty()) return m;
        buffer_ += more;
    }
    m.head = buffer_.substr(0, end + 4);
    buffer_.erase(0, end + 4);
    m.status = static_cast<unsigned>(std::stoul(m.head.substr(9, 3)));
    const auto at = m.head.find("Content-Length: ");
    const std::size_t length = at == m.head.npos || head_request ? 0 : std::stoul(m.head.substr(at + 16));
    while (buffer_.size() < length) {
        const std::string more = receive();
        if (more.empty()) break;
        buffer_ += more;
    }
    m.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return m;
}

bool RawClient::at_end() {
    if (!buffer_.empty()) return false;
    std::string part(16, '\0');
    return receive().empty() && ::recv(fd_, part.data(), part.size(), MSG_DONTWAIT) <= 0 && errno != EAGAIN;
}

RawTlsClient::RawTlsClient(std::uint16_t port, const std::function<void(ssl_ctx_st*)>& configure) : RawClient(port) {
    ctx_ = ::SSL_CTX_new(::TLS_client_method());
    if (configure) configure(ctx_);
    ssl_ = ::SSL_new(ctx_);
    ::SSL_set_fd(ssl_, fd());
    connected_ = ::SSL_connect(ssl_) == 1;
    ::ERR_clear_error();
}

RawTlsClient::~RawTlsClient() {
    ::SSL_free(ssl_);
    ::SSL_CTX_free(ctx_);
    ::ERR_clear_error();
}

core::Bytes RawTlsClient::server_certificate() const {
    core::Bytes der;
    const X509* leaf = ::SSL_get0_peer_certificate(ssl_);
    if (leaf == nullptr) return der;
    der.resize(static_cast<std::size_t>(::i2d_X509(leaf, nullptr)));
    unsigned char* end = der.data();
    ::i2d_X509(leaf, &end);
    return der;
}

std::string RawTlsClient::version() const {
    return ::SSL_get_version(ssl_);
}

std::string RawTlsClient::alpn() const {
    const unsigned char* name = nullptr;
    unsigned length = 0;
    ::SSL_get0_alpn_selected(ssl_, &name, &length);
    return {reinterpret_cast<const char*>(name), length};
}

bool RawTlsClient::renegotiates() {
    const bool done = ::SSL_renegotiate(ssl_) == 1 && ::SSL_do_handshake(ssl_) == 1;
    ::ERR_clear_error();
    return done;
}

void RawTlsClient::send(const std::string& bytes) {
    ::SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    ::ERR_clear_error();
}

std::string RawTlsClient::receive() {
    std::string part(16 * 1024, '\0');
    const int n = ::SSL_read(ssl_, part.data(), static_cast<int>(part.size()));
    ::ERR_clear_error();
    part.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return part;
}

TestServer::TestServer(http::ServerLimits limits)
    : log_path(fresh_path(".log")), log(observe::Level::debug, log_path, true),
      server(http::Server::Deps{shards, random, log, metrics}, limits) {
    // The tests' own OpenSSL clients write to sockets that may be closed.
    ::signal(SIGPIPE, SIG_IGN);
    shards.start();
}

TestServer::~TestServer() {
    if (!stopped_) stop();
    shards.stop();
    ::unlink(log_path.c_str());
}

std::uint16_t TestServer::listen(std::shared_ptr<http::TlsContext> tls) {
    const http::Endpoint endpoint("test", "127.0.0.1", 0);
    const std::uint16_t port = server.listen(endpoint, router, std::move(tls));
    server.start();
    return port;
}

void TestServer::stop(std::chrono::milliseconds limit) {
    stopped_ = true;
    core::run_to_end(server.stop(core::deadline_in(limit)));
}

std::string TestServer::log_text() const {
    const std::ifstream file(log_path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

namespace {

core::Task<http::Response> give(std::shared_ptr<const std::string> text) {
    co_return http::Response(200, "text/plain", *text);
}

}  // namespace

http::Handler text_handler(std::string text) {
    auto kept = std::make_shared<const std::string>(std::move(text));
    return [kept](const http::Request&) { return give(kept); };
}

core::Task<http::Response> echo(const http::Request& request) {
    co_return http::Response(200, "text/plain", request.body);
}

ScriptedServer::ScriptedServer(std::vector<std::string> answers, bool keep_open)
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name = loopback(0);
    ::bind(listener_, reinterpret_cast<const sockaddr*>(&name), sizeof name);
    ::listen(listener_, 16);
    socklen_t size = sizeof name;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&name), &size);
    port_ = ntohs(name.sin_port);
    bound_waits(listener_);
    thread_ = std::thread([this, answers = std::move(answers), keep_open] {
        for (const std::string& answer : answers) {
            const int fd = ::accept(listener_, nullptr, nullptr);
            if (fd < 0) return;
            bound_waits(fd);
            std::string part(16 * 1024, '\0');
            const ssize_t n = ::recv(fd, part.data(), part.size(), 0);
            received_.append(part, 0, n > 0 ? static_cast<std::size_t>(n) : 0);
            ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
            while (keep_open && ::recv(fd, part.data(), part.size(), 0) > 0) {
            }
            ::close(fd);
        }
    });
}

void ScriptedServer::join() {
    if (thread_.joinable()) thread_.join();
}

ScriptedServer::~ScriptedServer() {
    ::shutdown(listener_, SHUT_RDWR);
    join();
    ::close(listener_);
}

}  // namespace postern::test
