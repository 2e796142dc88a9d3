#pragma once
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "bench/openssl_handles.hpp"
#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

/// A small RFC 7030 client for servers on this machine, over OpenSSL alone: the load generator's.
namespace postern::bench {

using Tls = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;
using X509Certificate = std::unique_ptr<X509, Deleter<X509_free>>;

struct EstSettings {
    EstSettings() = default;
    std::string url;                              ///< "https://localhost:8443/.well-known/est/equipment", dialled on 127.0.0.1
    std::string ca_file;                          ///< PEM, trust for the server's certificate
    std::string user, password;
    std::chrono::milliseconds step_time{20'000};  ///< for one read or write
    /// How long a request is sent again after a lost connection, a 503 or a 202; zero: not at all.
    std::chrono::milliseconds retry_for{0};
    bool retry_faults = false;                    ///< after a 500, too
};

/// A key, and a PKCS #10 request for it in base64.
struct EstRequest {
    EstRequest() = default;
    std::string name;  ///< common name
    Key key;           ///< P-256
    std::string body;
};
EstRequest make_est_request(std::string name);

/// One device and its connection. One call at a time.
class EstClient {
public:
    explicit EstClient(const EstSettings& settings);
    ~EstClient();
    EstClient(const EstClient&) = delete;
    EstClient& operator=(const EstClient&) = delete;

    /// simpleenroll with user name and password, over a kept connection; the body of a 200.
    core::Result<std::string> enroll(const EstRequest& request);
    /// simplereenroll over a new connection, with the certificate of show().
    core::Result<std::string> renew(const EstRequest& request);
    /// Who the client is in the handshakes from now on.
    void show(X509Certificate certificate, const Key& key);

    [[nodiscard]] std::uint64_t posts() const noexcept { return posts_; }
    [[nodiscard]] std::uint64_t losses() const noexcept { return losses_; }
    [[nodiscard]] std::uint64_t faults() const noexcept { return faults_; }

private:
    struct Answer;
    class Connection;
    core::Result<std::string> send(const EstRequest& request, std::string_view operation, bool anew);
    Answer exchange(const std::string& octets, bool anew);

    const EstSettings& settings_;
    std::string host_, path_, credentials_;
    std::uint16_t port_ = 0;
    Tls tls_;
    std::unique_ptr<Connection> connection_;
    std::uint64_t posts_ = 0, losses_ = 0, faults_ = 0;
};

/// The one certificate of an answer (RFC 7030 §4.2.3); it must hold the request's key and name.
core::Result<X509Certificate> open_est_answer(std::string_view body, const EstRequest& request);
core::Bytes der_of(const X509Certificate& certificate);

}  // namespace postern::bench
