#pragma once
#include <optional>
#include <set>

#include "core/base/result.hpp"
#include "core/http/message.hpp"

namespace postern::est {

/// TLS-terminating proxies that may say whose client certificate they saw (RFC 9440). Each proves itself by the certificate of its
/// own connection to this server, which must be one of these to the octet; header fields of anybody else say nothing.
class Proxies {
public:
    Proxies() = default;
    /// `certificates`: DER.
    explicit Proxies(const std::vector<core::Bytes>& certificates) : known_(certificates.begin(), certificates.end()) {}

    /// Who is behind a proxy: the connection with the client certificate that Client-Cert names, or none, and without the facts that
    /// bind a request to a connection. nullopt: this is no proxy. Errors: malformed, "est.proxy".
    [[nodiscard]] core::Result<std::optional<http::Peer>> behind(const http::Request& request) const;

private:
    std::set<core::Bytes> known_;
};

}  // namespace postern::est
