#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/async/task.hpp"
#include "core/base/bytes.hpp"
#include "core/base/ids.hpp"

/// Plain HTTP messages: handlers never see Beast.
namespace postern::http {

enum class Method { get, head, post, put, patch, delete_, options, other };
std::string_view to_string(Method m) noexcept;
/// Case-sensitive, as RFC 9110 §9.1 wants it; `other` for a method not listed.
Method method_from(std::string_view token) noexcept;

using Headers = std::vector<std::pair<std::string, std::string>>;

/// What more is known of a connection on a listener that asks for client certificates; taken once, after the handshake.
struct TlsFacts {
    TlsFacts() = default;
    std::vector<core::Bytes> sent;        ///< DER, what came with the leaf, in order; nothing in it was verified
    bool tls_1_3 = false;
    bool extended_master_secret = false;  ///< RFC 7627, negotiated in TLS 1.2
    core::Bytes unique;                   ///< tls-unique (RFC 5929 §3): the first Finished; empty in TLS 1.3
    core::Bytes exporter;                 ///< tls-exporter (RFC 9266): 32 octets; empty in TLS 1.2 without extended_master_secret
};

/// Who is at the other end of the connection.
struct Peer {
    Peer() = default;
    std::string address;                    ///< textual IP, or "local" for the control socket
    std::uint16_t port = 0;
    bool tls = false;
    std::optional<std::uint32_t> unix_uid;  ///< SO_PEERCRED on the control socket
    core::Bytes client_certificate;         ///< DER of the TLS leaf, empty when none was shown
    std::shared_ptr<const TlsFacts> tls_facts;  ///< null where no client certificate is asked for
};

/// Values that the route's pattern captured, in pattern order.
class Params {
public:
    void add(std::string_view name, std::string value) { values_.emplace_back(name, std::move(value)); }
    /// Throws std::logic_error for a name that the pattern does not have.
    [[nodiscard]] const std::string& operator[](std::string_view name) const;

private:
    std::vector<std::pair<std::string_view, std::string>> values_;
};

struct Request {
    Request() = default;
    Method method = Method::other;
    std::string target;  ///< as on the request line, byte for byte
    std::string path;    ///< target up to '?'
    std::string query;   ///< after '?', may be empty
    std::string host;    ///< the name it was sent to, in small letters and without a port; empty in HTTP/1.0 without Host
    Headers headers;     ///< names as sent
    std::string body;
    Peer peer;
    core::RequestId id;
    core::Deadline deadline{};
    Params params;

    /// First header of that name, case-insensitively; empty when absent.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
    /// Percent-decoded query parameter; nullopt when absent or ill-encoded.
    [[nodiscard]] std::optional<std::string> query_value(std::string_view name) const;
};

struct Response {
    Response() = default;
    explicit Response(unsigned s) : status(s) {}
    Response(unsigned s, std::string_view content_type, std::string b);
    unsigned status = 200;
    Headers headers;
    std::string body;
    bool close = false;  ///< end the connection after this answer
    bool secret = false; ///< its octets are wiped once they are sent

    Response& set(std::string_view name, std::string_view value);  ///< adds one header line
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
};

std::string_view reason_phrase(unsigned status) noexcept;
/// True when `value` is `type` with any parameters, in any letter case.
bool media_type_is(std::string_view value, std::string_view type) noexcept;
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace postern::http
