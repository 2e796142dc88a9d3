#include "app/settings.hpp"

#include "app/store.hpp"

namespace postern::app {

namespace {

std::string text(std::chrono::milliseconds t) { return std::to_string(t.count()) + "ms"; }
std::string text(std::size_t n) { return std::to_string(n); }
std::string text(bool b) { return b ? "true" : "false"; }
std::string text(const std::vector<std::string>& list) {
    std::string out;
    for (const auto& item : list) out += (out.empty() ? "" : ", ") + item;
    return out;
}
std::string text(const std::vector<std::chrono::milliseconds>& list) {
    std::string out;
    for (const auto item : list) out += (out.empty() ? "" : ", ") + text(item);
    return out;
}
template <class Pairs>
std::string pairs(const Pairs& list) {
    std::string out;
    for (const auto& [name, value] : list) out += (out.empty() ? "" : ", ") + name + " = " + value;
    return out;
}

std::string level_text(observe::Level level) {
    switch (level) {
        case observe::Level::debug: return "debug";
        case observe::Level::info: return "info";
        case observe::Level::warning: return "warning";
        case observe::Level::error: return "error";
    }
    return "";
}

}  // namespace

std::vector<Setting> settings_of(const Config& c) {
    constexpr bool live = true, restart = false;
    const auto& l = c.limits;
    return {
        {"public.https", c.public_https, restart},
        {"public.http", c.public_http, restart},
        {"public.est", c.public_est, restart},
        {"listen.https", c.https.authority(), restart},
        {"listen.est", c.est.authority(), restart},
        {"listen.http", c.http.authority(), restart},
        {"listen.management", c.management.authority(), restart},
        {"tls.certificate", c.tls_certificate, live},
        {"tls.key", c.tls_key, live},
        {"store.url", c.store_url.empty() ? "" : shown_store(c), restart},
        {"store.shared", text(c.store_shared), restart},
        {"store.password_file", c.store_password_file, restart},
        {"store.connections", text(c.store_connections), restart},
        {"store.connect_timeout", text(c.store_connect_timeout), restart},
        {"store.statement_timeout", text(c.store_statement_timeout), restart},
        {"secrets.master_key_file", c.master_key_file, restart},
        {"log.level", level_text(c.log_level), live},
        {"log.format", c.log_json ? "json" : "text", restart},
        {"log.file", c.log_file, restart},
        {"est.proxy_certificates", text(c.est_proxy_certificates), restart},
        {"limits.connections", text(l.connections), live},
        {"limits.header_bytes", text(l.header_bytes), live},
        {"limits.header_count", text(l.header_count), live},
        {"limits.uri_bytes", text(l.uri_bytes), live},
        {"limits.handshake", text(l.handshake), live},
        {"limits.head", text(l.head), live},
        {"limits.body", text(l.body), live},
        {"limits.idle", text(l.idle), live},
        {"limits.write", text(l.write), live},
        {"dns.servers", text(c.dns.servers), restart},
        {"dns.dnssec", text(c.dns.dnssec), restart},
        {"dns.trust_anchors", text(c.dns.trust_anchors), restart},
        {"dns.timeout", text(c.dns.timeout), restart},
        {"dns.allow_loopback_servers", text(c.dns.allow_loopback_servers), restart},
        {"dns.stub_zones", pairs(c.dns.stub_zones), restart},
        {"dns.hosts", pairs(c.dns.static_hosts), restart},
        {"outbound.proxy", c.outbound_proxy, restart},
        {"outbound.proxy_user", c.outbound_proxy_user, restart},
        {"outbound.proxy_password_file", c.outbound_proxy_password_file, restart},
        {"outbound.no_proxy", text(c.outbound_no_proxy), restart},
        {"outbound.ca_file", c.outbound_ca_file, restart},
        {"validation.http_01_timeout", text(c.http_01_time), restart},
        {"validation.tls_alpn_01_timeout", text(c.tls_alpn_01_time), restart},
        {"validation.retries", text(c.retries), restart},
        {"ca.name", c.ca_name, restart},
        {"ca.root_key", c.root_key.to_string(), restart},
        {"ca.issuing_key", c.issuing_key.to_string(), restart},
        {"ca.root_lifetime", text(c.root_lifetime), restart},
        {"ca.issuing_lifetime", text(c.issuing_lifetime), restart},
        {"ca.crl_lifetime", text(c.crl_lifetime), restart},
    };
}

}  // namespace postern::app
