#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/async/task.hpp"
#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/http/message.hpp"

/// HTTP/1.1 client for one exchange at a time: http-01 probes, the command line, tests and bench.
namespace postern::http {

struct ClientLimits {
    ClientLimits() = default;
    std::size_t header_bytes = 16 * 1024;
    std::size_t body_bytes = 1024 * 1024;
    /// true: a longer body is cut there and the exchange succeeds (`Response.close`); false: Problem.
    bool cut_body = false;
    std::chrono::milliseconds connect{5'000};
};

/// Where and how to connect. No look-up happens here: `address` is an IP or an absolute path of
/// a Unix socket, so what was checked is what is dialled (V03).
struct Target {
    Target() = default;
    std::string address;
    std::uint16_t port = 0;
    bool tls = false;
    std::string server_name;  ///< SNI and name check; also the Host header unless host is set
    std::string host;         ///< Host header ("example.com:8080")
    bool verify = true;       ///< false: http-01 redirects to https
    std::string ca_pem;       ///< trust for verify; empty: the system's store
    std::string alpn;         ///< offered protocol, empty: none
};

/// A connection kept over several exchanges. Not thread safe; belongs to its executor.
class ClientConnection {
public:
    /// Errors: connection, tls; `connection` with "timed out" at the deadline.
    static core::Task<core::Result<std::unique_ptr<ClientConnection>>> connect(Target target, ClientLimits limits,
                                                                               core::Deadline deadline);
    virtual ~ClientConnection() = default;
    /// Sends method, target, headers and body; Host and Content-Length are added. Interim answers
    /// (1xx) are skipped. One at a time.
    /// Errors: connection, also for an answer that is no HTTP or over a limit; malformed for a
    /// request that cannot be sent.
    virtual core::Task<core::Result<Response>> exchange(const Request& request, core::Deadline deadline) = 0;
    [[nodiscard]] virtual bool reusable() const noexcept = 0;
    /// Under TLS: DER of the server's leaf, and the protocol that ALPN chose (tls-alpn-01); else empty.
    [[nodiscard]] virtual core::Bytes peer_certificate() const = 0;
    [[nodiscard]] virtual std::string alpn() const = 0;
};

/// connect + one exchange + close.
core::Task<core::Result<Response>> fetch(Target target, Request request, ClientLimits limits, core::Deadline deadline);

}  // namespace postern::http
