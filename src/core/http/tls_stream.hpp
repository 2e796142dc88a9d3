#pragma once
#include <memory>
#include <string>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/http/client.hpp"
#include "core/http/message.hpp"
#include "core/http/stream.hpp"

namespace boost::asio::ssl {
class context;
}

/// TLS over a Socket by OpenSSL with memory buffers. For core/http only.
namespace postern::http {

class TlsStream : public Stream {
public:
    /// False with `reason()` for the log.
    virtual core::Task<bool> handshake() = 0;
    [[nodiscard]] virtual const std::string& reason() const noexcept = 0;
    /// DER of the peer's leaf, empty when none was shown.
    [[nodiscard]] virtual core::Bytes peer_certificate() const = 0;
    /// After the handshake, on the server's side.
    [[nodiscard]] virtual TlsFacts facts() const = 0;
    /// The protocol that ALPN chose; empty: none.
    [[nodiscard]] virtual std::string alpn() const = 0;
};

/// `socket` must outlive the stream; the context is kept as long as the stream lives.
std::unique_ptr<TlsStream> tls_server_stream(Socket& socket, std::shared_ptr<boost::asio::ssl::context> context);
/// Verifies as the target says. `tls` when its trust anchors or protocol name cannot be used.
core::Result<std::unique_ptr<TlsStream>> tls_client_stream(Socket& socket, const Target& target);

}  // namespace postern::http
