#include "api/clients/configuration.hpp"

#include <algorithm>

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"

namespace postern::api::clients {

namespace {

struct Known {
    std::string_view word;
    Client client;
    ra::Protocol protocol;
};
constexpr Known all[] = {
    {"apple", Client::apple, ra::Protocol::scep},           {"intune", Client::intune, ra::Protocol::scep},
    {"windows", Client::windows, ra::Protocol::scep},       {"cisco", Client::cisco, ra::Protocol::scep},
    {"strongswan", Client::strongswan, ra::Protocol::scep}, {"certmonger", Client::certmonger, ra::Protocol::scep},
    {"certbot", Client::certbot, ra::Protocol::acme},       {"lego", Client::lego, ra::Protocol::acme},
    {"caddy", Client::caddy, ra::Protocol::acme},           {"cert-manager", Client::cert_manager, ra::Protocol::acme},
    {"est-curl", Client::est_curl, ra::Protocol::est},      {"strongswan", Client::est_strongswan, ra::Protocol::est},
};

const Known& known(Client c) noexcept {
    return *std::ranges::find_if(all, [c](const Known& k) { return k.client == c; });
}

std::string upper_hex(core::BytesView octets) {
    auto out = core::hex(octets);
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c; });
    return out;
}

Configuration made(Client client, const Facts& facts, unsigned bits) {
    switch (client) {
        case Client::apple: return apple(facts, bits);
        case Client::intune: return intune(facts, bits);
        case Client::windows: return windows(facts, bits);
        case Client::cisco: return cisco(facts, bits);
        case Client::strongswan: return strongswan(facts, bits);
        case Client::certmonger: return certmonger(facts, bits);
        case Client::certbot: return certbot(facts);
        case Client::lego: return lego(facts);
        case Client::caddy: return caddy(facts);
        case Client::cert_manager: return cert_manager(facts);
        case Client::est_curl: return est_curl(facts);
        case Client::est_strongswan: return est_strongswan(facts);
    }
    return {};
}

}  // namespace

std::vector<Client> clients_from(std::string_view word) {
    std::vector<Client> out;
    for (const auto& each : all)
        if (each.word == word) out.push_back(each.client);
    return out;
}

std::string_view to_string(Client c) noexcept { return known(c).word; }
ra::Protocol protocol_of(Client c) noexcept { return known(c).protocol; }

std::string known_clients(ra::Protocol protocol) {
    std::string out;
    for (const auto& each : all)
        if (each.protocol == protocol) out += (out.empty() ? "" : ", ") + std::string(each.word);
    return out;
}

std::optional<unsigned> Facts::rsa_bits() const {
    std::optional<unsigned> out;
    for (const auto& key : profile.keys)
        if (key.type == crypto::KeyType::rsa && (!out || key.bits < *out)) out = key.bits;
    return out;
}

std::string sha1_hex(const crypto::Certificate& certificate) { return upper_hex(crypto::sha1(certificate.der())); }
std::string sha256_hex(const crypto::Certificate& certificate) { return upper_hex(crypto::sha256(certificate.der())); }

std::string xml_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
    }
    return out;
}

std::string stable_uuid(std::string_view words) {
    auto digest = crypto::sha256(words);
    digest[6] = static_cast<std::uint8_t>((digest[6] & 0x0fU) | 0x80U);  // version 8: of a hash (RFC 9562)
    digest[8] = static_cast<std::uint8_t>((digest[8] & 0x3fU) | 0x80U);
    const auto hex = upper_hex(core::BytesView(digest).first(16));
    return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" + hex.substr(20);
}

std::vector<Facts::Trusted> Facts::trusted() const {
    std::vector<Trusted> out{Trusted(root(), "root", true)};
    for (const auto& other : other_roots) out.emplace_back(other, "root-" + std::to_string(out.size() + 1), true);
    for (auto n = chain.size() - 1; n-- > 0;) out.emplace_back(chain[n], n == 0 ? "issuing-ca" : "intermediate-" + std::to_string(n + 1), false);
    return out;
}

std::string Facts::roots_pem() const {
    auto out = crypto::to_pem("CERTIFICATE", root().der());
    for (const auto& other : other_roots) out += crypto::to_pem("CERTIFICATE", other.der());
    return out;
}

void add_pem(Configuration& out, const crypto::Certificate& certificate, const std::string& name) {
    const auto pem = crypto::to_pem("CERTIFICATE", certificate.der());
    const auto octets = core::as_bytes(pem);
    out.files.emplace_back(name, core::to_bytes(octets), certificate.subject().to_text() + ", SHA-256 " + sha256_hex(certificate));
}

std::vector<core::Bytes> other_roots(const ca::Backends& backends, const core::Bytes& root) {
    std::vector<core::Bytes> out;
    const auto* ours = backends.find("builtin");
    for (const auto& der : ours ? ours->anchors() : std::vector<core::Bytes>())
        if (const auto certificate = crypto::Certificate::parse(der); certificate && certificate->subject_der() == certificate->issuer_der()) out.push_back(der);
    if (std::erase(out, root) == 0) out.clear();
    return out;
}

void add_roots_pem(Configuration& out, const Facts& facts, const std::string& name) {
    const auto pem = facts.roots_pem();
    const auto octets = core::as_bytes(pem);
    std::string what;
    for (const auto& each : facts.trusted())
        if (each.root) what += (what.empty() ? "" : "; ") + each.certificate->subject().to_text() + ", SHA-256 " + sha256_hex(*each.certificate);
    out.files.emplace_back(name, core::to_bytes(octets), what);
}

core::Result<Configuration> configure(Client client, const Facts& facts) {
    const auto bits = facts.rsa_bits();
    if (protocol_of(client) == ra::Protocol::scep && !bits)
        return core::Problem(core::ProblemKind::conflict, "profile " + facts.profile.name + " takes no RSA keys, and " + std::string(to_string(client)) +
                                                              " enrolls by SCEP with no others; add \"rsa-2048\" to its keys");
    if (client == Client::cisco && facts.code().find('?') != std::string::npos)
        return core::Problem(core::ProblemKind::conflict, "the access code has a ?, which asks IOS for help wherever it stands in a line; give the account another one");
    return made(client, facts, bits.value_or(0));
}

}  // namespace postern::api::clients
