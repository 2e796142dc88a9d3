#include <algorithm>

#include "api/call.hpp"
#include "core/json/writer.hpp"

namespace postern::api {

namespace {

/// Names stand in lists, logs and audit records: one line of visible characters.
bool good_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 &&
           std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c < 0x7f; }) && name.front() != ' ' && name.back() != ' ';
}

/// Names are unique in the installation. "TENANT/NAME" is that tenant's alone, and all that its own
/// administrators may give: so nobody learns by trying which names others took.
core::Result<void> check_owner(const json::Value& value, std::string_view name, const ra::Tenant* tenant, bool by_tenant) {
    const auto slash = name.find('/');
    if (slash == std::string_view::npos && !by_tenant) return {};
    if (tenant == nullptr) return value.problem("a slash follows the principal's tenant; this one has none");
    if (name.substr(0, slash) == tenant->name && slash != std::string_view::npos && slash + 1 < name.size()) return {};
    return value.problem("expected a name that begins with \"" + tenant->name + "/\"");
}

core::Task<Answer> set_active(Call call, bool active) {
    const auto body = read_body(call.request, {"name"});
    if (!body) co_return body.error();
    const auto name = body->root()["name"].string();
    if (!name) co_return name.error();
    std::string text(*name);
    ra::Principal by = call.principal;
    core::RequestId request = call.request.id;
    const auto changed = co_await call.deps.principals.set_active(std::move(text), active, std::move(by), std::move(request));
    if (!changed) co_return changed.error();
    json::Writer w;
    w.begin_object().member("name", *name).member("status", active ? "active" : "disabled").member("changed", *changed).end_object();
    co_return json_response(200, w.take());
}

}  // namespace

/// -> {"principals": [{"name", "role", "status", "tenant"?, "expires"?, "created", "createdBy"}]}
core::Task<Answer> list_principals(Call call) {
    const auto list = co_await call.deps.principals.list(call.principal);
    const auto catalog = call.deps.catalog.current();
    json::Writer w;
    w.begin_object().key("principals").begin_array();
    for (const auto& p : list) {
        w.begin_object().member("name", p.name).member("role", p.role).member("status", p.status);
        if (p.tenant) {
            const auto* tenant = catalog->tenant(*p.tenant);
            w.member("tenant", tenant ? tenant->name : std::to_string(p.tenant->get()));
        }
        if (p.expires) w.member("expires", core::rfc3339(*p.expires));
        w.member("created", core::rfc3339(p.created)).member("createdBy", p.created_by).end_object();
    }
    w.end_array().end_object();
    co_return json_response(200, w.take());
}

/// {"name"} -> {"name", "status", "changed"}
core::Task<Answer> disable_principal(Call call) { return set_active(call, false); }
core::Task<Answer> enable_principal(Call call) { return set_active(call, true); }

/// {"name", "role", "tenant"?, "expires"?} -> {"name", "role", "token"}; the token is shown this once
core::Task<Answer> create_principal(Call call) {
    const auto body = read_body(call.request, {"name", "role", "tenant", "expires"});
    if (!body) co_return body.error();
    const auto root = body->root();
    const auto name = root["name"].string();
    if (!name) co_return name.error();
    if (!good_name(*name)) co_return root["name"].problem("expected 1 to 64 visible ASCII characters");
    const auto role_text = root["role"].string();
    if (!role_text) co_return role_text.error();
    const auto role = ra::role_from(*role_text);
    if (!role) co_return root["role"].problem("known here: administrator, officer, auditor, enroller");

    const auto catalog = call.deps.catalog.current();
    std::optional<core::TenantId> tenant = call.principal.tenant;
    const auto tenant_name = root["tenant"].optional_string();
    if (!tenant_name) co_return tenant_name.error();
    if (*tenant_name) {
        const auto* found = catalog->tenant(**tenant_name);
        // Another tenant is as absent as none.
        if (!found || (tenant && *tenant != found->id)) co_return root["tenant"].problem("there is no such tenant");
        tenant = found->id;
    }
    const auto* owner = tenant ? catalog->tenant(*tenant) : nullptr;
    if (const auto good = check_owner(root["name"], *name, owner, call.principal.tenant.has_value()); !good) co_return good.error();
    std::optional<core::TimePoint> expires;
    const auto expires_text = root["expires"].optional_string();
    if (!expires_text) co_return expires_text.error();
    if (*expires_text) {
        expires = core::from_rfc3339(**expires_text);
        if (!expires || *expires <= call.deps.clock.now()) co_return root["expires"].problem("expected a time to come, such as \"2027-01-31T00:00:00Z\"");
    }
    const auto token = co_await call.deps.principals.create(std::string(*name), *role, tenant, expires, call.principal, call.request.id);
    if (!token) co_return token.error();
    json::Writer w;
    w.begin_object().member("name", *name).member("role", to_string(*role)).member("token", token->expose()).end_object();
    co_return json_response(201, w.take());
}

}  // namespace postern::api
