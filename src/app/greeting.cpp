#include "app/greeting.hpp"

#include <unistd.h>

#include <iostream>

#include "api/clients/commands.hpp"
#include "app/house.hpp"
#include "app/version.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "core/json/writer.hpp"

namespace postern::app {

namespace {

std::string management_url(const House& house) { return "http://" + house.config.management.authority(); }

using Urls = std::vector<std::pair<std::string, std::string>>;

/// Endpoint name -> URL, for every endpoint of the protocol that is active.
Urls urls_of(const House& house, ra::Protocol protocol, const std::string& before, const std::string& after) {
    Urls out;
    for (const auto& e : house.catalog->current()->endpoints)
        if (e.protocol == protocol && e.active) out.emplace_back(e.name, before + e.name + after);
    return out;
}
Urls directories(const House& house) { return urls_of(house, ra::Protocol::acme, house.config.public_https + "/acme/", "/directory"); }
/// Over plain HTTP: messages are signed and encrypted, and clients that do not know the root yet must come in.
Urls scep_urls(const House& house) { return urls_of(house, ra::Protocol::scep, house.config.public_http + "/scep/", ""); }

Urls est_urls(const House& house) { return urls_of(house, ra::Protocol::est, house.config.public_est + "/.well-known/est/", ""); }

void write_ready_file(const House& house) {
    json::Writer w;
    w.begin_object().key("acme").begin_object();
    for (const auto& [name, url] : directories(house)) w.member(name, url);
    w.end_object().key("scep").begin_object();
    for (const auto& [name, url] : scep_urls(house)) w.member(name, url);
    w.end_object().key("est").begin_object();
    for (const auto& [name, url] : est_urls(house)) w.member(name, url);
    w.end_object();
    w.member("management", management_url(house)).member("root", house.folder.file("root.pem"));
    w.member("pid", static_cast<std::int64_t>(::getpid())).end_object();
    write_file(house.config.ready_file, w.take() + "\n", 0644);
}

std::string fingerprint(const core::Bytes& der) {
    const auto digest = core::hex(crypto::sha256(der));
    std::string out;
    for (std::size_t i = 0; i < digest.size(); i += 2) out += (i ? ":" : "") + digest.substr(i, 2);
    return out;
}

std::string indented(const std::string& lines) {
    std::string out = "  ";
    for (const char c : lines) out += c == '\n' ? std::string("\n  ") : std::string(1, c);
    return out;
}

/// Lines for strongSwan's `pki`, which Debian has.
void greet_scep_clients(const House& house) {
    const auto list = scep_urls(house);
    if (list.empty()) return;
    api::clients::PkiCommands pki;
    pki.url = list.front().second;
    pki.trusted = {"ca-1.pem", "ca.pem"};
    pki.name = "NAME";
    std::string code = "ACCESS_CODE";
    for (const auto& secret : house.first_secrets)
        if (!secret.access_code.empty()) code = secret.access_code.expose();
    for (const auto& line : {pki.scepca(), pki.generate("key.pem"), pki.enroll("key.pem", code)}) std::cout << "  " << line << "\n";
}

/// Lines for curl and openssl, with which scripts enroll.
void greet_est_clients(const House& house) {
    const auto list = est_urls(house);
    if (list.empty()) return;
    api::clients::EstCommands est;
    est.url = list.front().second;
    est.root_file = api::clients::quoted(house.folder.file("root.pem"));
    est.name = "NAME";
    est.password = true;
    std::string user = "USER", password = "PASSWORD";
    for (const auto& secret : house.first_secrets) {
        if (secret.password.empty()) continue;
        user = secret.user;
        password = secret.password.expose();
    }
    std::cout << "\n";
    for (const auto& line : {est.keep_password(user, password), est.request("key.pem"), est.enroll("simpleenroll", "cert.pem")}) std::cout << indented(line) << "\n";
}

/// Lines for certbot and lego, at the first endpoint.
void greet_acme_clients(const House& house) {
    const auto list = directories(house);
    if (list.empty()) return;
    api::clients::AcmeCommand command;
    command.directory = list.front().second;
    command.root_file = house.folder.file("root.pem");
    command.http_01_port = house.config.http_01_port;
    command.name = "NAME";
    // Shown once: the store keeps them sealed, or as a hash.
    for (const auto& secret : house.first_secrets) {
        if (secret.key_id.empty()) continue;
        command.key_id = secret.key_id;
        command.mac_key = secret.mac_key.expose();
    }
    if (!house.first_account_file.empty() && !house.config.lab) {
        command.key_id = "KEY_ID";
        command.mac_key = "MAC_KEY";
    }
    std::cout << "\nTrust the root, then enroll:\n\n  " << api::clients::certbot_command(command) << "\n\n  " << api::clients::lego_command(command) << "\n";
}

}  // namespace

void greet(const House& house) {
    const auto root = house.folder.file("root.pem");
    auto& out = std::cout;
    out << "Postern " << version() << " is ready.\n\n";
    if (house.config.lab) out << "  LABORATORY: open to every client that reaches it; never on a network with strangers.\n\n";
    for (const auto& [name, url] : directories(house)) out << "  ACME directory   " << url << "\n";
    for (const auto& [name, url] : scep_urls(house)) out << "  SCEP             " << url << "\n";
    for (const auto& [name, url] : est_urls(house)) out << "  EST              " << url << "\n";
    out << "  CA certificates  " << house.config.public_http << "/ca/root.pem and /ca/chain.pem\n"
        << "  Management       " << management_url(house) << "/metrics, /healthz, /readyz\n"
        << "  Data             " << house.folder.path() << "\n"
        << "  Root             " << root << "\n"
        << "    SHA-256        " << fingerprint(house.builtin->root_der()) << "\n";
    if (!house.first_account_file.empty())
        out << "  First accounts   their keys and codes are in " << house.first_account_file << " (0600); remove it once you have them\n";
    greet_acme_clients(house);
    greet_scep_clients(house);
    greet_est_clients(house);
    out << std::endl;
    // Last: whoever waits for the file finds the greeting too.
    if (!house.config.ready_file.empty()) write_ready_file(house);
}

}  // namespace postern::app
