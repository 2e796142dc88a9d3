#include "api/api.hpp"

#include <algorithm>

#include "api/call.hpp"

namespace postern::api {

namespace {

using http::Method;
using ra::Role;

/// The least role is a column, so that no route can forget it.
struct Route {
    Method method;
    std::string_view pattern;
    Role least;
    core::Task<Answer> (*handler)(Call);
    bool enroller = false;  ///< the role beside the others may, too
};

constexpr Route routes[] = {
    {Method::post, "/api/postern/v1/apply", Role::administrator, &apply},
    {Method::get, "/api/postern/v1/export", Role::auditor, &export_documents},
    {Method::get, "/api/postern/v1/explain", Role::auditor, &explain},
    {Method::get, "/api/postern/v1/certificates", Role::auditor, &list_certificates},
    {Method::get, "/api/postern/v1/certificates/{serial:serial}", Role::auditor, &show_certificate},
    {Method::post, "/api/postern/v1/certificates/{serial:serial}/revoke", Role::officer, &revoke_certificate},
    {Method::get, "/api/postern/v1/principals", Role::administrator, &list_principals},
    {Method::post, "/api/postern/v1/principals", Role::administrator, &create_principal},
    {Method::get, "/api/postern/v1/blocked-keys", Role::auditor, &list_blocked_keys},
    {Method::post, "/api/postern/v1/blocked-keys", Role::administrator, &block_keys},
    {Method::post, "/api/postern/v1/blocked-keys/unblock", Role::administrator, &unblock_keys},
    {Method::post, "/api/postern/v1/keys/check", Role::auditor, &check_key},
    {Method::get, "/api/postern/v1/paused-profiles", Role::auditor, &list_paused_profiles},
    {Method::post, "/api/postern/v1/paused-profiles/resume", Role::administrator, &resume_profile},
    {Method::post, "/api/postern/v1/principals/disable", Role::administrator, &disable_principal},
    {Method::post, "/api/postern/v1/principals/enable", Role::administrator, &enable_principal},
    {Method::get, "/api/postern/v1/requests", Role::auditor, &list_requests},
    {Method::get, "/api/postern/v1/requests/{request:label}", Role::auditor, &show_request},
    {Method::post, "/api/postern/v1/requests/{request:label}/resolve", Role::officer, &resolve_request},
    {Method::post, "/api/postern/v1/requests/{request:label}/approve", Role::officer, &approve_request},
    {Method::post, "/api/postern/v1/requests/{request:label}/decline", Role::officer, &decline_request},
    {Method::get, "/api/postern/v1/backends", Role::auditor, &list_backends},
    {Method::post, "/api/postern/v1/backends/test", Role::administrator, &test_backend},
    {Method::get, "/api/postern/v1/azure-accounts", Role::auditor, &list_azure_accounts},
    {Method::post, "/api/postern/v1/azure-accounts/test", Role::administrator, &test_azure_account},
    {Method::post, "/api/postern/v1/azure-accounts/revocations", Role::administrator, &poll_azure_revocations},
    {Method::post, "/api/postern/v1/backup", Role::administrator, &start_backup},
    {Method::get, "/api/postern/v1/backup", Role::administrator, &backup_status},
    {Method::post, "/api/postern/v1/restoration/open", Role::administrator, &open_restored},
    {Method::post, "/api/postern/v1/reload", Role::administrator, &reload},
    {Method::get, "/api/postern/v1/server", Role::auditor, &show_server},
    {Method::get, "/api/postern/v1/outbox", Role::auditor, &list_messages},
    {Method::post, "/api/postern/v1/outbox/retry", Role::administrator, &retry_message},
    {Method::post, "/api/postern/v1/outbox/drop", Role::administrator, &drop_message},
    {Method::get, "/api/postern/v1/ca", Role::auditor, &list_authorities},
    {Method::post, "/api/postern/v1/ca/successor", Role::administrator, &prepare_successor},
    {Method::post, "/api/postern/v1/ca/successor/withdraw", Role::administrator, &withdraw_successor},
    {Method::post, "/api/postern/v1/scep/ra", Role::administrator, &import_ra},
    {Method::get, "/api/postern/v1/clock", Role::auditor, &show_clock},
    {Method::post, "/api/postern/v1/clock/accept", Role::administrator, &accept_clock},
    {Method::post, "/api/postern/v1/scep/{endpoint:label}/challenges", Role::officer, &mint_challenge, true},
    {Method::get, "/api/postern/v1/scep/{endpoint:label}/challenges", Role::auditor, &list_challenges, true},
    {Method::delete_, "/api/postern/v1/scep/{endpoint:label}/challenges/{challenge:token}", Role::officer, &withdraw_challenge, true},
    {Method::get, "/api/postern/v1/est/{endpoint:label}/tokens", Role::auditor, &list_tokens, true},
    {Method::post, "/api/postern/v1/est/{endpoint:label}/tokens", Role::officer, &mint_token, true},
    {Method::post, "/api/postern/v1/est/{endpoint:label}/tokens/batch", Role::officer, &mint_tokens, true},
    {Method::delete_, "/api/postern/v1/est/{endpoint:label}/tokens/{token:token}", Role::officer, &withdraw_token, true},
    {Method::get, "/api/postern/v1/est/{endpoint:label}/devices", Role::auditor, &list_devices},
    {Method::post, "/api/postern/v1/est/{endpoint:label}/devices", Role::officer, &add_devices},
    {Method::post, "/api/postern/v1/est/{endpoint:label}/devices/remove", Role::officer, &remove_devices},
    {Method::post, "/api/postern/v1/est/{endpoint:label}/devices/release", Role::officer, &release_device},
    {Method::get, "/api/postern/v1/predecessors", Role::auditor, &list_predecessors},
    {Method::post, "/api/postern/v1/predecessors", Role::administrator, &put_predecessor},
    {Method::post, "/api/postern/v1/predecessors/remove", Role::administrator, &remove_predecessor},
    {Method::get, "/api/postern/v1/imported-certificates", Role::auditor, &list_imported_certificates},
    {Method::get, "/api/postern/v1/imported-certificates/find", Role::auditor, &find_imported_certificates},
    {Method::post, "/api/postern/v1/imported-certificates", Role::administrator, &import_certificates},
    {Method::post, "/api/postern/v1/imported-certificates/remove", Role::officer, &remove_imported_certificate},
    {Method::post, "/api/postern/v1/client-configurations", Role::officer, &configure_client},
};

/// Nothing for strangers to find: on the control socket alone.
constexpr Route local_routes[] = {
    {Method::post, "/lab/clock", Role::administrator, &advance_laboratory_clock},
};

core::Task<std::optional<ra::Principal>> authenticate(const http::Request& request, ra::Principals& principals) {
    if (request.peer.unix_uid) co_return ra::Principals::from_peer(*request.peer.unix_uid);
    constexpr std::string_view scheme = "bearer ";
    const auto header = request.header("Authorization");
    // Scheme names have no letter case (RFC 9110 §11.1).
    const auto same = [](char wanted, char given) { return wanted == (given >= 'A' && given <= 'Z' ? given - 'A' + 'a' : given); };
    if (header.size() < scheme.size() || !std::equal(scheme.begin(), scheme.end(), header.begin(), same))
        co_return std::nullopt;
    std::string token(header.substr(scheme.size()));
    co_return co_await principals.from_token(std::move(token));
}

core::Task<http::Response> serve(const http::Request& request, const Api::Deps& deps, const Route& route) {
    const auto principal = co_await authenticate(request, deps.principals);
    if (!principal) {
        const core::Problem nobody(core::ProblemKind::unauthenticated,
                                   "authenticate with a token of `postern principal create` as Authorization: Bearer");
        co_return error_response(request, nobody);
    }
    // Roles are listed from most to least, and the last stands beside them.
    const bool may = principal->role == Role::enroller ? route.enroller : principal->role <= route.least;
    if (!may) {
        const core::Problem refused(core::ProblemKind::forbidden, principal->name + " is " + std::string(to_string(principal->role)) +
                                                                      "; this needs " + std::string(to_string(route.least)));
        ra::Principal by = *principal;
        core::RequestId id = request.id;
        std::string asked(route.pattern);
        co_await deps.principals.record_refusal(std::move(by), route.least, std::move(asked), std::move(id));
        co_return error_response(request, refused);
    }
    const Call call(request, *principal, deps);
    auto answer = co_await route.handler(call);
    if (!answer) co_return error_response(request, answer.error());
    co_return std::move(*answer);
}

core::Task<http::Response> error_page(const http::Request& request, unsigned status, std::string_view detail) {
    const auto kind = status == 404   ? core::ProblemKind::not_found
                      : status == 503 ? core::ProblemKind::unavailable
                      : status >= 500 ? core::ProblemKind::internal
                                      : core::ProblemKind::malformed;
    auto r = error_response(request, core::Problem(kind, std::string(detail)));
    r.status = status;
    co_return r;
}

}  // namespace

void Api::add_routes(http::Router& router, Reach reach) {
    const auto add = [&](const Route& route) {
        http::RouteLimits limits;
        limits.body_bytes = reach == Reach::local ? local_body_bytes : network_body_bytes;
        router.add(route.method, route.pattern, limits,
                   [this, &route](const http::Request& request) { return serve(request, deps_, route); });
    };
    for (const auto& route : routes) add(route);
    if (reach == Reach::local)
        for (const auto& route : local_routes) add(route);
    router.error_page("/api/", &error_page);
}

}  // namespace postern::api
