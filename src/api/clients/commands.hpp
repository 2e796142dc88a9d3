#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/crypto/key.hpp"

/// Command lines that enroll: what `endpoint client-config` answers, and what a server says when it starts. They go to a
/// shell as they are, and end without a line feed.
namespace postern::api::clients {

struct AcmeCommand {
    AcmeCommand() = default;
    std::string directory;
    std::string root_file = "root.pem";  ///< of the root that the client trusts, PEM
    std::string key_id, mac_key;         ///< external account binding; empty: none
    std::string name;                    ///< DNS name
    unsigned http_01_port = 80;          ///< where the client listens
};
std::string certbot_command(const AcmeCommand& c);
std::string lego_command(const AcmeCommand& c);

/// strongSwan's pki, in the order in which they are called.
struct PkiCommands {
    PkiCommands() = default;
    std::string url;
    std::vector<std::string> trusted;  ///< files with CA certificates, PEM
    std::string name;                  ///< common name of the device
    unsigned bits = 2048;              ///< of its RSA key

    /// Writes ca.pem, ca-1.pem … and ra.pem.
    [[nodiscard]] std::string scepca() const;
    [[nodiscard]] std::string generate(std::string_view key_file) const;
    [[nodiscard]] std::string enroll(std::string_view key_file, std::string_view code) const;
    /// With the certificate that there is, in place of a code.
    [[nodiscard]] std::string renew(std::string_view key_file) const;

private:
    [[nodiscard]] std::string scep(std::string_view key_file) const;
};

/// EST by curl and openssl, in the order in which they are called; each may be several lines.
struct EstCommands {
    EstCommands() = default;
    std::string url;                        ///< with the label
    std::string root_file = "root.pem";     ///< of the root that the client trusts, PEM
    crypto::KeySpec key;
    std::string name;                       ///< common name of the device
    bool dns_name = false;                  ///< it is one, and is asked for as such
    bool password = false;                  ///< that which keep_password() wrote is sent
    std::string certificate, certificate_key;  ///< files, of who is shown in the handshake; empty: nobody

    void show(std::string_view certificate_file, std::string_view key_file) {
        certificate = certificate_file;
        certificate_key = key_file;
    }
    /// Writes est.curl, which only its owner may read: words of a command line are seen by others.
    [[nodiscard]] std::string keep_password(std::string_view user, std::string_view secret) const;
    /// Writes chain.pem.
    [[nodiscard]] std::string cacerts() const;
    [[nodiscard]] std::string request(std::string_view key_file) const;
    [[nodiscard]] std::string enroll(std::string_view operation, const std::string& into) const;

private:
    static constexpr std::string_view password_file = "est.curl";
    [[nodiscard]] std::string curl() const;
};

/// EST by strongSwan's pki.
struct PkiEstCommands {
    PkiEstCommands() = default;
    std::string url;                        ///< what stands before /.well-known/est
    std::vector<std::string> trusted;       ///< files with CA certificates, PEM
    crypto::KeySpec key;
    std::string name;
    bool dns_name = false;
    std::string userpass;                   ///< empty: none is sent
    std::string certificate, certificate_key;

    void show(std::string_view certificate_file, std::string_view key_file) {
        certificate = certificate_file;
        certificate_key = key_file;
    }
    [[nodiscard]] std::string request(std::string_view key_file) const;
    [[nodiscard]] std::string enroll(const std::string& into) const;
};

/// In single quotes for a shell.
std::string quoted(std::string_view text);
/// " --cacert FILE" for each.
std::string trust_options(const std::vector<std::string>& files);

}  // namespace postern::api::clients
