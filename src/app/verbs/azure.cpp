#include <iostream>

#include "app/verbs/answers.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

constexpr std::string_view route = "/api/postern/v1/azure-accounts";

std::string whole_name(const std::string& account) { return account.find('/') == std::string::npos ? "default/" + account : account; }

void print(const json::Value& a) {
    std::cout << text(a["azure_account"]) << "  " << (truth(a["enabled"]) ? "enabled" : "disabled") << "  " << text(a["environment"]) << "  directory " << text(a["directory"])
              << "  application " << text(a["application"]) << "  " << text(a["credential"]);
    if (a.contains("certificate_expires")) std::cout << " until " << text(a["certificate_expires"]);
    std::cout << "\n";
    if (a.contains("warning")) std::cout << "  WARNING: " << text(a["warning"]) << "\n";
}

/// `verb`: the last part of the route.
http::Request about(const std::string& account, std::string_view verb) {
    json::Writer w;
    w.begin_object().member("azure_account", whole_name(account)).end_object();
    return make_request(http::Method::post, std::string(route) + "/" + std::string(verb), w.take());
}

/// 1 where a step failed, too.
int test(const Common& common, const std::string& account) {
    const auto door = Door::open(common.door);
    const auto answer = door->ask(about(account, "test"));
    if (const int failed = report(answer)) return failed;
    const auto document = parsed(answer);
    const auto root = document.root();
    const int status = truth(root["passed"]) ? 0 : 1;
    if (common.json) {
        std::cout << answer.body << "\n";
        return status;
    }
    if (root.contains("warning")) std::cout << "WARNING: " << text(root["warning"]) << "\n";
    for (const auto& step : root["steps"].items()) {
        std::cout << (truth(step["passed"]) ? "ok      " : truth(step["skipped"]) ? "skipped " : "FAILED  ") << text(step["name"]) << ": " << text(step["result"]) << "\n";
        if (const auto advice = text(step["advice"]); !advice.empty()) std::cout << "        " << advice << "\n";
    }
    std::cout << text(root["azure_account"]) << (status == 0 ? ": well\n" : ": not well\n");
    return status;
}

void print_revocations(const json::Value& root) {
    const auto count = [&root](std::string_view key) { return std::to_string(root[key].integer().value()); };
    std::cout << text(root["azure_account"]) << ": Intune asked for " << count("asked") << ", " << count("revoked") << " revoked, " << count("refused")
              << " refused, " << count("foreign") << " of other issuers; it was told of " << count("told") << "\n";
}

}  // namespace

void add_azure(CLI::App& app, Common& common, Run& run) {
    auto account = std::make_shared<std::string>();
    auto* noun = app.add_subcommand("azure", "App registrations in Entra, for Microsoft Intune");
    noun->require_subcommand(1);
    auto* list_verb = noun->add_subcommand("list", "Those that documents describe");
    add_common(*list_verb, common);
    list_verb->callback([&common, &run] { run = [&common] { return ask_lines(common, std::string(route), print); }; });
    auto* test_verb = noun->add_subcommand("test", "Go through all that Intune's calls need, and say what to do where a step fails; nothing is changed");
    add_common(*test_verb, common);
    test_verb->add_option("ACCOUNT", *account, "TENANT/NAME, or NAME in tenant default")->required();
    auto* revocations_verb = noun->add_subcommand("revocations", "Ask Intune now what it wants revoked, revoke it and tell the results; the server does so every 15 minutes");
    add_common(*revocations_verb, common);
    revocations_verb->add_option("ACCOUNT", *account, "TENANT/NAME, or NAME in tenant default")->required();
    revocations_verb->callback([account, &common, &run] { run = [account, &common] { return ask(common, about(*account, "revocations"), print_revocations); }; });
    test_verb->callback([account, &common, &run] { run = [account, &common] { return test(common, *account); }; });
}

}  // namespace postern::app::verbs
