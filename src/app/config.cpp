#include "app/config.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <stdexcept>

#include "core/base/encoding.hpp"
#include "core/crypto/name.hpp"
#include "core/http/outbound.hpp"
#include "core/toml/reader.hpp"
#include "store/postgres/open.hpp"

namespace postern::app {

namespace {

constexpr std::string_view sqlite_scheme = "sqlite:";

using core::Problem;
using core::Result;

/// Reads keys of one table and keeps the first error.
class Section {
public:
    explicit Section(toml::Table table) : table_(std::move(table)) {}

    template <class Into, class Get>
    void value(std::string_view key, Into& into, Get get) {
        const auto found = table_.find(key);
        if (!found || !ok_) return;
        auto got = get(*found);
        if (!got)
            ok_ = got.error();
        else
            into = std::move(*got);
    }
    void text(std::string_view key, std::string& into) {
        value(key, into, [](const toml::Value& v) { return v.string(); });
    }
    void flag(std::string_view key, bool& into) {
        value(key, into, [](const toml::Value& v) { return v.boolean(); });
    }
    void duration(std::string_view key, std::chrono::milliseconds& into) {
        value(key, into, [](const toml::Value& v) { return v.duration(); });
    }
    void size(std::string_view key, std::size_t& into) {
        value(key, into, [](const toml::Value& v) { return v.size(); });
    }
    void list(std::string_view key, std::vector<std::string>& into) {
        value(key, into, [](const toml::Value& v) { return v.strings(); });
    }
    /// A text that `parse` understands; `expected` says what would be right.
    template <class Into, class Parse>
    void parsed(std::string_view key, Into& into, Parse parse, std::string_view expected) {
        value(key, into, [&](const toml::Value& v) -> Result<Into> {
            const auto text = v.string();
            if (!text) return text.error();
            auto result = parse(*text);
            if (!result) return v.problem("expected " + std::string(expected));
            return std::move(*result);
        });
    }
    [[nodiscard]] const toml::Table& table() const { return table_; }
    [[nodiscard]] Result<void> result() const { return ok_; }

private:
    toml::Table table_;
    Result<void> ok_;
};

void read_public(Section& s, Config& c) {
    const auto in_authority = [](unsigned char x) { return std::isalnum(x) != 0 || x == '-' || x == '.' || x == ':' || x == '[' || x == ']'; };
    const auto url = [in_authority](std::string_view scheme) {
        return [scheme, in_authority](const std::string& text) -> std::optional<std::string> {
            const bool good = text.starts_with(scheme) && text.size() > scheme.size() &&
                              std::all_of(text.begin() + static_cast<std::ptrdiff_t>(scheme.size()), text.end(), in_authority);
            return good ? std::optional(text) : std::nullopt;
        };
    };
    s.parsed("https", c.public_https, url("https://"), "a base URL such as \"https://ca.example.com\", no path");
    s.parsed("http", c.public_http, url("http://"), "a base URL such as \"http://ca.example.com\", no path");
    s.parsed("est", c.public_est, url("https://"), "a base URL such as \"https://est.example.com\", no path");
}

void read_listen(Section& s, Config& c) {
    const auto address = [](const std::string& text) {
        auto a = Address::parse(text);
        return a ? std::optional(*a) : std::nullopt;
    };
    constexpr std::string_view expected = "an address such as \"0.0.0.0:8443\"";
    s.parsed("https", c.https, address, expected);
    s.parsed("est", c.est, address, expected);
    s.parsed("http", c.http, address, expected);
    s.parsed("management", c.management, address, expected);
}

void read_log(Section& s, Config& c) {
    s.parsed("level", c.log_level, [](const std::string& t) { return observe::level_from(t); }, "debug, info, warning or error");
    s.parsed("format", c.log_json, [](const std::string& t) { return t == "json" ? std::optional(true) : t == "text" ? std::optional(false) : std::nullopt; },
             "json or text");
    s.text("file", c.log_file);
}

void read_limits(Section& s, Config& c) {
    auto& l = c.limits;
    s.size("connections", l.connections);
    s.size("header_bytes", l.header_bytes);
    s.size("header_count", l.header_count);
    s.size("uri_bytes", l.uri_bytes);
    s.duration("handshake", l.handshake);
    s.duration("head", l.head);
    s.duration("body", l.body);
    s.duration("idle", l.idle);
    s.duration("write", l.write);
}

void read_dns(Section& s, Config& c) {
    s.list("servers", c.dns.servers);
    s.flag("dnssec", c.dns.dnssec);
    s.list("trust_anchors", c.dns.trust_anchors);
    s.duration("timeout", c.dns.timeout);
    s.flag("allow_loopback_servers", c.dns.allow_loopback_servers);
    const auto pairs = [&](std::string_view key, auto add) {
        bool unused = false;
        s.value(key, unused, [&](const toml::Value& v) -> Result<bool> {
            const auto table = v.table();
            if (!table) return table.error();
            for (const auto& name : table->keys()) {
                const auto text = table->find(name)->string();
                if (!text) return text.error();
                add(name, *text);
            }
            return true;
        });
    };
    pairs("stub_zones", [&](const std::string& zone, const std::string& server) { c.dns.stub_zones[zone] = server; });
    pairs("hosts", [&](const std::string& name, const std::string& ip) { c.dns.static_hosts.emplace_back(name, ip); });
}

void read_ca(Section& s, Config& c) {
    constexpr std::string_view keys = "ec-p256, ec-p384, rsa-2048, rsa-3072 or rsa-4096";
    const auto spec = [](const std::string& t) -> std::optional<crypto::KeySpec> {
        const auto k = crypto::KeySpec::from(t);
        if (!k || k->type == crypto::KeyType::ed25519 || k->type == crypto::KeyType::ec_p521) return std::nullopt;
        return k;
    };
    s.text("name", c.ca_name);
    s.parsed("root_key", c.root_key, spec, keys);
    s.parsed("issuing_key", c.issuing_key, spec, keys);
    // The CA counts in hours: less than one would be none.
    const auto hours = [&](std::string_view key, std::chrono::milliseconds& into) {
        s.value(key, into, [](const toml::Value& v) -> Result<std::chrono::milliseconds> {
            auto d = v.duration();
            if (d && *d < std::chrono::hours(1)) return v.problem("expected at least \"1h\"");
            return d;
        });
    };
    hours("root_lifetime", c.root_lifetime);
    hours("issuing_lifetime", c.issuing_lifetime);
    hours("crl_lifetime", c.crl_lifetime);
}

void read_store(Section& s, Config& c) {
    s.value("url", c.store_url, [](const toml::Value& v) -> Result<std::string> {
        auto url = v.string();
        if (!url) return url.error();
        const auto good = check_store_url(*url);
        if (!good) return v.problem(url->starts_with(sqlite_scheme) ? good.error().detail : "expected sqlite:PATH or postgres://USER@HOST/DATABASE");
        return std::string(*url);
    });
    s.flag("shared", c.store_shared);
    s.text("password_file", c.store_password_file);
    s.value("connections", c.store_connections, [](const toml::Value& v) -> Result<std::size_t> {
        auto n = v.size();
        if (n && (*n < 2 || *n > 500)) return v.problem("expected 2 to 500; 8 to 32 are sensible");
        return n;
    });
    const auto timeout = [&](std::string_view key, std::chrono::milliseconds& into) {
        s.value(key, into, [](const toml::Value& v) -> Result<std::chrono::milliseconds> {
            auto d = v.duration();
            if (d && *d < std::chrono::seconds(1)) return v.problem("expected at least \"1s\"");
            return d;
        });
    };
    timeout("connect_timeout", c.store_connect_timeout);
    timeout("statement_timeout", c.store_statement_timeout);
}

void read_outbound(Section& s, Config& c) {
    const auto proxy = [](const std::string& text) { return text.empty() || http::wrong_proxy_url(text).empty() ? std::optional(text) : std::nullopt; };
    s.parsed("proxy", c.outbound_proxy, proxy, "\"http://HOST:PORT\" or \"https://HOST:PORT\", without a user");
    s.text("proxy_user", c.outbound_proxy_user);
    s.text("proxy_password_file", c.outbound_proxy_password_file);
    s.list("no_proxy", c.outbound_no_proxy);
    s.text("ca_file", c.outbound_ca_file);
}

void read_validation(Section& s, Config& c) {
    s.duration("http_01_timeout", c.http_01_time);
    s.duration("tls_alpn_01_timeout", c.tls_alpn_01_time);
    s.value("retries", c.retries, [](const toml::Value& v) -> Result<std::vector<std::chrono::milliseconds>> {
        const auto texts = v.strings();
        if (!texts) return texts.error();
        constexpr std::size_t most = 16;
        std::vector<std::chrono::milliseconds> out;
        for (const auto& text : *texts) {
            const auto pause = core::parse_duration(text);
            if (!pause || *pause <= std::chrono::milliseconds(0) || *pause > std::chrono::hours(1)) return v.problem("expected pauses such as \"2s\", of at most an hour");
            out.push_back(*pause);
        }
        if (out.size() > most) return v.problem("expected at most 16 pauses");
        return out;
    });
}

Result<void> read_sections(const toml::Table& root, Config& c) {
    const auto section = [&](std::string_view name, auto read) -> Result<void> {
        const auto value = root.find(name);
        if (!value) return {};
        auto table = value->table();
        if (!table) return table.error();
        Section s(*table);
        read(s, c);
        return s.result();
    };
    const auto tls = [](Section& s, Config& into) { s.text("certificate", into.tls_certificate); s.text("key", into.tls_key); };
    const auto secrets = [](Section& s, Config& into) { s.text("master_key_file", into.master_key_file); };
    if (auto r = section("public", &read_public); !r) return r;
    if (auto r = section("listen", &read_listen); !r) return r;
    if (auto r = section("tls", tls); !r) return r;
    if (c.tls_certificate.empty() != c.tls_key.empty())
        return Problem(core::ProblemKind::malformed, "[tls]: certificate and key belong together; give both, or none for Postern's own certificate");
    if (auto r = section("store", &read_store); !r) return r;
    if (!c.store_password_file.empty() && !is_postgres(c))
        return Problem(core::ProblemKind::malformed, "[store] password_file is for PostgreSQL; an SQLite store has no password");
    if (!c.store_password_file.empty() && holds_password(c.store_url))
        return Problem(core::ProblemKind::malformed, "[store]: both url and password_file give a password; take the one out of url");
    if (auto r = section("secrets", secrets); !r) return r;
    if (auto r = section("log", &read_log); !r) return r;
    if (auto r = section("limits", &read_limits); !r) return r;
    if (auto r = section("dns", &read_dns); !r) return r;
    if (auto r = section("outbound", &read_outbound); !r) return r;
    if (c.outbound_proxy.empty() && !(c.outbound_proxy_user.empty() && c.outbound_proxy_password_file.empty() && c.outbound_no_proxy.empty()))
        return Problem(core::ProblemKind::malformed, "[outbound]: proxy_user, proxy_password_file and no_proxy are for a proxy, and none is named");
    if (c.outbound_proxy_user.empty() != c.outbound_proxy_password_file.empty())
        return Problem(core::ProblemKind::malformed, "[outbound]: proxy_user and proxy_password_file belong together; give both or none");
    if (auto r = section("validation", &read_validation); !r) return r;
    const auto est = [](Section& s, Config& into) { s.list("proxy_certificates", into.est_proxy_certificates); };
    if (auto r = section("est", est); !r) return r;
    if (auto r = section("ca", &read_ca); !r) return r;
    return root.finish();
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
    const Problem bad(core::ProblemKind::malformed,
                      "\"" + std::string(text) + "\" is no address; expected HOST:PORT with an IP address or localhost, such as 127.0.0.1:8443 or [::1]:8443");
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return bad;
    std::string_view host = text.substr(0, colon);
    const std::string_view digits = text.substr(colon + 1);
    unsigned port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size() || port > 65535) return bad;
    const bool bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    // Without brackets nobody can tell where an IPv6 address ends and the port begins.
    if (bracketed != (host.find(':') != std::string_view::npos)) return bad;
    std::string ip = host == "localhost" ? "127.0.0.1" : crypto::canonical_ip(host);
    if (ip.empty()) return bad;
    return Address(std::move(ip), static_cast<std::uint16_t>(port));
}

namespace {

/// What follows "postgres://" or "postgresql://", which libpq both knows; nullopt for anything else.
std::optional<std::string_view> after_postgres_scheme(std::string_view url) noexcept {
    for (const std::string_view scheme : {"postgres://", "postgresql://"})
        if (url.starts_with(scheme)) return url.substr(scheme.size());
    return std::nullopt;
}

/// False for a % that no two digits follow: libpq would quote it, and a password with it.
bool well_encoded(std::string_view text) {
    for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 3)) {
        const auto digits = text.substr(at + 1, 2);
        if (digits.size() < 2 || !core::from_hex(digits) || digits == "00") return false;
    }
    return true;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto octet = text[i] == '%' ? core::from_hex(text.substr(i + 1, 2)) : std::nullopt;
        out += octet ? static_cast<char>(octet->front()) : text[i];
        if (octet) i += 2;
    }
    return out;
}

}  // namespace

