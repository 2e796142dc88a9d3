#include "api/call.hpp"
#include "core/json/writer.hpp"

namespace postern::api {

namespace {

std::string_view to_string(ra::PlanLine::Change change) {
    switch (change) {
        case ra::PlanLine::Change::create: return "create";
        case ra::PlanLine::Change::update: return "update";
        case ra::PlanLine::Change::remove: return "remove";
        case ra::PlanLine::Change::keep: return "keep";
    }
    return "";
}

std::string render(const ra::ApplyReport& report, bool dry_run) {
    json::Writer w;
    w.begin_object().member("dryRun", dry_run).member("changed", report.changed).key("plan").begin_array();
    for (const auto& line : report.plan) {
        w.begin_object().member("change", to_string(line.change)).member("kind", line.kind).member("name", line.name);
        w.key("fields").begin_array();
        for (const auto& f : line.fields) w.string(f);
        w.end_array();
        w.end_object();
    }
    w.end_array().key("secrets").begin_array();
    for (const auto& s : report.secrets) {
        w.begin_object().member("account", s.account);
        if (!s.key_id.empty()) w.member("keyId", s.key_id).member("macKey", s.mac_key.expose());
        if (!s.access_code.empty()) w.member("accessCode", s.access_code.expose());
        if (!s.password.empty()) w.member("user", s.user).member("password", s.password.expose());
        if (!s.webhook_secret.empty()) w.member("webhookSecret", s.webhook_secret.expose());
        w.end_object();
    }
    w.end_array().end_object();
    return w.take();
}

core::Result<bool> flag(const json::Value& root, std::string_view name) {
    const auto value = root[name];
    if (!value.exists()) return false;
    return value.boolean();
}

}  // namespace

/// {"documents": [{"name", "text"}], "dryRun"?, "prune"?} -> the plan and what was generated
core::Task<Answer> apply(Call call) {
    const auto body = read_body(call.request, {"documents", "dryRun", "prune"});
    if (!body) co_return body.error();
    const auto root = body->root();
    std::vector<ra::DocumentText> documents;
    for (const auto& item : root["documents"].items()) {
        for (const auto& [member, value] : item.members())
            if (member != "name" && member != "text") co_return value.problem("unknown member");
        const auto name = item["name"].string();
        if (!name) co_return name.error();
        const auto text = item["text"].string();
        if (!text) co_return text.error();
        documents.emplace_back(std::string(*name), std::string(*text));
    }
    if (documents.empty()) co_return root.problem("documents: expected at least one");
    ra::ApplyOptions options;
    const auto dry_run = flag(root, "dryRun");
    if (!dry_run) co_return dry_run.error();
    const auto prune = flag(root, "prune");
    if (!prune) co_return prune.error();
    options.dry_run = *dry_run;
    options.prune = *prune;
    const auto report = co_await call.deps.documents.apply(std::move(documents), options, call.principal, call.request.id);
    if (!report) co_return report.error();
    co_return json_response(200, render(*report, options.dry_run));
}

core::Task<Answer> export_documents(Call call) {
    auto text = co_await call.deps.documents.export_all(call.principal);
    co_return http::Response(200, "application/toml", std::move(text));
}

}  // namespace postern::api
