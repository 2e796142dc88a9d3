#include "azure/account_test.hpp"

#include <algorithm>

#include "azure/discovery.hpp"
#include "core/base/encoding.hpp"
#include "core/json/reader.hpp"

namespace postern::azure {

namespace {

constexpr std::string_view permission = "scep_challenge_provider";

TestStep passed(std::string name, std::string result) {
    TestStep step;
    step.name = std::move(name);
    step.passed = true;
    step.result = std::move(result);
    return step;
}

TestStep skipped(std::string name) {
    TestStep step;
    step.name = std::move(name);
    step.skipped = true;
    step.result = "not tried, since a step before failed";
    return step;
}

TestStep failed(std::string name, const Failure& why) {
    TestStep step;
    step.name = std::move(name);
    step.result = why.detail;
    step.advice = why.advice;
    step.check = check_of(why.trouble);
    return step;
}

std::string lasting(const Token& token, core::TimePoint now) {
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(token.expires - now).count();
    return minutes > 0 ? "given, for " + std::to_string(minutes) + " min" : "given, for less than a minute";
}

/// The permissions that a token names; nullopt where it cannot be read, since tokens are their audience's own affair.
std::optional<std::vector<std::string>> roles_of(const Token& token) {
    const std::string_view text = token.bearer->expose();
    const auto first = text.find('.');
    const auto second = first == std::string_view::npos ? first : text.find('.', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    const auto claims = core::from_base64url(text.substr(first + 1, second - first - 1));
    if (!claims) return std::nullopt;
    const auto document = json::Document::parse(core::as_text(*claims));
    if (!document || !document->root().is_object()) return std::nullopt;
    std::vector<std::string> out;
    for (const auto& role : document->root()["roles"].items())
        if (const auto name = role.string()) out.emplace_back(*name);
    return out;
}

TestStep permission_step(const Account& account, const Token& token) {
    const std::string name = "permission for Intune";
    const auto roles = roles_of(token);
    if (!roles) return passed(name, "the token does not show it; Intune's answer to the first request will");
    if (std::ranges::find(*roles, permission) != roles->end()) return passed(name, std::string(permission));
    const Failure why(Trouble::permission, "the token lacks " + std::string(permission),
                      "Entra admin center > App registrations > " + account.application + " > API permissions: add Intune > Application permissions > " +
                          std::string(permission) + ", then \"Grant admin consent\"");
    return failed(name, why);
}

TestStep service_step(std::string name, const Attempt<Services>& services, Service service) {
    const auto base = base_of(*services, service);
    if (!base) return failed(std::move(name), base.error());
    std::string result = *base;
    for (const auto& doubled : services->doubled)
        if (doubled.starts_with(to_string(service))) result += " (the first of several)";
    return passed(std::move(name), std::move(result));
}

}  // namespace

core::Task<std::vector<TestStep>> test_account(const ClientDeps& deps, AccountRef account, core::Deadline deadline) {
    std::vector<TestStep> steps;
    const std::string list = "list of services", validation = "validation service", revocation = "revocation service";
    const auto graph = co_await request_token(deps, account, Audience::graph, true, deadline);
    steps.push_back(graph ? passed("token for Microsoft Graph", lasting(*graph, deps.clock.now())) : failed("token for Microsoft Graph", graph.error()));
    Attempt<Services> services = Failure();
    if (graph) {
        services = co_await request_services(deps, account, *graph, true, deadline);
        steps.push_back(services ? passed(list, "read from Microsoft Graph") : failed(list, services.error()));
    } else {
        steps.push_back(skipped(list));
    }
    for (const auto& [name, service] : {std::pair(validation, Service::validation), std::pair(revocation, Service::revocation)})
        steps.push_back(services ? service_step(name, services, service) : skipped(name));
    // What Entra refused for Graph it refuses for Intune.
    if (!graph && graph.error().trouble == Trouble::credentials) {
        steps.push_back(skipped("token for Intune"));
        steps.push_back(skipped("permission for Intune"));
        co_return steps;
    }
    const auto intune = co_await request_token(deps, account, Audience::intune, true, deadline);
    steps.push_back(intune ? passed("token for Intune", lasting(*intune, deps.clock.now())) : failed("token for Intune", intune.error()));
    steps.push_back(intune ? permission_step(*account, *intune) : skipped("permission for Intune"));
    co_return steps;
}

}  // namespace postern::azure