bool shares_store(const Config& config) noexcept { return config.store_shared || is_postgres(config); }

bool is_postgres(const Config& config) noexcept { return after_postgres_scheme(config.store_url).has_value(); }

bool holds_password(std::string_view url) {
    const auto rest = after_postgres_scheme(url);
    if (!rest) return false;
    // As libpq looks: credentials end at the first @ before any slash.
    const auto end = rest->find_first_of("@/");
    if (end != std::string_view::npos && (*rest)[end] == '@' && rest->substr(0, end).find(':') != std::string_view::npos) return true;
    auto options = rest->substr(std::min(rest->find('?'), rest->size()));
    while (!options.empty()) {
        options.remove_prefix(1);
        const auto option = options.substr(0, options.find('&'));
        const auto key = percent_decoded(option.substr(0, option.find('=')));
        if (key == "password" || key == "sslpassword") return true;
        options.remove_prefix(option.size());
    }
    return false;
}

Result<void> check_store_url(std::string_view url) {
    if (url.empty()) return {};
    if (url.starts_with(sqlite_scheme) && url.size() > sqlite_scheme.size()) {
        // Of a URI's parameters psow, nolock, immutable, mode and vfs would take away what commits rest on.
        const auto path = url.substr(sqlite_scheme.size());
        if (path.starts_with("file:") || path.find('?') != std::string_view::npos)
            return Problem(core::ProblemKind::malformed, "store url \"" + std::string(url) + "\": expected sqlite:PATH, a file's path alone; SQLite's URIs (file:…) and their "
                                                         "parameters (?psow=0, nolock, mode, …) are refused, because they can weaken what a commit rests on");
        return {};
    }
    if (const auto rest = after_postgres_scheme(url)) {
        if (rest->empty()) return Problem(core::ProblemKind::malformed, "store url \"" + std::string(url) + "\": name a host or a database");
        if (!well_encoded(*rest)) return Problem(core::ProblemKind::malformed, "store url: a % in it must begin %XX with two hexadecimal digits; a % itself is %25");
        try {
            static_cast<void>(store::describe_postgres(std::string(url)));
        } catch (const std::runtime_error& e) {
            return Problem(core::ProblemKind::malformed, e.what());
        }
        return {};
    }
    // Whatever it is, it may hold a password.
    const auto scheme = url.substr(0, std::min(url.find(':'), std::size_t{16}));
    return Problem(core::ProblemKind::malformed, "store url \"" + std::string(scheme) + "…\": expected sqlite:PATH or postgres://USER@HOST/DATABASE");
}

