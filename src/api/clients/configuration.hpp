#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ca/backend.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/crypto/certificate.hpp"
#include "ra/model.hpp"

/// What a client is told so that it enrolls at an endpoint: lines to paste, values for a form, files.
namespace postern::api::clients {

enum class Client { apple, intune, windows, cisco, strongswan, certmonger, certbot, lego, caddy, cert_manager, est_curl, est_strongswan };
/// The clients of that word, one a protocol.
std::vector<Client> clients_from(std::string_view word);
std::string_view to_string(Client c) noexcept;
/// "apple, intune, …": those of the protocol
std::string known_clients(ra::Protocol protocol);
ra::Protocol protocol_of(Client c) noexcept;

/// Stands where an access code belongs and nobody gave one: codes are stored as a hash, so the server cannot tell them.
inline constexpr std::string_view code_placeholder = "REPLACE-WITH-THE-ACCESS-CODE";
inline constexpr std::string_view user_placeholder = "REPLACE-WITH-THE-USER", password_placeholder = "REPLACE-WITH-THE-PASSWORD";

struct Facts {
    Facts() = default;
    std::string endpoint;
    std::string https, http, est_base;          ///< base URLs
    std::vector<crypto::Certificate> chain;     ///< who issues first, the root last
    std::vector<crypto::Certificate> other_roots;  ///< to be trusted beside the chain's, while one root succeeds another
    core::Bytes ra;                             ///< DER; of SCEP alone
    ra::Profile profile;                        ///< the endpoint's first
    ra::ScepSettings scep;
    ra::EstSettings est;
    std::string user;                           ///< EST: of an account; empty: nobody said
    bool account_required = true;               ///< ACME: external account binding
    std::string name;                           ///< of the device, or the DNS name; a placeholder where none was said
    std::optional<core::SecretText> challenge;  ///< SCEP's access code, EST's password

    [[nodiscard]] const crypto::Certificate& issuer() const { return chain.front(); }
    [[nodiscard]] const crypto::Certificate& root() const { return chain.back(); }
    /// What a client is to trust, roots first, each with a name for its file.
    struct Trusted {
        Trusted(const crypto::Certificate& c, std::string n, bool r) : certificate(&c), name(std::move(n)), root(r) {}
        const crypto::Certificate* certificate;
        std::string name;  ///< "root", "root-2", "intermediate-2", "issuing-ca"
        bool root;
    };
    [[nodiscard]] std::vector<Trusted> trusted() const;
    [[nodiscard]] std::string issuer_name() const { return chain.size() == 1 ? "root" : "issuing-ca"; }  ///< among them
    /// PEM of the roots among them.
    [[nodiscard]] std::string roots_pem() const;
    [[nodiscard]] std::string scep_url(bool tls) const { return (tls ? https : http) + "/scep/" + endpoint; }
    [[nodiscard]] std::string acme_directory() const { return https + "/acme/" + endpoint + "/directory"; }
    [[nodiscard]] std::string code() const { return challenge ? std::string(challenge->expose()) : std::string(code_placeholder); }
    [[nodiscard]] std::string shown_user() const;
    [[nodiscard]] std::string password() const;
    /// The smallest RSA key that the profile takes; nullopt: none.
    [[nodiscard]] std::optional<unsigned> rsa_bits() const;
};

struct File {
    File() = default;
    File(std::string n, core::Bytes c, std::string w) : name(std::move(n)), content(std::move(c)), what(std::move(w)) {}
    std::string name;
    core::Bytes content;
    std::string what;    ///< for people
    bool sign = false;   ///< to be wrapped in CMS SignedData
};

struct Configuration {
    Configuration() = default;
    std::string text;                                         ///< for people, ends with a line feed
    std::vector<std::pair<std::string, std::string>> values;  ///< the same, one by one
    std::vector<File> files;
};

/// Roots of the built-in CA (DER) that a client is to trust beside that one: while one succeeds the other the listeners may be under either.
/// None where that one is another CA's.
std::vector<core::Bytes> other_roots(const ca::Backends& backends, const core::Bytes& root);

/// Errors: conflict where the endpoint's profile and that client do not go together.
core::Result<Configuration> configure(Client client, const Facts& facts);

// One client each.
Configuration apple(const Facts& facts, unsigned bits);
Configuration intune(const Facts& facts, unsigned bits);
Configuration windows(const Facts& facts, unsigned bits);
Configuration cisco(const Facts& facts, unsigned bits);
Configuration strongswan(const Facts& facts, unsigned bits);
Configuration certmonger(const Facts& facts, unsigned bits);
Configuration certbot(const Facts& facts);
Configuration lego(const Facts& facts);
Configuration caddy(const Facts& facts);
Configuration cert_manager(const Facts& facts);
Configuration est_curl(const Facts& facts);
Configuration est_strongswan(const Facts& facts);

/// Upper-case hexadecimal, without colons.
std::string sha1_hex(const crypto::Certificate& certificate);
std::string sha256_hex(const crypto::Certificate& certificate);
/// "&", "<", ">" and quotes as entities.
std::string xml_text(std::string_view text);
/// Upper-case UUID that stays the same for the same words, so that what is installed again replaces.
std::string stable_uuid(std::string_view words);
/// A file with it, PEM.
void add_pem(Configuration& out, const crypto::Certificate& certificate, const std::string& name);
/// One with all roots.
void add_roots_pem(Configuration& out, const Facts& facts, const std::string& name);

}  // namespace postern::api::clients
