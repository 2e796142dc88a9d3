// app::read_config_text: the same bytes give the same settings, and what is accepted can be served.
#include "app/config.hpp"

#include <algorithm>
#include <sstream>

#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

std::string printed(const app::Config& c) {
    std::ostringstream out;
    for (const auto& a : {c.https, c.est, c.http, c.management}) out << a.authority() << '\n';
    for (const auto& text : {c.public_https, c.public_http, c.public_est, c.store_url, c.master_key_file, c.log_file, c.ca_name}) out << text << '\n';
    out << static_cast<int>(c.log_level) << c.log_json << ' ' << c.limits.header_bytes << ' ' << c.limits.header_count << ' ' << c.limits.uri_bytes
        << ' ' << c.limits.connections;
    for (const auto t : {c.limits.handshake, c.limits.head, c.limits.body, c.limits.idle, c.limits.write, c.dns.timeout, c.http_01_time, c.root_lifetime,
                         c.issuing_lifetime, c.crl_lifetime})
        out << ' ' << t.count();
    for (const auto pause : c.retries) out << '\n' << pause.count();
    for (const auto& server : c.dns.servers) out << '\n' << server;
    for (const auto& anchor : c.dns.trust_anchors) out << '\n' << anchor;
    for (const auto& [zone, server] : c.dns.stub_zones) out << '\n' << zone << '=' << server;
    for (const auto& [name, address] : c.dns.static_hosts) out << '\n' << name << '=' << address;
    out << '\n' << c.dns.dnssec << c.dns.allow_loopback_servers << c.root_key.to_string() << c.issuing_key.to_string();
    return out.str();
}

void check_accepted(const app::Config& c) {
    for (const auto& address : {c.https, c.est, c.http, c.management}) {
        const auto again = app::Address::parse(address.authority());
        require(again && again->host == address.host && again->port == address.port, "an address reads back");
        require(crypto::canonical_ip(address.host) == address.host, "a listener's host is an address");
    }
    for (const auto* url : {&c.public_https, &c.public_est})
        require(url->empty() || (url->starts_with("https://") && url->find('/', 8) == std::string::npos), "a public URL has no path");
    require(c.public_http.empty() || c.public_http.starts_with("http://"), "the plain public URL is plain");
    for (const auto& spec : {c.root_key, c.issuing_key})
        require(spec.type != crypto::KeyType::ed25519 && spec.type != crypto::KeyType::ec_p521, "the CA has keys that everybody reads");
    for (const auto t : {c.limits.handshake, c.limits.head, c.limits.body, c.limits.idle, c.limits.write, c.dns.timeout, c.http_01_time, c.tls_alpn_01_time})
        require(t.count() > 0, "no time limit is zero");
    for (const auto t : {c.root_lifetime, c.issuing_lifetime, c.crl_lifetime}) require(t >= std::chrono::hours(1), "no lifetime is below an hour");
    require(!c.lab && c.data.empty() && c.ready_file.empty() && c.http_01_port == 80 && c.tls_alpn_01_port == 443, "the file does not set what the command line alone may");
}

}  // namespace

Outcome config(core::BytesView input) {
    const std::string_view text = core::as_text(input);
    app::Config first, second;
    const auto read = app::read_config_text(text, "f.toml", first);
    const auto again = app::read_config_text(text, "f.toml", second);
    require(read.has_value() == again.has_value() && printed(first) == printed(second), "the same bytes give the same settings");
    if (!read) {
        require(read.error().kind == core::ProblemKind::malformed && read.error().detail.starts_with("f.toml"), "a refusal names the file");
        require(read.error().detail == again.error().detail, "the same bytes give the same refusal");
        return Outcome::refused;
    }
    check_accepted(first);
    return Outcome::accepted;
}

}  // namespace postern::fuzz
