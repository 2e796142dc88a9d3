#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "bench/acme_client.hpp"
#include "core/base/random.hpp"
#include "core/crypto/certificate.hpp"
#include "core/crypto/cms_certificate.hpp"

/// A small RFC 8894 client for servers on this machine: the load generator's.
namespace postern::bench {

struct ScepSettings {
    ScepSettings() = default;
    std::string url;                              ///< "http://127.0.0.1:8080/scep/devices"
    std::chrono::milliseconds step_time{20'000};  ///< for one exchange
    /// How long a message is sent again after a lost connection, a 503 or PENDING; zero: not at all.
    std::chrono::milliseconds retry_for{0};
    bool retry_faults = false;                    ///< after a 500, too
};

/// A PKCSReq, and what its answer is judged by.
struct Enrollment {
    Enrollment() = default;
    std::string transaction_id;
    core::Bytes message;
    const crypto::CmsIdentity* device = nullptr;
};

/// One kept connection. Belongs to one executor, one call at a time.
class ScepClient {
public:
    explicit ScepClient(ScepSettings settings);

    /// GetCACert: whom messages are encrypted to, the first certificate that allows it and holds an RSA key.
    core::Task<core::Result<crypto::CmsParty>> recipient();
    /// Sends the message until it is answered; the body of a 200.
    core::Task<core::Result<core::Bytes>> send(const Enrollment& enrollment);

    [[nodiscard]] std::uint64_t posts() const noexcept { return posts_; }
    [[nodiscard]] std::uint64_t losses() const noexcept { return losses_; }
    [[nodiscard]] std::uint64_t faults() const noexcept { return faults_; }

private:
    core::Task<core::Result<http::Response>> exchange(http::Request request);

    ScepSettings settings_;
    Url server_;
    std::unique_ptr<http::ClientConnection> connection_;
    std::uint64_t posts_ = 0, losses_ = 0, faults_ = 0;
};

/// Whether a CertRep (RFC 8894 §3.3.2) says SUCCESS to this transaction under a signature that holds; a refusal's text is
/// in the Problem.
core::Result<void> check_success(core::BytesView reply, const Enrollment& enrollment);
/// The certificate in it: decrypted, and holding the device's key.
core::Result<crypto::Certificate> open_success(core::BytesView reply, const Enrollment& enrollment, core::Random& random);

}  // namespace postern::bench
