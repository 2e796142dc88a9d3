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
    return ask(common, make_request(http::Method::post, "/api/postern/v1/principals", std::move(body)), [](const json::Value& root) {
        std::cout << "Token of " << text(root["name"]) << " (" << text(root["role"]) << "), shown this once:\n" << root["token"].string().value() << "\n";
    });
}

void print_one(const json::Value& p) {
    std::cout << text(p["name"]) << "  " << text(p["role"]) << "  " << text(p["status"]);
    if (p["tenant"].exists()) std::cout << "  tenant " << text(p["tenant"]);
    if (p["expires"].exists()) std::cout << "  until " << text(p["expires"]);
    std::cout << "  made " << text(p["created"]) << " by " << text(p["createdBy"]) << "\n";
}

int list(const Common& common) {
    return ask(common, make_request(http::Method::get, "/api/postern/v1/principals"), [](const json::Value& root) {
        for (const auto& p : root["principals"].items()) print_one(p);
    });
}

int set_active(const Common& common, const std::string& name, bool active) {
    json::Writer w;
    w.begin_object().member("name", name).end_object();
    return ask(common, make_request(http::Method::post, active ? "/api/postern/v1/principals/enable" : "/api/postern/v1/principals/disable", w.take()), [](const json::Value& root) {
        std::cout << (truth(root["changed"]) ? "" : "Nothing to change: ") << text(root["name"]) << " is "
                  << text(root["status"]) << ".\n";
    });
}

}  // namespace

void add_principal(CLI::App& app, Common& common, Run& run) {
    auto o = std::make_shared<Options>();
    auto* noun = app.add_subcommand("principal", "Who may administer");
    noun->require_subcommand(1);
    auto* verb = noun->add_subcommand("create", "Mint a token");
    add_common(*verb, common);
    verb->add_option("NAME", o->name, "Name of the principal")->required();
    verb->add_option("--role", o->role, "administrator, officer, auditor or enroller")->required();
    verb->add_option("--tenant", o->tenant, "Only this tenant's objects");
    verb->add_option("--expires", o->expires, "Last moment, as 2027-01-31T00:00:00Z");
    verb->callback([o, &common, &run] { run = [o, &common] { return create(common, *o); }; });
    auto* list_verb = noun->add_subcommand("list", "Every principal, without tokens");
    add_common(*list_verb, common);
    list_verb->callback([&common, &run] { run = [&common] { return list(common); }; });
    auto* disable = noun->add_subcommand("disable", "Refuse a principal's token from now on");
    auto* enable = noun->add_subcommand("enable", "Take a disabled principal's token again");
    for (auto* each : {disable, enable}) {
        add_common(*each, common);
        each->add_option("NAME", o->name, "Name of the principal")->required();
        const bool active = each == enable;
        each->callback([o, active, &common, &run] { run = [o, active, &common] { return set_active(common, o->name, active); }; });
    }
}

}  // namespace postern::app::verbs
