#include "ra/catalog.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "ra/azure_account.hpp"
#include "ra/bodies.hpp"
#include "store/tables/objects.hpp"
#include "store/tables/profile_pause.hpp"

namespace postern::ra {

namespace {

template <class T, class Predicate>
const T* find(const std::vector<T>& list, Predicate matches) noexcept {
    const auto it = std::find_if(list.begin(), list.end(), matches);
    return it == list.end() ? nullptr : &*it;
}

template <class T>
core::Task<void> load(store::Database& db, observe::Log& log, const store::ObjectStatements& statements,
                      core::Result<T> (*read)(const store::ObjectRow&), std::vector<T>& into) {
    std::int64_t after = 0;
    for (;;) {
        auto key = store::values(after);
        const auto rows = co_await db.read(statements.all, std::move(key));
        for (const auto& raw : rows) {
            const auto row = store::ObjectRow::from(raw);
            after = row.id;
            auto object = read(row);
            if (object)
                into.push_back(std::move(*object));
            else  // unreadable denies: what is not in the catalog does not exist
                log.error("catalog_unreadable", {{"kind", statements.kind}, {"name", row.name}, {"why", object.error().detail}});
        }
        if (rows.size() < 500) break;
    }
}

}  // namespace

namespace {

std::string whose(const Catalog& catalog, core::TenantId tenant, const std::string& name) {
    const auto* t = catalog.tenant(tenant);
    return (t ? t->name : std::to_string(tenant.get())) + "/" + name;
}

struct DescribedBackend {
    DescribedBackend() = default;
    core::TenantId tenant;
    ca::BackendDescription description;
};
core::Result<DescribedBackend> read_described(const store::ObjectRow& row) {
    auto description = read_backend(row);
    if (!description) return description.error();
    DescribedBackend out;
    out.tenant = core::TenantId(row.tenant_id);
    out.description = std::move(*description);
    return out;
}

/// A name that two tenants chose stands for two CAs.
void name_backends(Catalog& catalog, std::vector<DescribedBackend> described) {
    for (auto& b : described) {
        const auto local = b.description.name;
        b.description.name = whose(catalog, b.tenant, local);
        for (auto& p : catalog.profiles)
            if (p.tenant == b.tenant && p.backend == local) p.backend = b.description.name;
        catalog.backends.push_back(std::move(b.description));
    }
}

/// Where Intune speaks for the devices, a certificate renews nothing unless its account says so.
core::Task<void> load_intune_accounts(store::Database& db, observe::Log& log, Catalog& catalog) {
    std::int64_t after = 0;
    for (;;) {
        auto key = store::values(after, to_string(AccountMethod::intune));
        const auto rows = co_await db.read(store::account_all_of_method, std::move(key));
        for (const auto& raw : rows) {
            const auto row = store::ObjectRow::from(raw);
            after = row.id;
            auto account = read_account(row);
            if (!account) {
                log.error("catalog_unreadable", {{"kind", "account"}, {"name", row.name}, {"why", account.error().detail}});
                continue;
            }
            for (auto& e : catalog.endpoints)
                if (e.id == account->endpoint) e.scep.renewal = e.scep.renewal && account->intune.renewal_by_certificate;
            catalog.intune_accounts.push_back(std::move(*account));
        }
        if (rows.size() < 500) co_return;
    }
}

/// A pause counts for the version that it was found at.
core::Task<void> load_pauses(store::Database& db, std::vector<Profile>& profiles) {
    std::int64_t after = 0;
    for (;;) {
        auto key = store::values(after);
        const auto rows = co_await db.read(store::profile_pause_all, std::move(key));
        for (const auto& raw : rows) {
            auto row = store::ProfilePauseRow::from(raw);
            after = row.profile.get();
            for (auto& p : profiles) {
                if (p.id != row.profile || p.version != row.version) continue;
                p.paused.emplace();
                p.paused->check = row.check;
                p.paused->detail = row.detail;
                p.paused->request = row.request;
                p.paused->since = row.since;
            }
        }
        if (rows.size() < 500) co_return;
    }
}

}  // namespace

const Tenant* Catalog::tenant(core::TenantId id) const noexcept {
    return find(tenants, [&](const Tenant& t) { return t.id == id; });
}
const Tenant* Catalog::tenant(std::string_view name) const noexcept {
    return find(tenants, [&](const Tenant& t) { return t.name == name; });
}
const Organization* Catalog::organization(core::OrganizationId id) const noexcept {
    return find(organizations, [&](const Organization& o) { return o.id == id; });
}
const Department* Catalog::department(core::DepartmentId id) const noexcept {
    return find(departments, [&](const Department& d) { return d.id == id; });
}
const Profile* Catalog::profile(core::TenantId tenant_id, std::string_view name) const noexcept {
    return find(profiles, [&](const Profile& p) { return p.tenant == tenant_id && p.name == name; });
}
const Profile* Catalog::profile(core::ProfileId id) const noexcept {
    return find(profiles, [&](const Profile& p) { return p.id == id; });
}
const Endpoint* Catalog::endpoint(Protocol protocol, std::string_view name) const noexcept {
    return find(endpoints, [&](const Endpoint& e) { return e.protocol == protocol && e.name == name; });
}
const Endpoint* Catalog::endpoint(core::EndpointId id) const noexcept {
    return find(endpoints, [&](const Endpoint& e) { return e.id == id; });
}

const Account* Catalog::intune_account(core::EndpointId endpoint) const noexcept {
    return find(intune_accounts, [&](const Account& a) { return a.endpoint == endpoint; });
}

azure::AccountRef Catalog::azure_account(core::TenantId tenant_id, std::string_view name) const noexcept {
    const auto* found = find(azure_accounts, [&](const azure::AccountRef& a) { return a->tenant_id == tenant_id.get() && a->name == name; });
    return found ? *found : nullptr;
}
azure::AccountRef Catalog::azure_account(std::int64_t id) const noexcept {
    const auto* found = find(azure_accounts, [&](const azure::AccountRef& a) { return a->id == id; });
    return found ? *found : nullptr;
}

bool Catalog::requires_binding(const Endpoint& endpoint) const noexcept {
    return endpoint.protocol == Protocol::est && std::any_of(endpoint.profiles.begin(), endpoint.profiles.end(), [&](const std::string& name) {
        const auto* p = profile(endpoint.tenant, name);
        return p != nullptr && p->active && p->require_binding;
    });
}

const Domain* Catalog::governing_domain(core::TenantId tenant_id, std::string_view name) const noexcept {
    if (name.starts_with("*.")) name.remove_prefix(2);
    for (;;) {
        if (const auto* d = find(domains, [&](const Domain& x) { return x.tenant == tenant_id && x.name == name; })) return d;
        const auto dot = name.find('.');
        if (dot == std::string_view::npos) return nullptr;
        name.remove_prefix(dot + 1);
    }
}

struct CatalogSource::Impl {
    Impl(store::Database& d, observe::Log& l) : db(d), log(l) {}
    store::Database& db;
    observe::Log& log;
    mutable std::mutex mutex;
    std::shared_ptr<const Catalog> current;
    std::function<void(const Catalog&)> hook;
};

CatalogSource::CatalogSource(store::Database& db, observe::Log& log) : impl_(std::make_unique<Impl>(db, log)) {}
CatalogSource::~CatalogSource() = default;

std::shared_ptr<const Catalog> CatalogSource::current() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->current;
}

