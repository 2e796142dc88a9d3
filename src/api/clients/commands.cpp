#include "api/clients/commands.hpp"

namespace postern::api::clients {

std::string certbot_command(const AcmeCommand& c) {
    auto out = "REQUESTS_CA_BUNDLE=" + c.root_file + " certbot certonly --standalone";
    if (c.http_01_port != 80) out += " --http-01-port " + std::to_string(c.http_01_port);
    out += " --server " + c.directory + " --agree-tos --register-unsafely-without-email";
    // Beginning with a hyphen, a value of its own would be taken for an option.
    if (!c.key_id.empty()) out += " --eab-kid=" + c.key_id + " --eab-hmac-key=" + c.mac_key;
    return out + " -d " + c.name;
}

std::string lego_command(const AcmeCommand& c) {
    auto out = "LEGO_CA_CERTIFICATES=" + c.root_file + " lego --server " + c.directory + " --accept-tos --email you@example.com";
    if (!c.key_id.empty()) out += " --eab --kid=" + c.key_id + " --hmac=" + c.mac_key;
    out += " --http";
    if (c.http_01_port != 80) out += " --http.port :" + std::to_string(c.http_01_port);
    return out + " -d " + c.name + " run";
}

std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

std::string trust_options(const std::vector<std::string>& files) {
    std::string out;
    for (const auto& file : files) out += " --cacert " + file;
    return out;
}

std::string PkiCommands::scepca() const { return "pki --scepca --url " + quoted(url) + " --caout ca.pem --raout ra.pem --outform pem --force"; }

std::string PkiCommands::generate(std::string_view key_file) const {
    return "pki --gen --type rsa --size " + std::to_string(bits) + " --outform pem > " + std::string(key_file);
}

std::string PkiCommands::scep(std::string_view key_file) const {
    return "pki --scep --url " + quoted(url) + " --cacert-enc ra.pem --cacert-sig ra.pem" + trust_options(trusted) + " --dn " + quoted("CN=" + name) +
           " --outform pem --in " + std::string(key_file);
}

std::string PkiCommands::enroll(std::string_view key_file, std::string_view code) const { return scep(key_file) + " --password " + quoted(code) + " > cert.pem"; }

std::string PkiCommands::renew(std::string_view key_file) const { return scep(key_file) + " --cert cert.pem --key key.pem > renewed.pem"; }

}  // namespace postern::api::clients
