#include "api/clients/commands.hpp"
#include "api/clients/configuration.hpp"

/// EST: curl with openssl, as scripts do it; strongSwan's pki.
namespace postern::api::clients {

namespace {

using Credential = ra::EstSettings::Credential;

/// Of another CA, which this server's administrator named: a factory's.
constexpr std::string_view factory_cert = "factory-cert.pem", factory_key = "factory-key.pem";

struct Shown {
    bool password = false, certificate = false;
};
Shown first_shown(const Facts& facts) {
    Shown out;
    out.password = facts.est.credential != Credential::certificate;
    out.certificate = facts.est.credential == Credential::certificate || facts.est.credential == Credential::both;
    return out;
}
/// Of who renews: the certificate, and the password where both are wanted.
Shown later_shown(const Facts& facts) {
    Shown out;
    out.password = facts.est.credential == Credential::both || facts.est.credential == Credential::password;
    out.certificate = true;
    return out;
}

crypto::KeySpec wanted_key(const Facts& facts) { return facts.profile.keys.empty() ? crypto::KeySpec() : facts.profile.keys.front(); }

Configuration begin(const Facts& facts, const std::string& url) {
    Configuration out;
    out.values = {{"url", url}, {"dn", "CN=" + facts.name}, {"key", wanted_key(facts).to_string()}};
    if (first_shown(facts).password) out.values.emplace_back("user", facts.shown_user());
    return out;
}

std::string renewal_line(const Facts& facts) {
    const auto days = facts.est.renewal_window.count() / 86'400'000, life = facts.profile.lifetime.count() / 86'400'000;
    if (!facts.est.renewal) return "# This endpoint renews no certificates: enroll again in time.\n";
    return days >= life ? "# To renew, at any time before its end:\n" : "# To renew, from " + std::to_string(days) + " days before its end on:\n";
}

std::string hints(const Facts& facts) {
    std::string out;
    const auto shown = first_shown(facts);
    if (shown.password && facts.user.empty()) out += "# Put the account's user name where " + std::string(user_placeholder) + " stands.\n";
    if (shown.password && !facts.challenge) out += "# Put its password where " + std::string(password_placeholder) + " stands.\n";
    if (shown.certificate)
        out += "# This endpoint wants a certificate in the handshake: " + std::string(factory_cert) + " and " + std::string(factory_key) + " are the device's own, from its maker.\n";
    return out;
}

std::string comment(const std::string& lines) {
    std::string out = "# ";
    for (const char c : lines) out += c == '\n' ? std::string("\n# ") : std::string(1, c);
    return out + "\n";
}

}  // namespace

std::string Facts::shown_user() const { return user.empty() ? std::string(user_placeholder) : user; }
std::string Facts::password() const { return challenge ? std::string(challenge->expose()) : std::string(password_placeholder); }

Configuration est_curl(const Facts& facts) {
    EstCommands est;
    est.url = facts.est_base + "/.well-known/est/" + facts.endpoint;
    est.key = wanted_key(facts);
    est.name = facts.name;
    est.dns_name = !facts.profile.text_common_name;
    auto out = begin(facts, est.url);
    add_roots_pem(out, facts, est.root_file);
    const auto first = first_shown(facts), later = later_shown(facts);
    if (first.password) out.text = est.keep_password(facts.shown_user(), facts.password()) + "\n";
    est.password = first.password;
    if (first.certificate) est.show(factory_cert, factory_key);
    out.text += est.cacerts() + "\n" + est.request("key.pem") + "\n" + est.enroll("simpleenroll", "cert.pem") + "\n" + renewal_line(facts);
    if (facts.est.renewal) {
        est.password = later.password;
        est.show("cert.pem", "key.pem");
        out.text += comment(est.request("next.pem") + "\n" + est.enroll("simplereenroll", "renewed.pem"));
    }
    out.text += "# A request that waits for somebody's approval is answered so: send it again then.\n" + hints(facts);
    return out;
}

Configuration est_strongswan(const Facts& facts) {
    PkiEstCommands pki;
    // It has no label: the path of its URL comes before the well-known one.
    pki.url = facts.est_base + "/est/" + facts.endpoint;
    pki.key = wanted_key(facts);
    pki.name = facts.name;
    pki.dns_name = !facts.profile.text_common_name;
    auto out = begin(facts, pki.url);
    const auto first = first_shown(facts), later = later_shown(facts);
    const auto pair = facts.shown_user() + ":" + facts.password();
    if (first.password) pki.userpass = pair;
    if (first.certificate) pki.show(factory_cert, factory_key);
    for (const auto& each : facts.trusted()) {
        pki.trusted.push_back(each.name + ".pem");
        add_pem(out, *each.certificate, pki.trusted.back());
    }
    out.text = pki.request("key.pem") + "\n" + pki.enroll("cert.pem") + "\n" + renewal_line(facts);
    if (facts.est.renewal) {
        pki.userpass = later.password ? pair : std::string();
        pki.show("cert.pem", "key.pem");
        out.text += comment(pki.request("next.pem") + "\n" + pki.enroll("renewed.pem"));
    }
    out.text += hints(facts);
    return out;
}

}  // namespace postern::api::clients
