#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

/// Entra ID, Microsoft Graph and Intune as a client: intune.hpp is the port that others use.
namespace postern::azure {

/// Microsoft's clouds; each has its own login, Graph and Intune.
enum class Environment { global, us_gov, us_dod, china };
std::string_view to_string(Environment environment) noexcept;
core::Result<Environment> environment_from(std::string_view text);

enum class CredentialKind {
    secret,            ///< client secret
    certificate,       ///< assertion PS256 with x5t#S256
    certificate_rs256  ///< the older form: RS256 with x5t
};
std::string_view to_string(CredentialKind kind) noexcept;

/// Every address that a cloud has, so that each can be replaced. Base URLs end in a slash.
struct Addresses {
    Addresses() = default;
    std::string login;         ///< "https://login.microsoftonline.com/"
    std::string graph;         ///< "https://graph.microsoft.com/"
    std::string graph_scope;   ///< "https://graph.microsoft.com/.default"
    std::string intune_scope;  ///< "https://api.manage.microsoft.com//.default": with two slashes
    /// Where a discovered service may be: ".manage.microsoft.com" (below it) or "localhost:8443" (exactly).
    std::string services;
};
/// What Microsoft publishes of a cloud. China's Intune is unknown: its intune_scope is empty, and must be given.
Addresses addresses_of(Environment environment);

/// One [[azure_account]] in one version: an app registration of one Entra tenant. Never changes; a changed
/// document makes another one, with a new version, for which tokens and addresses are asked anew.
struct Account {
    Account() = default;
    std::int64_t id = 0;
    std::int64_t version = 0;
    std::string tenant;       ///< Postern's
    std::string name;         ///< within it
    Environment environment = Environment::global;
    Addresses addresses;      ///< of the environment, with what the document replaces
    bool replaced = false;    ///< an address is not Microsoft's: loudly marked wherever the account is shown
    std::string directory;    ///< Entra's tenant: GUID or domain
    std::string application;  ///< client id, GUID
    CredentialKind credential = CredentialKind::secret;
    core::Bytes certificate;  ///< DER, of a certificate credential
    core::Bytes sealed;       ///< the client secret, or the certificate's key as PKCS#8: see credential_label
    std::string proxy;        ///< "http://host:port", or empty: the process's
    std::string proxy_user;
    core::Bytes sealed_proxy_password;
    std::string ca_pem;       ///< trusted instead of the process's; empty: those
    /// "tenant/name", for logs and metrics.
    [[nodiscard]] std::string label() const { return tenant + "/" + name; }
};
using AccountRef = std::shared_ptr<const Account>;

/// Under which labels and row identity the sealed members are sealed (crypto::Sealer).
inline constexpr std::string_view credential_label = "azure-credential";
inline constexpr std::string_view proxy_password_label = "azure-proxy-password";
std::string sealing_context(std::int64_t account_id);

}  // namespace postern::azure
