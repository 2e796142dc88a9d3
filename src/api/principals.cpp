#include "api/call.hpp"
#include "core/json/writer.hpp"

namespace postern::api {

/// {"name", "role", "tenant"?, "expires"?} -> {"name", "role", "token"}; the token is shown this once
core::Task<Answer> create_principal(Call call) {
    const auto body = read_body(call.request, {"name", "role", "tenant", "expires"});
    if (!body) co_return body.error();
    const auto root = body->root();
    const auto name = root["name"].string();
    if (!name) co_return name.error();
    if (name->empty() || name->size() > 64) co_return root["name"].problem("expected 1 to 64 characters");
    const auto role_text = root["role"].string();
    if (!role_text) co_return role_text.error();
    const auto role = ra::role_from(*role_text);
    if (!role) co_return root["role"].problem("known here: administrator, officer, auditor");

    std::optional<core::TenantId> tenant = call.principal.tenant;
    const auto tenant_name = root["tenant"].optional_string();
    if (!tenant_name) co_return tenant_name.error();
    if (*tenant_name) {
        const auto* found = call.deps.catalog.current()->tenant(**tenant_name);
        // Another tenant is as absent as none.
        if (!found || (tenant && *tenant != found->id)) co_return root["tenant"].problem("there is no such tenant");
        tenant = found->id;
    }
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
