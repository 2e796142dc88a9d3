#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/async/task.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/http/message.hpp"

/// HTTPS to services of others (Entra and Intune, webhooks, CRLs and OCSP of other CAs), through a
/// proxy where there is one. What a stranger names (http-01) goes through ClientConnection instead.
namespace postern::http {

/// An HTTP proxy: CONNECT for https, absolute URLs for http.
struct Proxy {
    Proxy() = default;
    std::string url;            ///< "http://proxy.example:3128": http or https, host, port
    std::string user;           ///< empty: the proxy asks nobody
    core::SecretText password;  ///< Basic authentication
};

/// Tells why an address must not be dialled, or nullopt (validation::why_forbidden is one). Behind a proxy,
/// where names are looked up elsewhere, it sees the proxy's address alone.
using AddressGuard = std::optional<std::string_view> (*)(std::string_view address) noexcept;

struct OutboundRequest {
    OutboundRequest() = default;
    OutboundRequest(Method m, std::string u) : method(m), url(std::move(u)) {}
    Method method = Method::get;        ///< get, head, post, put, patch or delete_
    std::string url;                    ///< absolute; no user information, no fragment
    Headers headers;                    ///< Host, Content-Length and User-Agent are added
    std::string body;
    std::size_t most = 64 * 1024;       ///< octets of the answer's body; a longer answer is a Problem
    bool plain_allowed = false;         ///< http:// too (CRLs, OCSP); else https alone
    std::shared_ptr<const Proxy> proxy; ///< null: the process's ([outbound] proxy), if it has one
    std::string ca_pem;                 ///< trusted instead of the process's ([outbound] ca_file, else the system's); empty: those
    AddressGuard guard = nullptr;       ///< null: any address, which suits what an administrator configured
    bool fresh = false;                 ///< on a connection of its own: a test of the way there
};

/// Thread safe; resumes on the caller's executor. Connections are kept alive and shared by all callers.
/// TLS ≥ 1.2, the certificate and the name always verified; redirects are answers like any other and
/// never followed; no cookies, no compression, no credentials but those in the request.
class Outbound {
public:
    virtual ~Outbound() = default;
    /// One exchange, whatever the status of the answer. A connection that was kept and turns out dead is
    /// replaced, unseen. A caller that is cancelled leaves at once, and the transfer is dropped.
    /// Errors, by `check`, with the detail as a sentence that names the host and never the body or a header:
    ///   outbound.request     malformed   not an absolute URL of an allowed scheme, or a header that is none
    ///   outbound.dns         dns         the name of the host, or of the proxy, is unknown
    ///   outbound.address     forbidden   the guard refused
    ///   outbound.connect     connection  nobody took the connection
    ///   outbound.tls         tls         no TLS, or a certificate that is not trusted or has another name
    ///   outbound.proxy       connection  the proxy refused (407: its user or password; else its status)
    ///   outbound.timeout     connection  the deadline passed
    ///   outbound.cut         connection  the peer ended before its answer did, or it was no HTTP
    ///   outbound.too_long    malformed   the answer is longer than `most`
    ///   outbound.full        unavailable too many exchanges wait already, or the server stops
    virtual core::Task<core::Result<Response>> exchange(OutboundRequest request, core::Deadline deadline) = 0;
};

}  // namespace postern::http
