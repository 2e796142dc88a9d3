#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/async/task.hpp"
#include "core/base/result.hpp"
#include "core/crypto/key.hpp"
#include "core/http/client.hpp"

/// A small RFC 8555 client for loopback servers: the load generator's and the integration tests'.
namespace postern::bench {

struct Url {
    Url() = default;
    std::string scheme;
    std::string host;  ///< without brackets for IPv6
    std::uint16_t port = 0;
    std::string target = "/";
    /// "https://localhost:14000/dir"; anything else is `malformed`.
    static core::Result<Url> parse(std::string_view text);
    [[nodiscard]] bool same_server(const Url& other) const noexcept {
        return scheme == other.scheme && host == other.host && port == other.port;
    }
};

struct AcmeSettings {
    AcmeSettings() = default;
    std::string directory;  ///< URL; a host that is no address is dialled on 127.0.0.1
    std::string ca_pem;     ///< trust for the server's certificate; empty: not verified
    std::chrono::milliseconds step_time{10'000};  ///< for one exchange
    /// How long a step is repeated after a lost connection or a 503; zero: not at all.
    std::chrono::milliseconds retry_for{0};
    /// Repeats after a 500 too, as clients do that know a transient fault of a server when they see one.
    bool retry_faults = false;
};

struct AcmeOrder {
    AcmeOrder() = default;
    std::string url;
    std::string status;
    std::vector<std::string> authorizations;
    std::string finalize;
    std::string certificate;  ///< empty until valid
    std::string error;        ///< type and detail of the problem of an invalid order
};

struct AcmeChallenge {
    AcmeChallenge() = default;
    std::string type;
    std::string url;
    std::string token;
    std::string status;
    std::string error;
};

struct AcmeAuthorization {
    AcmeAuthorization() = default;
    std::string identifier;
    std::string status;
    std::vector<AcmeChallenge> challenges;
    /// Null when this authorization does not offer the type.
    [[nodiscard]] const AcmeChallenge* find(std::string_view type) const noexcept;
    /// The first challenge error, for messages.
    [[nodiscard]] std::string error() const;
};

/// One account over one kept connection. Belongs to one executor, one call at a time. A refusal of
/// the server is a Problem whose `check` is the last word of the ACME type ("orderNotReady") and
/// whose `detail` has the status and the server's own words; `unavailable` for 429 and 503.
class AcmeClient {
public:
    enum class Identify { by_account, by_key };

    AcmeClient(AcmeSettings settings, crypto::PrivateKey account_key);

    /// Reads the directory.
    core::Task<core::Result<void>> open();
    /// newAccount with termsOfServiceAgreed; the account URL is kept.
    core::Task<core::Result<void>> register_account();
    core::Task<core::Result<AcmeOrder>> new_order(std::vector<std::string> dns_names);
    core::Task<core::Result<AcmeOrder>> order(std::string url);
    core::Task<core::Result<AcmeAuthorization>> authorization(std::string url);
    /// Tells the server to validate; the answer is the challenge.
    core::Task<core::Result<AcmeChallenge>> challenge(std::string url);
    core::Task<core::Result<AcmeOrder>> finalize(AcmeOrder order, core::Bytes csr_der);
    /// The chain as DER, leaf first.
    core::Task<core::Result<std::vector<core::Bytes>>> certificate(std::string url);
    core::Task<core::Result<void>> revoke(core::Bytes certificate_der, int reason);

    /// One signed POST with the retries of the settings and of badNonce (RFC 8555 §6.5); an empty
    /// payload is POST-as-GET. Any status under 400 is a value.
    core::Task<core::Result<http::Response>> post(std::string url, std::string payload, Identify by);

    /// token.thumbprint (RFC 8555 §8.1)
    [[nodiscard]] std::string key_authorization(std::string_view token) const;
    [[nodiscard]] const std::string& account_url() const noexcept { return account_url_; }
    /// Signed POSTs that were sent, repeated ones too.
    [[nodiscard]] std::uint64_t posts() const noexcept { return posts_; }
    /// How many exchanges ended without an answer.
    [[nodiscard]] std::uint64_t losses() const noexcept { return losses_; }
    /// How many answers were a 500.
    [[nodiscard]] std::uint64_t faults() const noexcept { return faults_; }
    /// The next call dials anew.
    void disconnect() noexcept { connection_.reset(); }

private:
    core::Task<core::Result<http::Response>> exchange(http::Request request);
    core::Task<core::Result<http::Response>> get(std::string url, http::Method method);
    core::Task<core::Result<http::Response>> post_once(std::string url, std::string payload, Identify by);
    core::Task<core::Result<void>> ensure_nonce();
    /// Whether a failed step may be repeated: no answer came or the server is busy (or had a fault,
    /// when the settings say so), and there is time.
    [[nodiscard]] bool may_pass(const core::Problem& problem, std::uint64_t losses_before,
                                core::Deadline give_up) const;
    [[nodiscard]] core::Result<std::string> target_of(std::string_view url) const;
    [[nodiscard]] std::string signed_body(std::string_view url, std::string_view payload, Identify by);

    AcmeSettings settings_;
    crypto::PrivateKey key_;
    std::string jwk_;
    std::string thumbprint_;
    Url server_;
    std::string new_nonce_, new_account_, new_order_, revoke_cert_;
    std::string account_url_;
    std::string nonce_;  ///< the next one to use, empty when there is none
    std::unique_ptr<http::ClientConnection> connection_;
    std::uint64_t posts_ = 0;
    std::uint64_t losses_ = 0;
    std::uint64_t faults_ = 0;
};

}  // namespace postern::bench
