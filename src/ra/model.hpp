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
    bool principal_names = false;  ///< its accounts may have UPNs in certificates, within their scopes
};

struct Department {
    Department() = default;
    core::DepartmentId id;
    core::TenantId tenant;
    core::OrganizationId organization;
    std::string name;
    bool active = true;
};

/// By what the tenant has shown that a domain is its own.
enum class DomainProof : std::uint8_t { none, http, dns, mail };
std::string_view to_string(DomainProof p) noexcept;

/// A DNS name of the tenant and whom it is delegated to.
struct Domain {
    Domain() = default;
    core::TenantId tenant;
    std::string name;  ///< normalized; governs itself and everything below
    bool active = true;
    DomainProof proof = DomainProof::none;
    core::TimePoint proven_until{};
    std::optional<core::OrganizationId> organization;
};

/// Whose yes a request needs beside policy's.
enum class Approval { none, officer };
std::string_view to_string(Approval a) noexcept;

/// Why a version of a profile issues nothing: a lint refused what its template gave.
struct ProfilePause {
    ProfilePause() = default;
    std::string check, detail;
    core::RequestId request;
    core::TimePoint since{};
};

/// How a certificate says which account of Windows its holder is (KB5014754).
enum class StrongMapping { none, uri, extension };

/// What a request's challengePassword is to EST (RFC 7030 §3.5, RFC 7894 §1): the binding of the TLS connection, the account's
/// password, or nothing.
enum class ChallengePassword : std::uint8_t { binding, shared_secret, ignore };

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
    std::vector<std::string> subject;                 ///< template: "CN", "O", "OU", "C", "ST", "L"; "E", "serialNumber": the CSR's
    bool ip_names = false;                            ///< iPAddress SANs allowed
    bool email_names = false, uri_names = false, upn_names = false;
    bool drop_other_names = false;                    ///< names of kinds that are not allowed are left out, not refused
    StrongMapping strong_mapping = StrongMapping::none;
    bool refuse_sid_extension = false;                ///< a CSR that asks for it is refused; else it is left out
    bool private_targets = false;                     ///< validation may reach private addresses
    std::vector<std::string> challenges{"http-01", "tls-alpn-01", "dns-01"};  ///< ACME: how names may be proven, in the order offered
    bool caa = false;                                 ///< the owners of DNS names are asked by CAA (RFC 8659)
    std::vector<std::string> caa_identities;          ///< what CAA records call this CA
    bool must_staple = false;                         ///< honour a CSR's wish for it
    unsigned names_limit = 100;
    /// The CN is text (a device's name), from the CSR and within the account's common_names; else it is one of the names.
    bool text_common_name = false;
    ChallengePassword challenge_password = ChallengePassword::binding;
    bool require_binding = false;                     ///< EST: a request must be bound to its TLS connection
    Approval approval = Approval::none;
    std::chrono::milliseconds approval_limit{std::chrono::hours(24 * 7)};  ///< how long a request waits for a decision
    std::optional<ProfilePause> paused;               ///< no part of the document
    bool refuse_key_reuse = false;                    ///< a certificate's successor has another key than it has
    /// So long after its end a certificate still re-enrolls by EST; only its end is passed over.
    std::chrono::milliseconds renew_after_expiry{0};
    [[nodiscard]] bool tls_server() const;
    [[nodiscard]] bool certifies(crypto::GeneralNameType type) const noexcept;
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
    bool officer_messages = false;      ///< a FAILURE, which anybody on the way can read, repeats what an officer wrote
    /// Whence the RA's certificate comes. by_backend: from the built-in CA, where that issues for the endpoint's first profile.
    enum class Ra { by_backend, builtin, profile, imported };
    Ra ra = Ra::by_backend;
    std::string ra_profile;             ///< of the tenant, with Ra::profile: never one that devices enroll by
};

/// What an EST endpoint makes of RFC 7030's choices.
struct EstSettings {
    EstSettings() = default;
    /// What who enrolls must show: a certificate in the TLS handshake, a password, one of them, both.
    enum class Credential { either, certificate, password, both };
    Credential credential = Credential::either;
    std::vector<std::string> default_hosts;  ///< whose requests without a label are this endpoint's; "*" for any
    bool binary_bodies = false;              ///< takes DER where RFC 8951 wants base64
    bool renewal = true;                     ///< a certificate of this endpoint enrolls its successor
    bool server_keys = false;                ///< serverkeygen is offered
    unsigned server_keys_hourly = 60;        ///< keys that each account has made for it in an hour, by each node
    std::chrono::milliseconds renewal_window{std::chrono::hours(24 * 3660)};  ///< before its end
    [[nodiscard]] bool default_for(std::string_view host) const noexcept;
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
    EstSettings est;
};

