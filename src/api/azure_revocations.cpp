#include "api/call.hpp"
#include "core/json/writer.hpp"

/// What Intune wants revoked, without waiting for the next quarter of an hour.
namespace postern::api {

/// {"azure_account": "tenant/name"} -> {"azure_account", "asked", "revoked", "refused", "foreign", "told"}
core::Task<Answer> poll_azure_revocations(Call call) {
    const auto account = named_azure_account(call);
    if (!account) co_return account.error();
    auto request = call.request.id;
    auto polling = call.deps.intune_revocations.poll(*account, std::move(request));
    const auto report = co_await std::move(polling);
    if (!report) co_return report.error();
    json::Writer w;
    w.begin_object().member("azure_account", (*account)->label()).member("asked", report->asked).member("revoked", report->revoked);
    w.member("refused", report->refused).member("foreign", report->foreign).member("told", report->told).end_object();
    co_return json_response(200, w.take());
}

}  // namespace postern::api
