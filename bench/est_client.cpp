#include "bench/est_client.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <thread>

#include "bench/acme_client.hpp"
#include "core/base/encoding.hpp"

namespace postern::bench {
namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;
using Request = std::unique_ptr<X509_REQ, Deleter<X509_REQ_free>>;
using Certificates = std::unique_ptr<PKCS7, Deleter<PKCS7_free>>;

constexpr std::chrono::milliseconds retry_pause{50};

Problem malformed(const std::string& what) { return Problem(ProblemKind::malformed, what); }

/// No answer came.
struct Lost : std::runtime_error {
    using std::runtime_error::runtime_error;
};

template <class Object, class Write>
core::Bytes to_der(Object* object, Write write) {
    core::Bytes out(static_cast<std::size_t>(write(object, nullptr)));
    auto* at = out.data();
    write(object, &at);
    return out;
}

std::string without_white_space(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (c != ' ' && c != '\r' && c != '\n' && c != '\t') out += c;
    return out;
}

}  // namespace

struct EstClient::Answer {
    int status = 0;
    std::string body;
};

/// A blocking TLS connection.
class EstClient::Connection {
public:
    Connection(std::uint16_t port, const std::string& host, SSL_CTX* tls, std::chrono::milliseconds patience)
        : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        must(fd_ >= 0, "a socket");
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_port = htons(port);
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int on = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const timeval time{patience.count() / 1000, (patience.count() % 1000) * 1000};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
        ssl_.reset(SSL_new(tls));
        SSL_set_fd(ssl_.get(), fd_);
        SSL_set_tlsext_host_name(ssl_.get(), host.c_str());
        SSL_set1_host(ssl_.get(), host.c_str());
        const bool connected = ::connect(fd_, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
        if (connected && SSL_connect(ssl_.get()) == 1) return;
        const auto verdict = SSL_get_verify_result(ssl_.get());
        ::close(fd_);
        if (connected && verdict != X509_V_OK) throw std::runtime_error(std::string("the server's certificate: ") + X509_verify_cert_error_string(verdict));
        throw Lost(connected ? "no TLS handshake" : "cannot connect");
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() {
        SSL_shutdown(ssl_.get());
        ::close(fd_);
    }

    Answer exchange(std::string_view octets) {
        if (SSL_write(ssl_.get(), octets.data(), static_cast<int>(octets.size())) != static_cast<int>(octets.size())) throw Lost("the request was not sent");
        std::string in;
        std::size_t head = std::string::npos;
        while ((head = in.find("\r\n\r\n")) == std::string::npos) fill(in);
        Answer out;
        std::from_chars(in.data() + 9, in.data() + 12, out.status);
        std::size_t length = 0;
        const std::string_view field = "\r\nContent-Length: ";
        const auto at = in.find(field);
        if (at == std::string::npos || at > head) throw std::runtime_error("an answer without Content-Length");
        std::from_chars(in.data() + at + field.size(), in.data() + head, length);
        while (in.size() < head + 4 + length) fill(in);
        out.body = in.substr(head + 4, length);
        return out;
    }

private:
    void fill(std::string& in) {
        std::array<char, 4096> room{};
        const int got = SSL_read(ssl_.get(), room.data(), static_cast<int>(room.size()));
        if (got <= 0) throw Lost("the connection ended before the answer did");
        in.append(room.data(), static_cast<std::size_t>(got));
    }

    int fd_;
    std::unique_ptr<SSL, Deleter<SSL_free>> ssl_;
};

EstRequest make_est_request(std::string name) {
    EstRequest out;
    out.name = std::move(name);
    out.key.reset(EVP_EC_gen("P-256"));
    const Request csr(X509_REQ_new());
    must(out.key && csr, "making a key");
    must(X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(csr.get()), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(out.name.c_str()), -1, -1, 0) == 1 &&
             X509_REQ_set_pubkey(csr.get(), out.key.get()) == 1 && X509_REQ_sign(csr.get(), out.key.get(), EVP_sha256()) > 0,
         "signing a request");
    out.body = core::base64(to_der(csr.get(), &i2d_X509_REQ));
    return out;
}