/// How an account's client proves that it may use it. basic: a user name and password of HTTP; certificate: one of a manufacturer,
/// or of another CA, in the TLS handshake; access_code: a challenge that many devices share; one_time: one that
/// somebody minted for one certificate; webhook: one that another program judges; intune: one that Microsoft Intune sealed.
enum class AccountMethod { open, eab, system, access_code, one_time, webhook, intune, basic, certificate };
std::string_view to_string(AccountMethod m) noexcept;

/// Of an account whose challenges are minted.
struct OneTimeSettings {
    OneTimeSettings() = default;
    bool unbound = false;  ///< challenges that name no device too, and the NDES page
    std::chrono::milliseconds lifetime{std::chrono::minutes(15)};  ///< unless the caller says
    std::chrono::milliseconds longest{std::chrono::hours(24)};     ///< most a caller may ask for
    unsigned outstanding = 5;  ///< unbound ones that wait for their device at one time
};

/// Of an account whose challenges another program judges. Its signing secret is the account's.
struct WebhookSettings {
    WebhookSettings() = default;
    std::string url;
    std::string id;  ///< X-Smallstep-Webhook-ID
    std::chrono::milliseconds timeout{std::chrono::seconds(5)};
    std::string trust_anchors;  ///< PEM; empty: the system's
};

/// What an account of method intune makes of it.
struct IntuneSettings {
    IntuneSettings() = default;
    enum class Kind { client, device };
    Kind kind = Kind::device;           ///< client: certificates of persons; only they may carry mail addresses
    std::string azure_account;          ///< name in the tenant
    bool deliver_first = false;         ///< the device has its certificate before Intune knows of it
    bool renewal_by_certificate = false;///< beside Intune's own way, a new request with a new challenge
    /// A request is answered within this time: two fifths for Intune's validation, one for issuing, two for its notification.
    std::chrono::milliseconds answer_within{std::chrono::seconds(20)};
};

/// What an account of an EST endpoint makes of the certificates of manufacturers, and of devices by themselves.
struct DeviceSettings {
    DeviceSettings() = default;
    /// Where a device's serial number stands: in the subject's serialNumber or CN, or in the hardwareModuleName of RFC 4108. Of an
    /// account that goes by passwords it is the request's, else the presented certificate's.
    enum class Serial { subject, common_name, hardware_module };
    /// What it may be called: its serial number, or whatever the account's scope has.
    enum class Naming { serial_number, scope };
    std::string trust_anchors;  ///< PEM; of method certificate
    bool with_password = false; ///< of method certificate: the device sends the account's password, too
    std::string revocation;     ///< name of the tenant's predecessor that says what was revoked; empty: nobody is asked
    Serial serial = Serial::subject;
    Naming naming = Naming::serial_number;
    bool listed = false;        ///< only devices that are listed (store/tables/est_device.hpp)
    bool first_use = false;     ///< the first key that comes as a device stays that device's
    /// Whether who they are counts at all.
    [[nodiscard]] bool tells_apart() const noexcept { return listed || first_use; }
};

/// Whether names are proven by challenges of ACME: always; where no domain of the tenant is proven that governs them; never.
enum class Challenges : std::uint8_t { required, preauthorized, none };

/// A credential under an endpoint, and what may be asked for with it.
struct Account {
    Account() = default;
    core::AccountId id;
    core::TenantId tenant;
    core::EndpointId endpoint;
    std::string name;
    AccountMethod method = AccountMethod::eab;
    bool active = true;
    bool single_use = false;            ///< eab: its key id makes one ACME account
    Challenges challenges = Challenges::required;  ///< eab
    std::int64_t version = 0;
    std::optional<core::OrganizationId> organization;
    std::optional<core::DepartmentId> department;
    std::vector<std::string> profiles;  ///< subset of the endpoint's; empty: all of them
    NameScope scope;
    std::optional<Approval> approval;   ///< nullopt: as the profile says
    std::vector<std::string> common_names;  ///< text CNs it may ask for, "*" for any run of characters
    std::vector<std::string> serial_numbers;  ///< serialNumbers of subjects, the same
    std::string user;                   ///< of HTTP Basic; may be empty
    std::string public_id;              ///< EAB kid; of a generated access code or password: what it is found by
    core::Bytes secret_sealed;          ///< EAB key, webhook secret, or the Argon2id hash of a chosen access code or password
    OneTimeSettings one_time;
    WebhookSettings webhook;
    std::optional<core::TimePoint> expires;
    IntuneSettings intune;
    DeviceSettings devices;
};

/// Whether requests of this account for this profile wait for an officer. The account's word counts before the profile's.
[[nodiscard]] Approval approval_of(const Profile& profile, const Account& account) noexcept;

}  // namespace postern::ra
