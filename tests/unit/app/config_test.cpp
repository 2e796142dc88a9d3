#include "app/config.hpp"

#include "tests/unit/app/support.hpp"

BOOST_AUTO_TEST_SUITE(app_config)

using namespace postern;
using namespace postern::test;
using namespace std::chrono_literals;
using app::Address;
using app::Config;
using app::holds_password;
using app::is_postgres;
using app::set_store;
using app::store_path;

namespace {

core::Result<void> read(std::string_view text, Config& config) { return app::read_config_text(text, "postern.toml", config); }
void check_refused(std::string_view text, std::string_view part) {
    Config config;
    const auto r = read(text, config);
    BOOST_TEST_CONTEXT(text) {
        BOOST_TEST_REQUIRE(!r.has_value());
        BOOST_TEST(contains(r.error().detail, part), "expected \"" << part << "\" in: " << r.error().detail);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(addresses_are_read_and_written) {
    const std::tuple<std::string, std::string, unsigned, std::string> cases[] = {
        {"127.0.0.1:8443", "127.0.0.1", 8443, "127.0.0.1:8443"},
        {"0.0.0.0:0", "0.0.0.0", 0, "0.0.0.0:0"},
        {"localhost:65535", "127.0.0.1", 65535, "127.0.0.1:65535"},
        {"[::1]:443", "::1", 443, "[::1]:443"},
        {"[2001:DB8:0::1]:1", "2001:db8::1", 1, "[2001:db8::1]:1"},
    };
    for (const auto& [text, host, port, authority] : cases) BOOST_TEST_CONTEXT(text) {
        const auto a = Address::parse(text);
        BOOST_TEST_REQUIRE(a.has_value());
        BOOST_TEST(a->host == host);
        BOOST_TEST(a->port == port);
        BOOST_TEST(a->authority() == authority);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_address_is_told) {
    for (const auto* text : {"", ":", "8443", ":8443", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1:80x",
                             "127.0.0.1: 80", "example.com:80", "[::1]", "::1:443", "[127.0.0.1]:80", "[]:80", "[::1:80", "127.0.0:80", "256.0.0.1:80"}) {
        const auto a = Address::parse(text);
        BOOST_TEST_CONTEXT(text) {
            BOOST_TEST_REQUIRE(!a.has_value());
            BOOST_TEST(contains(a.error().detail, "\"" + std::string(text) + "\" is no address; expected HOST:PORT"));
        }
    }
}

BOOST_AUTO_TEST_CASE(nothing_configured_leaves_the_defaults) {
    Config config;
    BOOST_TEST(read("", config).has_value());
    BOOST_TEST(config.https.authority() == "0.0.0.0:8443");
    BOOST_TEST(config.est.authority() == "0.0.0.0:8444");
    BOOST_TEST(config.http.authority() == "0.0.0.0:8080");
    BOOST_TEST(config.management.authority() == "127.0.0.1:9443");
    BOOST_TEST(config.log_json);
    BOOST_TEST(!config.lab);
}

BOOST_AUTO_TEST_CASE(every_key_is_read) {
    Config c;
    const auto r = read(R"(
[public]
https = "https://ca.example.com"
http = "http://ca.example.com:8080"
est = "https://[2001:db8::1]:8444"
[listen]
https = "127.0.0.1:1"
est = "127.0.0.1:2"
http = "[::1]:3"
management = "127.0.0.1:4"
[store]
url = "sqlite:/var/lib/postern/other.db"
connections = 24
connect_timeout = "6s"
statement_timeout = "7s"
[secrets]
master_key_file = "/run/credentials/master"
[log]
level = "warning"
format = "text"
file = "/var/log/postern.log"
[limits]
connections = 100
header_bytes = "32KiB"
header_count = 50
uri_bytes = 2048
handshake = "1s"
head = "2s"
body = "3s"
idle = "4s"
write = "5s"
[dns]
servers = ["192.0.2.53", "192.0.2.54"]
dnssec = false
trust_anchors = [". DS 1 2 3 ab"]
timeout = "6s"
allow_loopback_servers = true
stub_zones = {"corp.example" = "192.0.2.55"}
hosts = {"www.corp.example" = "192.0.2.80", "mail.corp.example" = "192.0.2.25"}
[validation]
http_01_timeout = "7s"
tls_alpn_01_timeout = "8s"
retries = ["1s", "200ms"]
[ca]
name = "Example"
root_key = "rsa-4096"
issuing_key = "ec-p384"
root_lifetime = "3650d"
issuing_lifetime = "1825d"
crl_lifetime = "48h"
)", c);
    BOOST_TEST_REQUIRE(r.has_value(), (r ? "" : r.error().detail));
    BOOST_TEST(c.public_https == "https://ca.example.com");
    BOOST_TEST(c.public_http == "http://ca.example.com:8080");
    BOOST_TEST(c.public_est == "https://[2001:db8::1]:8444");
    BOOST_TEST(c.https.authority() == "127.0.0.1:1");
    BOOST_TEST(c.est.authority() == "127.0.0.1:2");
    BOOST_TEST(c.http.authority() == "[::1]:3");
    BOOST_TEST(c.management.authority() == "127.0.0.1:4");
    BOOST_TEST(c.store_url == "sqlite:/var/lib/postern/other.db");
    BOOST_TEST(c.store_connections == 24U);
    BOOST_TEST((c.store_connect_timeout == 6s && c.store_statement_timeout == 7s));
    BOOST_TEST(c.master_key_file == "/run/credentials/master");
    BOOST_TEST((c.log_level == observe::Level::warning));
    BOOST_TEST(!c.log_json);
    BOOST_TEST(c.log_file == "/var/log/postern.log");
    BOOST_TEST(c.limits.connections == 100U);
    BOOST_TEST(c.limits.header_bytes == 32768U);
    BOOST_TEST(c.limits.header_count == 50U);
    BOOST_TEST(c.limits.uri_bytes == 2048U);
    BOOST_TEST((c.limits.handshake == 1s && c.limits.head == 2s && c.limits.body == 3s && c.limits.idle == 4s && c.limits.write == 5s));
    BOOST_TEST((c.dns.servers == std::vector<std::string>{"192.0.2.53", "192.0.2.54"}));
    BOOST_TEST(!c.dns.dnssec);
    BOOST_TEST(c.dns.trust_anchors.size() == 1U);
    BOOST_TEST((c.dns.timeout == 6s));
    BOOST_TEST(c.dns.allow_loopback_servers);
    BOOST_TEST(c.dns.stub_zones.at("corp.example") == "192.0.2.55");
    BOOST_TEST(c.dns.static_hosts.size() == 2U);
    BOOST_TEST((c.http_01_time == 7s && c.tls_alpn_01_time == 8s));
    BOOST_TEST((c.retries == std::vector<std::chrono::milliseconds>{1s, 200ms}));
    BOOST_TEST(c.ca_name == "Example");
    BOOST_TEST(c.root_key.to_string() == "rsa-4096");
    BOOST_TEST(c.issuing_key.to_string() == "ec-p384");
    BOOST_TEST((c.root_lifetime == 24h * 3650 && c.issuing_lifetime == 24h * 1825 && c.crl_lifetime == 48h));
}

BOOST_AUTO_TEST_CASE(a_later_reading_lies_over_an_earlier_one) {
    Config c;
    BOOST_TEST(read("[listen]\nhttps = \"127.0.0.1:1\"\nest = \"127.0.0.1:2\"\n", c).has_value());
    BOOST_TEST(read("[listen]\nest = \"127.0.0.1:3\"\n", c).has_value());
    BOOST_TEST(c.https.port == 1U);
    BOOST_TEST(c.est.port == 3U);
}

BOOST_AUTO_TEST_CASE(unknown_keys_are_refused_with_their_line) {
    check_refused("[listen]\n\nhtps = \"127.0.0.1:1\"\n", "postern.toml:3: listen.htps: unknown key; known here: https, est, http, management");
    check_refused("[listne]\n", "postern.toml:1: listne: unknown key");
    check_refused("data = \"/x\"\n", "postern.toml:1: data: unknown key");
    for (const auto* section : {"public", "listen", "store", "secrets", "log", "limits", "dns", "validation", "ca"})
        check_refused("[" + std::string(section) + "]\nno_such_key = 1\n", "postern.toml:2: " + std::string(section) + ".no_such_key: unknown key");
}

BOOST_AUTO_TEST_CASE(wrong_values_are_refused_with_what_would_be_right) {
    const std::pair<std::string, std::string> cases[] = {
        {"[public]\nhttps = \"http://ca.example.com\"", "postern.toml:2: public.https: expected a base URL such as \"https://ca.example.com\", no path"},
        {"[public]\nhttps = \"https://ca.example.com/\"", "public.https: expected a base URL"},
        {"[public]\nhttps = \"https://ca.example.com/acme\"", "public.https: expected a base URL"},
        {"[public]\nhttps = \"https://\"", "public.https: expected a base URL"},
        {"[public]\nhttps = \"https://user@ca.example.com\"", "public.https: expected a base URL"},
        {"[public]\nhttps = \"https://ca.example.com?x\"", "public.https: expected a base URL"},
        {"[public]\nhttp = \"https://ca.example.com\"", "public.http: expected a base URL such as \"http://"},
        {"[public]\nest = 1", "public.est: expected a string"},
        {"[listen]\nhttps = \"8443\"", "listen.https: expected an address such as \"0.0.0.0:8443\""},
        {"[listen]\nmanagement = true", "postern.toml:2: listen.management: expected a string"},
        {"[listen]\nhttp = \"::1:80\"", "listen.http: expected an address"},
        {"listen = 1", "postern.toml:1: listen: expected a table"},
        {"[store]\nurl = 1", "store.url: expected a string"},
        {"[store]\nurl = \"mysql://u:s3cret@h/d\"", "store.url: expected sqlite:PATH or postgres://USER@HOST/DATABASE"},
        {"[store]\nurl = \"postgres://\"", "store.url: expected sqlite:PATH or postgres://USER@HOST/DATABASE"},
        {"[store]\nurl = \"postgres://h/d?nothing=1\"", "store.url: expected sqlite:PATH or postgres://USER@HOST/DATABASE"},
        {"[store]\nurl = \"sqlite:file:/p.db?psow=0\"", "postern.toml:2: store.url: store url \"sqlite:file:/p.db?psow=0\": expected sqlite:PATH, a file's path alone"},
        {"[store]\nurl = \"sqlite:/p.db?mode=memory\"", "parameters (?psow=0, nolock, mode, …) are refused"},
        {"[store]\nconnections = 1", "store.connections: expected 2 to 500"},
        {"[store]\nconnect_timeout = \"1ms\"", "store.connect_timeout: expected at least \"1s\""},
        {"[store]\nstatement_timeout = \"999ms\"", "store.statement_timeout: expected at least \"1s\""},
        {"[store]\npassword_file = \"/p\"", "[store] password_file is for PostgreSQL"},
        {"[store]\nurl = \"postgres://u:p@h/d\"\npassword_file = \"/p\"", "both url and password_file give a password"},
        {"[secrets]\nmaster_key_file = []", "secrets.master_key_file: expected a string"},
        {"[log]\nlevel = \"loud\"", "log.level: expected debug, info, warning or error"},
        {"[log]\nformat = \"xml\"", "log.format: expected json or text"},
        {"[log]\nfile = false", "log.file: expected a string"},
        {"[limits]\nconnections = \"many\"", "limits.connections: \"many\" is not a size in bytes"},
        {"[limits]\nidle = 30", "limits.idle: expected a duration"},
        {"[limits]\nhead = \"0s\"", "limits.head: \"0s\" is not a duration"},
        {"[dns]\nservers = \"192.0.2.1\"", "dns.servers: expected"},
        {"[dns]\ndnssec = \"yes\"", "dns.dnssec: expected"},
        {"[dns]\nhosts = [\"a\"]", "dns.hosts: expected a table"},
        {"[dns]\nhosts = {a = 1}", "dns.hosts.a: expected a string"},
        {"[validation]\nhttp_01_timeout = \"soon\"", "validation.http_01_timeout: \"soon\" is not a duration"},
        {"[validation]\ntls_alpn_01_timeout = 8", "validation.tls_alpn_01_timeout: expected a duration"},
        {"[validation]\nretries = \"2s\"", "validation.retries: expected"},
        {"[validation]\nretries = [\"soon\"]", "validation.retries: expected pauses such as \"2s\", of at most an hour"},
        {"[validation]\nretries = [\"61m\"]", "validation.retries: expected pauses such as \"2s\", of at most an hour"},
        {"[validation]\nretries = [\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\"]", "at most 16"},
        {"[ca]\nroot_key = \"ed25519\"", "ca.root_key: expected ec-p256, ec-p384, rsa-2048, rsa-3072 or rsa-4096"},
        {"[ca]\nissuing_key = \"rsa-1024\"", "ca.issuing_key: expected ec-p256"},
        {"[ca]\ncrl_lifetime = \"30m\"", "ca.crl_lifetime: expected at least \"1h\""},
        {"[ca]\nroot_lifetime = \"10s\"", "ca.root_lifetime: expected at least \"1h\""},
        {"[ca\n", "postern.toml:1"},
    };
    for (const auto& [text, part] : cases) check_refused(text, part);
}

BOOST_AUTO_TEST_CASE(a_password_is_found_wherever_libpq_looks) {
    for (const auto* url : {"postgres://u:p@h/d", "postgresql://:p@h", "postgres://u:p@h1:1,h2:2/d?x=y", "postgres:///d?user=u&password=p",
                            "postgres://h/d?%70assword=p", "postgres://h?sslpassword=p", "postgres://u:@h/d"})
        BOOST_TEST(holds_password(url), url);
    for (const auto* url : {"postgres://u@h:5432/d", "postgres://h:5432/d?user=a:b@c", "postgres:///d?passfile=%2Fp&host=/run", "postgres://h1:1,h2:2/d", "sqlite:a:b@c", ""})
        BOOST_TEST(!holds_password(url), url);
}

BOOST_AUTO_TEST_CASE(a_store_of_the_command_line_shows_no_password) {
    Config c;
    const auto refused = [&](const std::string& url, const std::string& file, const std::string& why) {
        const auto r = set_store("--store", url, file, c);
        BOOST_REQUIRE(!r);
        BOOST_TEST(r.error().detail.find(why) != std::string::npos, r.error().detail);
        BOOST_TEST(r.error().detail.find("s3cret") == std::string::npos);
        BOOST_TEST(c.store_url.empty());
    };
    refused("postgres://u:s3cret@h/d", "", "--store: everybody on this machine can read a command line");
    refused("mysql://u:s3cret@h/d", "", "store url \"mysql…\": expected sqlite:PATH");
    refused("sqlite:file:x?nolock=1", "", "because they can weaken what a commit rests on");
    refused("postgres://u@h/s3cret%zz", "", "a % in it must begin %XX");
    refused("", "/p", "an SQLite store has no password");
    BOOST_TEST(set_store("--store", "postgres://u@h/d", "/p", c).has_value());
    BOOST_TEST(is_postgres(c));
    BOOST_TEST(c.store_password_file == "/p");
    BOOST_TEST(set_store("--store", "", "", c).has_value());
    BOOST_TEST(is_postgres(c));
    BOOST_TEST(set_store("--store", "sqlite:x", "", c).has_value());
    BOOST_TEST(c.store_password_file.empty());
    c.data = "/data";
    BOOST_TEST(store_path(c) == "/data/x");
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_is_named) {
    Folder folder;
    Config c;
    const auto path = folder.file("postern.toml");
    const auto absent = app::read_config_file(path, c);
    BOOST_TEST_REQUIRE(!absent.has_value());
    BOOST_TEST(contains(absent.error().detail, path));
    std::ofstream(path) << "[log]\nlevel = \"debug\"\n";
    BOOST_TEST(app::read_config_file(path, c).has_value());
    BOOST_TEST((c.log_level == observe::Level::debug));
    std::ofstream(path) << "[log]\nlevel = 1\n";
    BOOST_TEST(contains(app::read_config_file(path, c).error().detail, "postern.toml:2: log.level"));
}

BOOST_AUTO_TEST_SUITE_END()
