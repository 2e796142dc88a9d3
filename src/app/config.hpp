#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/crypto/key.hpp"
#include "core/crypto/name.hpp"
#include "core/dns/resolver.hpp"
#include "core/http/server.hpp"
#include "core/observe/log.hpp"

/// How the process runs: postern.toml, then the command line over it.
namespace postern::app {

struct Address {
    Address() = default;
    Address(std::string h, std::uint16_t p) : host(std::move(h)), port(p) {}
    std::string host;
    std::uint16_t port = 0;
    /// "HOST:PORT", "[IPv6]:PORT"; the host must be an IP address or "localhost".
    static core::Result<Address> parse(std::string_view text);
    /// As a URL wants it: IPv6 in brackets.
    [[nodiscard]] std::string authority() const;
};

struct Config {
    Config() = default;
    std::string data;  ///< absolute path of the data folder

    // [public]: what URLs show; empty: derived from the listener at the first start
    std::string public_https, public_http, public_est;

    // [listen]
    Address https{"0.0.0.0", 8443}, est{"0.0.0.0", 8444}, http{"0.0.0.0", 8080}, management{"127.0.0.1", 9443};

    // [tls]: both or none; empty: Postern's own, enrolled here and kept under DATA/tls
    std::string tls_certificate, tls_key;

    // [store]
    std::string store_url;            ///< empty: sqlite under the data folder
    bool store_shared = false;        ///< other nodes use this SQLite file too
    std::string store_password_file;  ///< of a PostgreSQL role; empty: the URL, its passfile or nothing
    std::size_t store_connections = 16;
    std::chrono::milliseconds store_connect_timeout{5'000}, store_statement_timeout{5'000};

    std::string master_key_file;  ///< [secrets] master_key_file; empty: DATA/keys/master

    // [log]
    observe::Level log_level = observe::Level::info;
    bool log_json = true;
    std::string log_file;

    http::ServerLimits limits;  ///< [limits]
    dns::ResolverConfig dns;    ///< [dns]

    // [outbound]
    std::string outbound_proxy, outbound_proxy_user, outbound_proxy_password_file, outbound_ca_file;
    std::vector<std::string> outbound_no_proxy;

    // [validation]
    std::chrono::milliseconds http_01_time{10'000};
    std::chrono::milliseconds tls_alpn_01_time{10'000};
    std::vector<std::chrono::milliseconds> retries{std::chrono::seconds(2), std::chrono::seconds(5), std::chrono::seconds(10)};

    // [est]
    std::vector<std::string> est_proxy_certificates;  ///< PEM files

    // [ca]
    std::string ca_name = "Postern";
    crypto::KeySpec root_key, issuing_key;
    std::chrono::milliseconds root_lifetime{std::chrono::hours(24 * 365 * 20)};
    std::chrono::milliseconds issuing_lifetime{std::chrono::hours(24 * 365 * 10)};
    std::chrono::milliseconds crl_lifetime{std::chrono::hours(24 * 7)};

    // Command line only
    std::string config_file;  ///< absolute path of what was read, or empty
    bool lab = false;
    std::uint16_t http_01_port = 80, tls_alpn_01_port = 443;
    std::string ready_file;
    bool clock_in_doubt = false;  ///< opened although this machine's clock and the database's are apart: for verbs
    bool may_create = true;  ///< a store that nobody used yet may become an installation: false for verbs
    bool migrate = false;  ///< serve: apply missing migrations instead of refusing to start

    std::map<std::string, int> handed_over;  ///< listener -> socket that the service manager opened
};

/// Whether [store] url names a PostgreSQL database; else it is SQLite.
[[nodiscard]] bool is_postgres(const Config& config) noexcept;
/// Whether other nodes may use the store, so that what they need (nonces, CA keys, who works on what) is in it
/// rather than here: PostgreSQL always, SQLite by [store] shared.
[[nodiscard]] bool shares_store(const Config& config) noexcept;
/// The file of an SQLite store: [store] url, relative to the data folder, or postern.db in it.
std::string store_path(const Config& config);

/// `malformed` unless empty, "sqlite:PATH" or "postgres://…": before anything is made, not after. Shows no password.
core::Result<void> check_store_url(std::string_view url);
/// Whether a PostgreSQL URL carries a password, in any of the places that libpq looks for one.
[[nodiscard]] bool holds_password(std::string_view url);

/// Takes a store URL of the command line, which everybody on the machine can read: `malformed` where it holds a password.
core::Result<void> set_store(std::string_view option, const std::string& url, const std::string& password_file, Config& config);

/// Lays the file's settings over `config`. Errors name file, line and key; all unknown keys refused.
core::Result<void> read_config_text(std::string_view text, std::string_view name, Config& config);
core::Result<void> read_config_file(const std::string& path, Config& config);

}  // namespace postern::app
