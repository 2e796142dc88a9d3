#include "api/clients/commands.hpp"
#include "api/clients/configuration.hpp"

/// Command lines: Cisco IOS, strongSwan's pki, certmonger.
namespace postern::api::clients {

namespace {

int percent_of_life(const Facts& facts) {
    const auto window = facts.scep.renewal_window.count(), life = facts.profile.lifetime.count();
    const auto begins = window >= life ? 10 : 100 - static_cast<int>(100 * window / life) + 1;
    return begins < 80 ? 80 : begins > 99 ? 99 : begins;
}

}  // namespace

Configuration cisco(const Facts& facts, unsigned bits) {
    Configuration out;
    const auto modulus = std::to_string(bits), label = "POSTERN-" + facts.endpoint;
    const auto url = facts.scep_url(false) + "/cgi-bin/pkiclient.exe";
    out.values = {{"trustpoint", label}, {"enrollment url", url}, {"fingerprint", sha1_hex(facts.issuer())}, {"subject-name", "CN=" + facts.name}, {"modulus", modulus}};
    auto& text = out.text;
    text = "crypto key generate rsa modulus " + modulus + " label " + label + "\n" + "crypto pki trustpoint " + label + "\n enrollment url " + url +
           "\n enrollment retry count 10\n enrollment retry period 1\n serial-number none\n fqdn none\n ip-address none\n subject-name CN=" + facts.name +
           "\n fingerprint " + sha1_hex(facts.issuer()) + "\n hash sha256\n revocation-check crl\n rsakeypair " + label + "\n password " + facts.code() +
           "\n auto-enroll " + std::to_string(percent_of_life(facts)) + " regenerate\n exit\ncrypto pki authenticate " + label + "\ncrypto pki enroll " + label + "\n";
    text += "! The fingerprint is the issuing CA's (SHA-1). IOS wants that CA alone in GetCACert and the CA beside the certificate: give the endpoint\n"
            "! chain = \"issuer\" and reply_with_issuer = true.";
    text += facts.scep.chain == ra::ScepSettings::Chain::issuer && facts.scep.reply_with_issuer ? " It has both.\n" : " It has not.\n";
    if (!facts.scep.legacy_algorithms) text += "! Images that speak SHA-1 or 3DES only also need legacy_algorithms = true.\n";
    if (!facts.challenge) text += "! Put the access code where " + std::string(code_placeholder) + " stands.\n";
    return out;
}

Configuration strongswan(const Facts& facts, unsigned bits) {
    Configuration out;
    PkiCommands pki;
    pki.url = facts.scep_url(false);
    pki.name = facts.name;
    pki.bits = bits;
    out.values = {{"url", pki.url}, {"dn", "CN=" + facts.name}, {"size", std::to_string(bits)}};
    // What was written beside is trusted, and not what the network says: pki compares nothing when it asks GetCACert.
    for (const auto& each : facts.trusted()) {
        pki.trusted.push_back(each.name + ".pem");
        add_pem(out, *each.certificate, pki.trusted.back());
    }
    out.text = pki.scepca() + "\npki --verify --in ra.pem" + trust_options(pki.trusted) + "\n" + pki.generate("key.pem") + "\n" + pki.enroll("key.pem", facts.code()) + "\n";
    out.text += "# To renew, from " + std::to_string(facts.scep.renewal_window.count() / 86'400'000) + " days before its end on:\n# " + pki.generate("next.pem") + "\n# " +
                pki.renew("next.pem") + "\n";
    if (!facts.challenge) out.text += "# Put the access code where " + std::string(code_placeholder) + " stands.\n";
    return out;
}

Configuration certmonger(const Facts& facts, unsigned bits) {
    Configuration out;
    const auto url = facts.scep_url(false), ca = "postern-" + facts.endpoint;
    out.values = {{"url", url}, {"ca", ca}, {"subject", "CN=" + facts.name}};
    for (const auto& each : facts.trusted()) add_pem(out, *each.certificate, each.name + ".pem");
    const auto registration = crypto::Certificate::parse(facts.ra);
    if (registration) add_pem(out, *registration, "ra.pem");
    // certmonger verifies the answer's signer up to what -N names, over what -I has.
    std::string others;
    for (std::size_t n = 0; n + 1 < facts.chain.size(); ++n) others += crypto::to_pem("CERTIFICATE", facts.chain[n].der());
    if (!others.empty()) {
        const auto octets = core::as_bytes(others);
        out.files.emplace_back("below-root.pem", core::to_bytes(octets), "the CAs below the root");
    }
    out.text = "getcert add-scep-ca -c " + ca + " -u " + quoted(url) + " -r \"$PWD/ra.pem\" -N \"$PWD/root.pem\"" + (others.empty() ? "" : " -I \"$PWD/below-root.pem\"") + "\n" + "getcert request -c " + ca + " -I " + ca + " -k \"$PWD/key.pem\" -f \"$PWD/cert.pem\" -G rsa -g " +
               std::to_string(bits) + " -N " + quoted("CN=" + facts.name) + " -L " + quoted(facts.code()) + " -w\n";
    out.text += "# certmonger runs as another user: put the files where it may read and write. It renews by itself.\n";
    if (!facts.challenge) out.text += "# Put the access code where " + std::string(code_placeholder) + " stands.\n";
    return out;
}

}  // namespace postern::api::clients
