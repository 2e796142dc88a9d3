#include "api/operations.hpp"

#include "api/call.hpp"
#include "core/base/encoding.hpp"
#include "core/json/writer.hpp"

namespace postern::api {

namespace {

/// These act on the whole installation; a tenant's administrator has no say in them.
std::optional<core::Problem> refuse_tenants(const Call& call) {
    if (!call.principal.tenant) return std::nullopt;
    return core::Problem(core::ProblemKind::forbidden, "this concerns every tenant; ask an administrator of the installation");
}

/// Paths on the server's own disk are nobody's business who is not there.
std::optional<core::Problem> refuse_strangers(const Call& call) {
    if (call.request.peer.unix_uid) return std::nullopt;
    return core::Problem(core::ProblemKind::forbidden, "this works on the server's own machine only: run the verb there, with --data");
}

}  // namespace

/// {"target", "masterKey"?, "parentSeen"?} -> 202 and the state, to be asked again until it is done or failed
core::Task<Answer> start_backup(Call call) {
    if (auto refused = refuse_strangers(call)) co_return std::move(*refused);
    const auto body = read_body(call.request, {"target", "masterKey", "parentSeen"});
    if (!body) co_return body.error();
    const auto root = body->root();
    Operations::BackupOrder order;
    const auto target = root["target"].string();
    if (!target) co_return target.error();
    order.target = *target;
    const auto seen = root["parentSeen"].optional_string();
    if (!seen) co_return seen.error();
    order.parent_seen = seen->value_or("");
    if (const auto wish = root["masterKey"]; wish.exists()) {
        const auto flag = wish.boolean();
        if (!flag) co_return flag.error();
        order.with_master_key = *flag;
    }
    const auto begun = call.deps.operations.start_backup(std::move(order), call.principal, call.request.id);
    if (!begun) co_return begun.error();
    co_return json_response(202, call.deps.operations.backup_status());
}

core::Task<Answer> backup_status(Call call) {
    if (auto refused = refuse_strangers(call)) co_return std::move(*refused);
    co_return json_response(200, call.deps.operations.backup_status());
}

/// {"crls": [base64 of DER], "nonePublished"?} -> {"crls": [{"authority", "imported", "number", "entries", "takenOver"}]}
core::Task<Answer> open_restored(Call call) {
    if (auto refused = refuse_tenants(call)) co_return std::move(*refused);
    const auto body = read_body(call.request, {"crls", "nonePublished"});
    if (!body) co_return body.error();
    const auto root = body->root();
    std::vector<core::Bytes> crls;
    for (const auto& item : root["crls"].items()) {
        const auto text = item.string();
        if (!text) co_return text.error();
        auto der = core::from_base64(*text);
        if (!der) co_return item.problem("expected base64");
        crls.push_back(std::move(*der));
    }
    bool none = false;
    if (const auto said = root["nonePublished"]; said.exists()) {
        const auto flag = said.boolean();
        if (!flag) co_return flag.error();
        none = *flag;
    }
    const auto report = co_await call.deps.operations.open_restored(std::move(crls), none, call.principal, call.request.id);
    if (!report) co_return report.error();
    json::Writer w;
    w.begin_object().key("crls").begin_array();
    for (const auto& crl : report->crls)
        w.begin_object().member("authority", crl.key_id).member("imported", crl.imported).member("number", crl.number)
            .member("entries", static_cast<std::int64_t>(crl.entries)).member("takenOver", static_cast<std::int64_t>(crl.taken_over)).end_object();
    w.end_array().end_object();
    co_return json_response(200, w.take());
}

/// What doctor and others on this machine need to know of how the server was started
core::Task<Answer> show_server(Call call) {
    if (auto refused = refuse_strangers(call)) co_return std::move(*refused);
    co_return json_response(200, call.deps.operations.server());
}

core::Task<Answer> reload(Call call) {
    if (auto refused = refuse_tenants(call)) co_return std::move(*refused);
    auto done = co_await call.deps.operations.reload();
    if (!done) co_return done.error();
    co_return json_response(200, std::move(*done));
}

}  // namespace postern::api
