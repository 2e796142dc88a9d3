#include "azure/account.hpp"

#include <algorithm>
#include <stdexcept>

namespace postern::azure {

std::string_view to_string(Environment environment) noexcept {
    switch (environment) {
        case Environment::global: return "global";
        case Environment::us_gov: return "us_gov";
        case Environment::us_dod: return "us_dod";
        case Environment::china: return "china";
    }
    return "";
}

core::Result<Environment> environment_from(std::string_view text) {
    for (const auto each : {Environment::global, Environment::us_gov, Environment::us_dod, Environment::china})
        if (to_string(each) == text) return each;
    return core::Problem(core::ProblemKind::malformed, "expected \"global\", \"us_gov\", \"us_dod\" or \"china\"");
}

std::string_view to_string(CredentialKind kind) noexcept {
    switch (kind) {
        case CredentialKind::secret: return "secret";
        case CredentialKind::certificate: return "certificate";
        case CredentialKind::certificate_rs256: return "certificate (RS256)";
    }
    return "";
}

Addresses addresses_of(Environment environment) {
    Addresses out;
    switch (environment) {
        case Environment::global:
            out.login = "https://login.microsoftonline.com/";
            out.graph = "https://graph.microsoft.com/";
            out.intune_scope = "https://api.manage.microsoft.com//.default";
            out.services.emplace_back(".manage.microsoft.com");
            break;
        case Environment::us_gov:
            out.login = "https://login.microsoftonline.us/";
            out.graph = "https://graph.microsoft.us/";
            out.intune_scope = "https://api.manage.microsoft.us//.default";
            out.services.emplace_back(".manage.microsoft.us");
            break;
        case Environment::us_dod:
            out.login = "https://login.microsoftonline.us/";
            out.graph = "https://dod-graph.microsoft.us/";
            out.intune_scope = "https://api.manage.microsoft.us//.default";
            out.services.emplace_back(".manage.microsoft.us");
            break;
        case Environment::china:
            out.login = "https://login.partner.microsoftonline.cn/";
            out.graph = "https://microsoftgraph.chinacloudapi.cn/";
            break;
    }
    out.graph_scope = out.graph + ".default";
    return out;
}

bool Account::delegated_to(std::string_view organization) const {
    return organizations.empty() || std::ranges::find(organizations, organization) != organizations.end();
}

std::string sealing_context(std::int64_t account_id) { return "azure_account " + std::to_string(account_id); }

}  // namespace postern::azure
