#include "api/call.hpp"
#include "core/json/writer.hpp"

/// The CAs that documents describe.
namespace postern::api {

namespace {

/// "tenant/" of whoever asks; empty: of all.
std::string own_prefix(const Call& call, const ra::Catalog& catalog) {
    if (!call.principal.tenant) return {};
    const auto* tenant = catalog.tenant(*call.principal.tenant);
    return (tenant ? tenant->name : std::string()) + "/";
}

}  // namespace

/// One JSON object a line. The program's arguments and environment are for those who may change them.
core::Task<Answer> list_backends(Call call) {
    const auto catalog = call.deps.catalog.current();
    const auto prefix = own_prefix(call, *catalog);
    std::string body;
    for (const auto& d : catalog->backends) {
        if (!d.name.starts_with(prefix)) continue;
        json::Writer w;
        w.begin_object().member("backend", d.name).member("enabled", d.active);
        w.member("ready", call.deps.backends.find(d.name) != nullptr).key("operations").begin_array().string("issue");
        for (const auto& operation : d.operations) w.string(operation);
        w.end_array().key("profiles").begin_array();
        for (const auto& profile : catalog->profiles)
            if (profile.backend == d.name) w.string(profile.name);
        w.end_array();
        if (ra::may_run_programs(call.principal)) {
            w.key("argv").begin_array();
            for (const auto& word : d.argv) w.string(word);
            w.end_array();
        }
        w.end_object();
        body += w.take() + "\n";
    }
    http::Response response(200, "application/x-ndjson", std::move(body));
    response.set("Cache-Control", "no-store");
    co_return response;
}

/// {"backend": "tenant/name"} -> {"backend", "said"}: the program is run and asked nothing but whether it is well.
core::Task<Answer> test_backend(Call call) {
    const auto body = read_body(call.request, {"backend"});
    if (!body) co_return body.error();
    const auto name = body->root()["backend"].string();
    if (!name) co_return name.error();
    const auto catalog = call.deps.catalog.current();
    auto* backend = name->starts_with(own_prefix(call, *catalog)) ? call.deps.backends.find(*name) : nullptr;
    if (backend == nullptr) co_return core::Problem(core::ProblemKind::not_found, "there is no enabled backend " + std::string(*name));
    const auto said = co_await backend->test();
    if (!said) co_return said.error();
    json::Writer w;
    w.begin_object().member("backend", *name).member("said", *said).end_object();
    co_return json_response(200, w.take());
}

}  // namespace postern::api
