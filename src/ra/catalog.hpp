#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "azure/account.hpp"
#include "ca/description.hpp"
#include "core/async/task.hpp"
#include "core/base/result.hpp"
#include "core/crypto/sealer.hpp"
#include "core/observe/log.hpp"
#include "ra/model.hpp"
#include "store/database.hpp"

namespace postern::ra {

/// One consistent picture of tenants, organizations, departments, domains, profiles and endpoints.
/// Immutable; held by shared_ptr for as long as a request needs it. Accounts are many and are read
/// where they are needed.
class Catalog {
public:
    std::int64_t version = 0;
    std::vector<Tenant> tenants;
    std::vector<Organization> organizations;
    std::vector<Department> departments;
    std::vector<Domain> domains;
    std::vector<ca::BackendDescription> backends;  ///< named "tenant/name"
    std::vector<Profile> profiles;
    std::vector<Endpoint> endpoints;
    std::vector<azure::AccountRef> azure_accounts;
    std::vector<Account> intune_accounts;  ///< of all endpoints: few, and asked for at each of their requests

    [[nodiscard]] const Tenant* tenant(core::TenantId id) const noexcept;
    [[nodiscard]] const Tenant* tenant(std::string_view name) const noexcept;
    [[nodiscard]] const Organization* organization(core::OrganizationId id) const noexcept;
    [[nodiscard]] const Department* department(core::DepartmentId id) const noexcept;
    [[nodiscard]] const Profile* profile(core::TenantId tenant, std::string_view name) const noexcept;
    [[nodiscard]] const Profile* profile(core::ProfileId id) const noexcept;
    [[nodiscard]] const Endpoint* endpoint(Protocol protocol, std::string_view name) const noexcept;
    [[nodiscard]] const Endpoint* endpoint(core::EndpointId id) const noexcept;
    /// Whose challenges this endpoint takes, if they are Intune's; null: they are not.
    [[nodiscard]] const Account* intune_account(core::EndpointId endpoint) const noexcept;
    /// Null when the tenant has none of that name. One that is disabled is found, and its calls are refused.
    [[nodiscard]] azure::AccountRef azure_account(core::TenantId tenant, std::string_view name) const noexcept;
    [[nodiscard]] azure::AccountRef azure_account(std::int64_t id) const noexcept;
    /// Whether requests at that endpoint may have to be bound to their TLS connection, so that nothing can stand between.
    [[nodiscard]] bool requires_binding(const Endpoint& endpoint) const noexcept;
    /// The record that governs `name`: itself or its closest ancestor; null when none does.
    [[nodiscard]] const Domain* governing_domain(core::TenantId tenant, std::string_view name) const noexcept;
};

/// Keeps the newest catalog: reloads when the configuration version moved (polled every second by
/// a task of app, and at once by whoever changed something here).
class CatalogSource {
public:
    CatalogSource(store::Database& db, observe::Log& log);
    ~CatalogSource();
    /// Thread safe. Null before the first refresh().
    [[nodiscard]] std::shared_ptr<const Catalog> current() const;
    /// Called with each new catalog before it is the current one. Once, at the start.
    void before_current(std::function<void(const Catalog&)> hook);
    /// Loads when the stored version is newer. A body that cannot be read keeps the old catalog and
    /// logs catalog_unreadable.
    core::Task<void> refresh();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Accounts by what requests carry. Not_found where absent.
core::Task<std::optional<Account>> find_account(store::Database& db, core::AccountId id);
core::Task<std::optional<Account>> find_account_by_public_id(store::Database& db, core::EndpointId endpoint,
                                                              std::string public_id);
core::Task<std::optional<Account>> find_open_account(store::Database& db, core::EndpointId endpoint);
/// Under which label and row identity an account's secret is sealed.
inline constexpr std::string_view account_secret_label = "account-secret";
std::string account_secret_context(core::AccountId id);
/// Opens the EAB MAC key; nullopt when it was sealed under another master key.
std::optional<core::SecretBytes> open_account_secret(const crypto::Sealer& sealer, const Account& account);

}  // namespace postern::ra