void CatalogSource::before_current(std::function<void(const Catalog&)> hook) { impl_->hook = std::move(hook); }

core::Task<void> CatalogSource::refresh() {
    auto none = store::values();
    const auto row = co_await store::read_one(impl_->db, store::configuration_version, std::move(none));
    const std::int64_t version = row.value().integer(0);
    if (const auto held = current(); held && held->version >= version) co_return;

    // The version is read first: a change that lands while the tables are read raises it again, and
    // the next poll reads once more.
    auto next = std::make_shared<Catalog>();
    next->version = version;
    auto& db = impl_->db;
    auto& log = impl_->log;
    co_await load<Tenant>(db, log, store::tenant_statements, &read_tenant, next->tenants);
    co_await load<Organization>(db, log, store::organization_statements, &read_organization, next->organizations);
    co_await load<Department>(db, log, store::department_statements, &read_department, next->departments);
    co_await load<Domain>(db, log, store::domain_statements, &read_domain, next->domains);
    std::vector<DescribedBackend> described;
    co_await load<DescribedBackend>(db, log, store::backend_statements, &read_described, described);
    co_await load<Profile>(db, log, store::profile_statements, &read_profile, next->profiles);
    co_await load_pauses(db, next->profiles);
    co_await load<Endpoint>(db, log, store::endpoint_statements, &read_endpoint, next->endpoints);
    co_await load_intune_accounts(db, log, *next);
    std::vector<azure::Account> azure_accounts;
    co_await load<azure::Account>(db, log, store::azure_account_statements, &read_azure_account, azure_accounts);
    for (auto& account : azure_accounts) {
        const auto* tenant = next->tenant(core::TenantId(account.tenant_id));
        account.tenant = tenant ? tenant->name : std::to_string(account.tenant_id);
        if (account.replaced)
            log.warning("azure_addresses_replaced", {{"account", account.label()}, {"why", "its document names addresses that are not Microsoft's: tokens and requests of devices go there"}});
        next->azure_accounts.push_back(std::make_shared<const azure::Account>(std::move(account)));
    }
    name_backends(*next, std::move(described));

    const std::lock_guard lock(impl_->mutex);
    if (impl_->current && impl_->current->version >= version) co_return;
    if (impl_->hook) impl_->hook(*next);
    impl_->current = std::move(next);
    log.info("catalog_current", {{"version", std::to_string(version)}});
}

}  // namespace postern::ra