EstClient::EstClient(const EstSettings& settings) : settings_(settings), tls_(SSL_CTX_new(TLS_client_method())) {
    const auto url = Url::parse(settings.url).value();
    host_ = url.host;
    path_ = url.target;
    port_ = url.port;
    const auto pair = settings.user + ":" + settings.password;
    credentials_ = core::base64(core::as_bytes(pair));
    must(tls_ != nullptr, "making a TLS context");
    SSL_CTX_set_verify(tls_.get(), SSL_VERIFY_PEER, nullptr);
    must(SSL_CTX_load_verify_file(tls_.get(), settings.ca_file.c_str()) == 1, "reading the CA's certificate");
}
EstClient::~EstClient() = default;

void EstClient::show(X509Certificate certificate, const Key& key) {
    must(SSL_CTX_use_certificate(tls_.get(), certificate.get()) == 1 && SSL_CTX_use_PrivateKey(tls_.get(), key.get()) == 1, "using the certificate");
}

EstClient::Answer EstClient::exchange(const std::string& octets, bool anew) {
    if (anew) connection_.reset();
    if (!connection_) connection_ = std::make_unique<Connection>(port_, host_, tls_.get(), settings_.step_time);
    return connection_->exchange(octets);
}

Result<std::string> EstClient::send(const EstRequest& request, std::string_view operation, bool anew) {
    auto octets = "POST " + path_ + "/" + std::string(operation) + " HTTP/1.1\r\nHost: " + host_ + ":" + std::to_string(port_) +
                  "\r\nUser-Agent: postern-bench/1\r\nContent-Type: application/pkcs10\r\nContent-Length: " + std::to_string(request.body.size()) + "\r\n";
    if (!anew) octets += "Authorization: Basic " + credentials_ + "\r\n";
    octets += "\r\n" + request.body;
    const auto give_up = std::chrono::steady_clock::now() + settings_.retry_for;
    for (;;) {
        ++posts_;
        Answer answer;
        std::string lost;
        try {
            answer = exchange(octets, anew);
        } catch (const Lost& why) {
            lost = why.what();
            connection_.reset();
            ++losses_;
        }
        if (answer.status == 200) return std::move(answer.body);
        const bool fault = answer.status == 500;
        faults_ += fault ? 1 : 0;
        const bool again = answer.status == 0 || answer.status == 202 || answer.status == 503 || (fault && settings_.retry_faults);
        if (!again || std::chrono::steady_clock::now() >= give_up)
            return malformed(answer.status == 0 ? lost : "answered " + std::to_string(answer.status) + ": " + answer.body.substr(0, 200));
        std::this_thread::sleep_for(retry_pause);
    }
}

Result<std::string> EstClient::enroll(const EstRequest& request) { return send(request, "simpleenroll", false); }
Result<std::string> EstClient::renew(const EstRequest& request) { return send(request, "simplereenroll", true); }

Result<X509Certificate> open_est_answer(std::string_view body, const EstRequest& request) {
    const auto der = core::from_base64(without_white_space(body));
    if (!der) return malformed("the answer is no base64");
    const auto* at = der->data();
    const Certificates bag(d2i_PKCS7(nullptr, &at, static_cast<long>(der->size())));
    if (!bag || PKCS7_type_is_signed(bag.get()) != 1 || sk_X509_num(bag->d.sign->cert) != 1) return malformed("the answer holds not just one certificate");
    X509Certificate out(sk_X509_pop(bag->d.sign->cert));
    std::array<char, 128> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(out.get()), NID_commonName, name.data(), static_cast<int>(name.size()));
    if (request.name != name.data()) return malformed("the certificate is for " + std::string(name.data()));
    if (EVP_PKEY_eq(X509_get0_pubkey(out.get()), request.key.get()) != 1) return malformed("the certificate holds another key");
    return out;
}

core::Bytes der_of(const X509Certificate& certificate) { return to_der(certificate.get(), &i2d_X509); }

}  // namespace postern::bench
