#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/ids.hpp"
#include "core/crypto/certificate_template.hpp"
#include "core/crypto/key.hpp"
#include "ra/names.hpp"

/// What the RA knows, typed. Bodies are parsed once when the catalog is loaded.
namespace postern::ra {

enum class Protocol { acme, scep, est, rest, system };
std::string_view to_string(Protocol p) noexcept;
std::optional<Protocol> protocol_from(std::string_view text) noexcept;

struct Tenant {
    Tenant() = default;
    core::TenantId id;
    std::string name;
    bool active = true;
    std::int64_t version = 0;
};

/// An organization's record: what subject templates draw from.
struct Organization {
    Organization() = default;
    core::OrganizationId id;
    core::TenantId tenant;
    std::string name;
    bool active = true;
    std::string legal_name;  ///< O; ≤ 64
    std::string country, state, locality;
};

struct Department {
    Department() = default;
    core::DepartmentId id;
    core::TenantId tenant;
    core::OrganizationId organization;
    std::string name;
    bool active = true;
};

/// A DNS name of the tenant and whom it is delegated to.
struct Domain {
    Domain() = default;
    core::TenantId tenant;
    std::string name;  ///< normalized; governs itself and everything below
    bool active = true;
    std::optional<core::OrganizationId> organization;
};

/// Why a version of a profile issues nothing: a lint refused what its template gave.
struct ProfilePause {
    ProfilePause() = default;
    std::string check, detail;
    core::RequestId request;
    core::TimePoint since{};
};

/// What a certificate looks like and which backend signs.
struct Profile {
    Profile() = default;
    core::ProfileId id;
    core::TenantId tenant;
    std::string name;
    std::int64_t version = 0;
    bool active = true;
    std::string description;
    /// "builtin", or the tenant's own: "tenant/name" once the catalog is loaded.
    std::string backend = "builtin";
    std::vector<std::pair<std::string, std::string>> parameters;  ///< for a foreign CA, by name
    std::chrono::milliseconds lifetime{std::chrono::hours(24 * 90)};  ///< default term
    std::chrono::milliseconds longest{std::chrono::hours(24 * 90)};   ///< most a request may ask for
    std::chrono::milliseconds backdate{std::chrono::minutes(1)};
    std::vector<crypto::KeySpec> keys;                ///< allowed; RSA entries are minimum sizes
    std::vector<crypto::KeyUsageBit> key_usage;       ///< empty: by key type
    std::vector<std::string> extended_key_usage;      ///< dotted OIDs
    std::vector<std::string> subject;                 ///< template: "CN", "O", "OU", "C", "ST", "L"
    bool ip_names = false;                            ///< iPAddress SANs allowed
    bool private_targets = false;                     ///< validation may reach private addresses
    bool must_staple = false;                         ///< honour a CSR's wish for it
    unsigned names_limit = 100;
    /// The CN is text (a device's name), from the CSR and within the account's common_names; else it is one of the names.
    bool text_common_name = false;
    std::optional<ProfilePause> paused;               ///< no part of the document
    [[nodiscard]] bool tls_server() const;
};

/// What a SCEP endpoint makes of RFC 8894's choices.
struct ScepSettings {
    ScepSettings() = default;
    /// What GetCACert holds beside the RA's certificate: the issuing CA's, those above it, the root's too.
    enum class Chain { issuer, chain, chain_and_root };
    Chain chain = Chain::chain_and_root;  ///< strongSwan takes nothing without the root
    bool reply_with_issuer = false;     ///< the issuing CA's certificate beside the new one (Cisco wants it, Juniper refuses it)
    bool legacy_algorithms = false;     ///< 3DES and SHA-1
    bool get_operation = true;          ///< PKIOperation by GET
    bool get_crl = false;               ///< who holds a certificate may ask for the CRL that covers it
    bool renewal = true;                ///< a certificate of this endpoint enrolls its successor
    std::chrono::milliseconds renewal_window{std::chrono::hours(24 * 30)};  ///< before its end
    /// Whence the RA's certificate comes. by_backend: from the built-in CA, where that issues for the endpoint's first profile.
    enum class Ra { by_backend, builtin, profile, imported };
    Ra ra = Ra::by_backend;
    std::string ra_profile;             ///< of the tenant, with Ra::profile: never one that devices enroll by
};

/// A URL for one protocol.
struct Endpoint {
    Endpoint() = default;
    core::EndpointId id;
    core::TenantId tenant;
    std::string name;
    Protocol protocol = Protocol::acme;
    bool active = true;
    std::int64_t version = 0;
    std::vector<std::string> profiles;  ///< names in the tenant, the first is the default
    // ACME
    bool account_required = true;       ///< externalAccountRequired; false only with an `open` account
    std::string terms_of_service, website;
    ScepSettings scep;
};

/// How an account's client proves that it may use it. access_code: a challenge that many devices share.
enum class AccountMethod { open, eab, system, access_code };
std::string_view to_string(AccountMethod m) noexcept;

/// A credential under an endpoint, and what may be asked for with it.
struct Account {
    Account() = default;
    core::AccountId id;
    core::TenantId tenant;
    core::EndpointId endpoint;
    std::string name;
    AccountMethod method = AccountMethod::eab;
    bool active = true;
    std::int64_t version = 0;
    std::optional<core::OrganizationId> organization;
    std::optional<core::DepartmentId> department;
    std::vector<std::string> profiles;  ///< subset of the endpoint's; empty: all of them
    NameScope scope;
    std::vector<std::string> common_names;  ///< text CNs it may ask for, "*" for any run of characters
    std::string public_id;              ///< EAB kid
    core::Bytes secret_sealed;
    std::optional<core::TimePoint> expires;
};

}  // namespace postern::ra
