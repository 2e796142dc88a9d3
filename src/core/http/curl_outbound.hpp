#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/http/outbound.hpp"

namespace postern::http {

struct OutboundConfig {
    OutboundConfig() = default;
    std::shared_ptr<const Proxy> proxy;   ///< null: none. The environment's proxies are never used
    std::vector<std::string> no_proxy;    ///< hosts and domains that are reached without it
    std::string ca_file;                  ///< PEM; empty: the system's certificates
    std::string user_agent = "Postern";
    std::size_t at_once = 512;            ///< exchanges under way; more are refused
    std::chrono::milliseconds connect{5'000};  ///< look-up, connection and handshakes together
};

/// libcurl in one thread of its own. Throws std::runtime_error where libcurl lacks what it needs (TLS, a threaded resolver).
std::unique_ptr<Outbound> make_curl_outbound(OutboundConfig config);

}  // namespace postern::http