Result<void> set_store(std::string_view option, const std::string& url, const std::string& password_file, Config& config) {
    if (holds_password(url))
        return Problem(core::ProblemKind::malformed, std::string(option) + ": everybody on this machine can read a command line; take the password out of it, and "
                                                                                 "name a file with it by [store] password_file or passfile in the URL");
    if (const auto r = check_store_url(url); !r) return r.error();
    if (!url.empty()) config.store_url = url;
    if (!url.empty() && !is_postgres(config)) config.store_password_file.clear();
    if (password_file.empty()) return {};
    if (!is_postgres(config)) return Problem(core::ProblemKind::malformed, "a password file is for PostgreSQL; an SQLite store has no password");
    config.store_password_file = std::filesystem::absolute(password_file).string();
    return {};
}

std::string store_path(const Config& config) {
    if (config.store_url.empty()) return config.data + "/postern.db";
    if (!config.store_url.starts_with(sqlite_scheme)) throw std::logic_error("the store is no file");
    const auto path = config.store_url.substr(sqlite_scheme.size());
    return path.starts_with('/') ? path : config.data + "/" + path;
}

std::string Address::authority() const {
    const auto h = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return h + ":" + std::to_string(port);
}

Result<void> read_config_text(std::string_view text, std::string_view name, Config& config) {
    const auto root = toml::parse(text, name);
    if (!root) return root.error();
    return read_sections(*root, config);
}

Result<void> read_config_file(const std::string& path, Config& config) {
    const auto root = toml::parse_file(path);
    if (!root) return root.error();
    return read_sections(*root, config);
}

}  // namespace postern::app
