#include "api/clients/commands.hpp"

namespace postern::api::clients {

namespace {

/// A word of curl's configuration.
std::string in_double_quotes(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

std::string size_of(const crypto::KeySpec& key) { return std::to_string(key.bits); }

std::string openssl_key(const crypto::KeySpec& key) {
    if (key.type == crypto::KeyType::rsa) return "rsa:" + size_of(key);
    return key.type == crypto::KeyType::ed25519 ? "ed25519" : "ec -pkeyopt ec_paramgen_curve:P-" + size_of(key);
}

std::string pki_key(const crypto::KeySpec& key) {
    if (key.type == crypto::KeyType::rsa) return "rsa --size " + size_of(key);
    return key.type == crypto::KeyType::ed25519 ? "ed25519" : "ecdsa --size " + size_of(key);
}

/// What was in a PKCS #7 of certificates, as PEM.
std::string opened(const std::string& answer, const std::string& into) {
    return "openssl base64 -d -in " + answer + " | openssl pkcs7 -inform DER -print_certs -out " + into;
}

}  // namespace

std::string EstCommands::keep_password(std::string_view user, std::string_view secret) const {
    // printf is the shell's own: no other user of the machine sees it among the processes.
    const auto line = "user = " + in_double_quotes(std::string(user) + ":" + std::string(secret));
    return "(umask 077; printf '%s\\n' " + quoted(line) + " > " + std::string(password_file) + ")";
}

std::string EstCommands::curl() const { return "curl -sS --fail-with-body --cacert " + root_file; }

std::string EstCommands::cacerts() const { return curl() + " -o cacerts.b64 " + quoted(url + "/cacerts") + "\n" + opened("cacerts.b64", "chain.pem"); }

std::string EstCommands::request(std::string_view key_file) const {
    auto out = "openssl req -new -newkey " + openssl_key(key) + " -nodes -keyout " + std::string(key_file) + " -subj " + quoted("/CN=" + name);
    if (dns_name) out += " -addext " + quoted("subjectAltName=DNS:" + name);
    return out + " -outform DER -out request.der\nopenssl base64 -in request.der -out request.b64";
}

std::string EstCommands::enroll(std::string_view operation, const std::string& into) const {
    auto out = curl();
    if (password) out += " -K " + std::string(password_file);
    if (!certificate.empty()) out += " --cert " + certificate + " --key " + certificate_key;
    out += " -H 'Content-Type: application/pkcs10' --data-binary @request.b64 -o answer.b64 " + quoted(url + "/" + std::string(operation));
    // A refusal, and a request that waits, say why in their body.
    return out + " && " + opened("answer.b64", into) + " || { cat answer.b64; false; }";
}

std::string PkiEstCommands::request(std::string_view key_file) const {
    const std::string file(key_file);
    auto out = "pki --gen --type " + pki_key(key) + " --outform pem > " + file + "\npki --req --type priv --in " + file + " --dn " + quoted("CN=" + name);
    if (dns_name) out += " --san " + quoted(name);
    return out + " --outform pem > request.pem";
}

std::string PkiEstCommands::enroll(const std::string& into) const {
    auto out = "pki --est --url " + quoted(url) + trust_options(trusted) + " --in request.pem --outform pem";
    if (!userpass.empty()) out += " --userpass " + quoted(userpass);
    if (!certificate.empty()) out += " --cert " + certificate + " --key " + certificate_key;
    return out + " > " + into;
}

}  // namespace postern::api::clients
