#include <algorithm>
#include <map>

#include "core/json/reader.hpp"
#include "ra/azure_account.hpp"
#include "ra/bodies.hpp"
#include "ra/documents/plan.hpp"
#include "ra/extended_key_usage.hpp"

/// What an account of method intune asks of the objects around it: Intune knows no "later", and whoever knocks at its
/// endpoint has a challenge of Intune's.
namespace postern::ra::documents {

namespace {

constexpr std::string_view email_protection = "1.3.6.1.5.5.7.3.4";

/// A key of a body; empty: not said.
std::string said(const store::ObjectRow& row, std::string_view key) {
    const auto body = json::Document::parse(row.body);
    const auto text = body ? body->root()[key].string() : core::Result<std::string_view>(std::string_view());
    return text ? std::string(*text) : std::string();
}

/// The account's word counts before the profile's.
bool waits_for_officer(const store::ObjectRow& account, const store::ObjectRow& profile) {
    const auto own = said(account, "approval");
    return (own.empty() || own == "inherit" ? said(profile, "approval") : own) == "officer";
}

}  // namespace

void Plan::check_intune() {
    const auto accounts = rows_after("account"), endpoints = rows_after("endpoint"), profiles = rows_after("profile");
    const auto azure_accounts = rows_after("azure_account"), organizations = rows_after("organization");
    for (const auto& [id, row] : accounts) {
        const auto account = read_account(*row);
        if (!account || account->method != AccountMethod::intune) continue;
        const auto endpoint_row = endpoints.find(account->endpoint.get());
        if (endpoint_row == endpoints.end()) continue;  // told where it is missing
        const auto endpoint = read_endpoint(*endpoint_row->second);
        // Told to whoever changes one of them.
        const auto tell = [&, own = id](std::string_view kind, std::int64_t other, const std::string& what) {
            const auto* w = described("account", own);
            if (!w) w = described("endpoint", account->endpoint.get());
            if (!w) w = described(kind, other);
            if (w) complain(core::Problem(core::ProblemKind::malformed, w->where + ": account " + row->name + " is of method intune: " + what));
        };
        for (const auto& [other, each] : accounts) {
            const bool beside = other != id && std::get<std::int64_t>(each->keys.at(0)) == account->endpoint.get();
            if (beside) tell("account", other, "every challenge at endpoint " + endpoint_row->second->name + " is Intune's, and account " + each->name + " would never be asked; give it an endpoint of its own");
        }
        const auto organization = account->organization ? organizations.find(account->organization->get()) : organizations.end();
        const auto organization_name = organization == organizations.end() ? std::string() : organization->second->name;
        const auto named = std::ranges::find_if(azure_accounts, [&, own = row](const auto& each) {
            return each.second->tenant_id == own->tenant_id && each.second->name == account->intune.azure_account;
        });
        const auto azure = named == azure_accounts.end() ? core::Result<azure::Account>(azure::Account()) : read_azure_account(*named->second);
        if (named == azure_accounts.end()) tell("account", id, "there is no azure_account " + account->intune.azure_account);
        else if (azure && !azure->delegated_to(organization_name))
            tell("azure_account", named->first, "azure_account " + named->second->name + " is for other organizations (organizations = [...])");
        if (!endpoint) continue;
        for (const auto& [profile_id, each] : profiles) {
            const auto in = [&](const std::vector<std::string>& names) { return std::ranges::find(names, each->name) != names.end(); };
            const bool used = each->tenant_id == row->tenant_id && in(endpoint->profiles) && (account->profiles.empty() || in(account->profiles));
            const auto profile = used ? read_profile(*each) : core::Result<Profile>(Profile());
            if (!used || !profile) continue;
            if (!deps_.backends.lasting(profile->backend))
                tell("profile", profile_id, "profile " + each->name + " is signed by backend " + profile->backend + ", which may answer later, and Intune has no pending state; use a profile of the built-in CA");
            if (waits_for_officer(*row, *each))
                tell("profile", profile_id, "profile " + each->name + " waits for an officer's approval, and Intune has no pending state; Intune's own yes is the approval");
            const auto& purposes = profile->extended_key_usage;
            if (account->intune.kind == IntuneSettings::Kind::device && std::ranges::find(purposes, email_protection) != purposes.end())
                tell("profile", profile_id, "profile " + each->name + " gives emailProtection, which is a person's; use kind = \"client\"");
        }
    }
}

}  // namespace postern::ra::documents
