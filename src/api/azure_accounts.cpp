#include <algorithm>

#include "api/call.hpp"
#include "core/crypto/certificate.hpp"
#include "core/json/writer.hpp"

/// App registrations in Entra, and whether they are well.
namespace postern::api {

namespace {

constexpr std::string_view replaced_addresses = "its document names addresses or scopes that are not Microsoft's: tokens and requests of devices go there";

bool may_see(const Call& call, const azure::Account& account) {
    return !call.principal.tenant || call.principal.tenant->get() == account.tenant_id;
}

void write_account(json::Writer& w, const azure::Account& account) {
    w.begin_object().member("azure_account", account.label()).member("enabled", account.active);
    w.member("environment", azure::to_string(account.environment)).member("directory", account.directory);
    w.member("application", account.application).member("credential", azure::to_string(account.credential));
    if (const auto certificate = crypto::Certificate::parse(account.certificate); certificate && !account.certificate.empty())
        w.member("certificate_expires", core::rfc3339(certificate->not_after()));
    if (!account.proxy.empty()) w.member("proxy", account.proxy);
    w.key("organizations").begin_array();
    for (const auto& organization : account.organizations) w.string(organization);
    w.end_array();
    if (account.replaced) w.member("warning", replaced_addresses);
    w.end_object();
}

}  // namespace

core::Result<azure::AccountRef> named_azure_account(const Call& call) {
    const auto body = read_body(call.request, {"azure_account"});
    if (!body) return body.error();
    const auto name = body->root()["azure_account"].string();
    if (!name) return name.error();
    const auto catalog = call.deps.catalog.current();
    const auto found = std::ranges::find_if(catalog->azure_accounts, [&](const auto& a) { return a->label() == *name && may_see(call, *a); });
    if (found == catalog->azure_accounts.end()) return core::Problem(core::ProblemKind::not_found, "there is no azure_account " + std::string(*name));
    return *found;
}

/// One JSON object a line; no secret.
core::Task<Answer> list_azure_accounts(Call call) {
    const auto catalog = call.deps.catalog.current();
    std::string body;
    for (const auto& account : catalog->azure_accounts) {
        if (!may_see(call, *account)) continue;
        json::Writer w;
        write_account(w, *account);
        body += w.take() + "\n";
    }
    http::Response response(200, "application/x-ndjson", std::move(body));
    response.set("Cache-Control", "no-store");
    co_return response;
}

/// {"azure_account": "tenant/name"} -> {"azure_account", "passed", "steps": [{"name", "passed", "skipped", "result", "advice", "check"}]}
core::Task<Answer> test_azure_account(Call call) {
    const auto named = named_azure_account(call);
    if (!named) co_return named.error();
    const azure::AccountRef account = *named;
    constexpr std::chrono::seconds longest(25);
    const auto deadline = core::earlier(call.request.deadline, core::deadline_in(longest));
    const auto steps = co_await call.deps.intune.test(account, deadline);
    json::Writer w;
    w.begin_object().member("azure_account", account->label());
    w.member("passed", std::ranges::all_of(steps, [](const azure::TestStep& s) { return s.passed; }));
    if (account->replaced) w.member("warning", replaced_addresses);
    w.key("steps").begin_array();
    for (const auto& s : steps) {
        w.begin_object().member("name", s.name).member("passed", s.passed).member("skipped", s.skipped).member("result", s.result);
        w.member("advice", s.advice).member("check", s.check).end_object();
    }
    w.end_array().end_object();
    co_return json_response(200, w.take());
}

}  // namespace postern::api
