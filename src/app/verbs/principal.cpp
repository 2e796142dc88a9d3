#include <iostream>

#include "app/verbs/verbs.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

struct Options {
    Options() = default;
    std::string name, role, tenant, expires;
};

int create(const Common& common, const Options& o) {
    json::Writer w;
    w.begin_object().member("name", o.name).member("role", o.role);
    if (!o.tenant.empty()) w.member("tenant", o.tenant);
    if (!o.expires.empty()) w.member("expires", o.expires);
    w.end_object();
    auto body = w.take();
    const auto door = Door::open(common.door);
    const auto answer = door->ask(make_request(http::Method::post, "/api/postern/v1/principals", std::move(body)));
    if (const int failed = report(answer)) return failed;
    if (common.json) {
        std::cout << answer.body << "\n";
        return 0;
    }
    const auto document = json::Document::parse(answer.body);
    if (!document) throw std::runtime_error("the server's answer is no JSON");
    std::cout << "Token of " << o.name << " (" << o.role << "), shown this once:\n" << document->root()["token"].string().value() << "\n";
    return 0;
}

}  // namespace

void add_principal(CLI::App& app, Common& common, Run& run) {
    auto o = std::make_shared<Options>();
    auto* noun = app.add_subcommand("principal", "Who may administer");
    noun->require_subcommand(1);
    auto* verb = noun->add_subcommand("create", "Mint a token");
    add_common(*verb, common);
    verb->add_option("NAME", o->name, "Name of the principal")->required();
    verb->add_option("--role", o->role, "administrator, officer or auditor")->required();
    verb->add_option("--tenant", o->tenant, "Only this tenant's objects");
    verb->add_option("--expires", o->expires, "Last moment, as 2027-01-31T00:00:00Z");
    verb->callback([o, &common, &run] { run = [o, &common] { return create(common, *o); }; });
}

}  // namespace postern::app::verbs
