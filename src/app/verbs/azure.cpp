#include <iostream>
#include <sstream>

#include "app/verbs/verbs.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

std::string whole_name(const std::string& account) { return account.find('/') == std::string::npos ? "default/" + account : account; }

int list(const Common& common) {
    const auto door = Door::open(common.door);
    const auto answer = door->ask(make_request(http::Method::get, "/api/postern/v1/azure-accounts"));
    if (const int failed = report(answer)) return failed;
    if (common.json) {
        std::cout << answer.body;
        return 0;
    }
    std::istringstream lines(answer.body);
    for (std::string line; std::getline(lines, line);) {
        const auto document = json::Document::parse(line);
        if (!document) continue;
        const auto a = document->root();
        std::cout << text(a["azure_account"]) << "  " << (truth(a["enabled"]) ? "enabled" : "disabled") << "  " << text(a["environment"]) << "  directory "
                  << text(a["directory"]) << "  application " << text(a["application"]) << "  " << text(a["credential"]);
        if (a.contains("certificate_expires")) std::cout << " until " << text(a["certificate_expires"]);
        std::cout << "\n";
        if (a.contains("warning")) std::cout << "  WARNING: " << text(a["warning"]) << "\n";
    }
    return 0;
}

int test(const Common& common, const std::string& account) {
    json::Writer w;
    w.begin_object().member("azure_account", whole_name(account)).end_object();
    const auto door = Door::open(common.door);
    const auto answer = door->ask(make_request(http::Method::post, "/api/postern/v1/azure-accounts/test", w.take()));
    if (const int failed = report(answer)) return failed;
    const auto document = json::Document::parse(answer.body);
    if (!document) throw std::runtime_error("the server's answer is no JSON");
    const auto root = document->root();
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

int poll_revocations(const Common& common, const std::string& account) {
    json::Writer w;
    w.begin_object().member("azure_account", whole_name(account)).end_object();
    const auto door = Door::open(common.door);
    const auto answer = door->ask(make_request(http::Method::post, "/api/postern/v1/azure-accounts/revocations", w.take()));
    if (const int failed = report(answer)) return failed;
    if (common.json) {
        std::cout << answer.body << "\n";
        return 0;
    }
    const auto document = json::Document::parse(answer.body);
    if (!document) throw std::runtime_error("the server's answer is no JSON");
    const auto root = document->root();
    const auto count = [&root](std::string_view key) { return std::to_string(root[key].integer().value()); };
    std::cout << text(root["azure_account"]) << ": Intune asked for " << count("asked") << ", " << count("revoked") << " revoked, " << count("refused")
              << " refused, " << count("foreign") << " of other issuers; it was told of " << count("told") << "\n";
    return 0;
}

}  // namespace

void add_azure(CLI::App& app, Common& common, Run& run) {
    auto account = std::make_shared<std::string>();
    auto* noun = app.add_subcommand("azure", "App registrations in Entra, for Microsoft Intune");
    noun->require_subcommand(1);
    auto* list_verb = noun->add_subcommand("list", "Those that documents describe");
    add_common(*list_verb, common);
    list_verb->callback([&common, &run] { run = [&common] { return list(common); }; });
    auto* test_verb = noun->add_subcommand("test", "Go through all that Intune's calls need, and say what to do where a step fails; nothing is changed");
    add_common(*test_verb, common);
    test_verb->add_option("ACCOUNT", *account, "TENANT/NAME, or NAME in tenant default")->required();
    auto* revocations_verb = noun->add_subcommand("revocations", "Ask Intune now what it wants revoked, revoke it and tell the results; the server does so every 15 minutes");
    add_common(*revocations_verb, common);
    revocations_verb->add_option("ACCOUNT", *account, "TENANT/NAME, or NAME in tenant default")->required();
    revocations_verb->callback([account, &common, &run] { run = [account, &common] { return poll_revocations(common, *account); }; });
    test_verb->callback([account, &common, &run] { run = [account, &common] { return test(common, *account); }; });
}

}  // namespace postern::app::verbs
