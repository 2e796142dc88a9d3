#include "azure/discovery.hpp"

#include <algorithm>
#include <set>

#include "azure/wire.hpp"
#include "core/json/reader.hpp"

namespace postern::azure {

namespace {

constexpr std::string_view intune_application = "0000000a-0000-0000-c000-000000000000";
constexpr std::chrono::hours good_for(24);
constexpr std::chrono::seconds discovery_time(8);
constexpr std::size_t most_pages = 20, page_octets = std::size_t{512} * 1024;
constexpr std::string_view graph_name = "Microsoft Graph";

/// Names come in any letter case.
bool named(std::string_view given, std::string_view wanted) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::ranges::equal(given, wanted, [&](char a, char b) { return lower(a) == lower(b); });
}

std::optional<Service> service_named(std::string_view name) {
    for (const auto each : {Service::validation, Service::revocation})
        if (named(name, to_string(each))) return each;
    return std::nullopt;
}

/// The services of one page; the URL of the next, or empty.
Attempt<std::string> read_page(const Account& account, const http::Response& response, Services& out) {
    json::Limits limits;
    limits.bytes = page_octets;
    const auto document = json::Document::parse(response.body, limits);
    if (!document || !document->root()["value"].is_array()) return Failure(Trouble::answer, "Microsoft Graph's list of services is none");
    for (const auto& item : document->root()["value"].items()) {
        const auto name = item["providerName"].string(), uri = item["uri"].string();
        const auto service = name ? service_named(*name) : std::nullopt;
        if (!service || !uri) continue;
        std::string base(*uri);
        while (base.ends_with('/')) base.pop_back();
        if (out.bases.contains(*service) || out.refused.contains(*service)) {
            out.doubled.push_back(std::string(to_string(*service)) + " at " + loggable(base));
        } else if (may_serve(account.addresses, base)) {
            out.bases[*service] = base;
        } else {
            out.refused[*service] = loggable(base);
        }
    }
    const auto next = document->root()["@odata.nextLink"].optional_string();
    if (!next) return Failure(Trouble::answer, "Microsoft Graph's link to the next page is none");
    return *next ? std::string(**next) : std::string();
}

}  // namespace

std::string_view to_string(Service service) noexcept {
    return service == Service::validation ? "ScepRequestValidationFEService" : "PkiConnectorFEService";
}

Attempt<std::string> base_of(const Services& services, Service service) {
    if (const auto found = services.bases.find(service); found != services.bases.end()) return found->second;
    if (const auto found = services.refused.find(service); found != services.refused.end())
        return Failure(Trouble::service, "Microsoft Graph says that " + std::string(to_string(service)) + " is at " + found->second + ", where no token may go",
                       "If that is Intune's address in your cloud, tell us; check `environment`, and for a stand-in service_hosts");
    return Failure(Trouble::service, "Microsoft Graph's list of Intune's services lacks " + std::string(to_string(service)),
                   "The directory needs an Intune licence; sign in once to the Intune admin center (intune.microsoft.com), and grant the application Intune's "
                   "permission scep_challenge_provider with the administrator's consent");
}

core::Task<Attempt<Services>> request_services(const ClientDeps& deps, AccountRef account, Token token, bool fresh, core::Deadline deadline) {
    Services out;
    std::string url = account->addresses.graph + "v1.0/servicePrincipals/appId=" + std::string(intune_application) + "/endpoints";
    const auto home = origin_of(url);
    std::set<std::string> seen;
    while (!url.empty()) {
        if (origin_of(url) != home || home.empty())
            co_return Failure(Trouble::answer, "Microsoft Graph's next page is at another host: " + loggable(url));
        if (!seen.insert(url).second || seen.size() > most_pages) co_return Failure(Trouble::answer, "Microsoft Graph's list of services has no end");
        auto request = request_for(*account, deps.sealer, http::Method::get, url);
        if (!request) co_return Failure(Trouble::credentials, request.error().detail);
        request->most = page_octets;
        request->fresh = fresh;
        request->headers.emplace_back("Authorization", "Bearer " + token.bearer->expose());
        request->headers.emplace_back("Accept", "application/json");
        request->headers.emplace_back("client-request-id", guid(deps.random));
        std::string who(graph_name);
        auto answer = co_await send(deps.outbound, std::move(*request), std::move(who), deps.clock.now(), deadline);
        if (!answer) {
            auto failure = answer.error();
            if (failure.trouble == Trouble::permission)
                failure.advice = "Entra admin center > App registrations > " + account->application +
                                 " > API permissions: add Microsoft Graph > Application permissions > Application.Read.All, then \"Grant admin consent\"";
            if (failure.trouble == Trouble::gone) failure.trouble = Trouble::service;
            co_return failure;
        }
        auto next = read_page(*account, *answer, out);
        if (!next) co_return next.error();
        url = std::move(*next);
    }
    co_return out;
}

Discovery::Kept& Discovery::kept(const Account& account) {
    const std::pair key(account.id, account.version);
    const auto found = kept_.find(key);
    if (found != kept_.end()) return found->second;
    std::erase_if(kept_, [&](const auto& each) { return each.first.first == key.first && each.first.second < key.second; });
    return kept_[key];
}

bool Discovery::suspect(const Account& account) {
    auto& entry = kept(account);
    const auto now = deps_.clock.now();
    if (now - entry.asked_again < remembered && now >= entry.asked_again) return false;
    entry.suspected = true;
    return true;
}

core::Task<Attempt<std::string>> Discovery::find(AccountRef account, Service service, core::Deadline deadline) {
    const auto now = deps_.clock.now();
    auto& entry = kept(*account);
    if (entry.services && !entry.suspected && now >= entry.found) {
        auto base = base_of(*entry.services, service);
        // What is missing may be bought or granted any minute.
        if (now - entry.found < (base ? std::chrono::seconds(good_for) : remembered)) co_return base;
    }
    if (entry.refused && now < entry.refused_until && entry.refused_until - now <= remembered) co_return *entry.refused;
    entry.refused.reset();
    auto flight = entry.flight;
    if (!flight) {
        flight = entry.flight = std::make_shared<Flight<Services>>();
        if (entry.suspected) entry.asked_again = now;
        if (!deps_.tasks.spawn(deps_.home, bring(account, flight))) {
            entry.flight.reset();
            co_return Failure(Trouble::unreachable, "the server stops");
        }
    }
    const auto services = co_await Flight<Services>::wait(flight, deadline);
    if (services) co_return base_of(*services, service);
    // Graph's trouble need not be Intune's: the old address may well serve.
    const auto& old = kept(*account).services;
    if (!old) co_return services.error();
    co_return base_of(*old, service);
}

core::Task<Attempt<Services>> Discovery::ask(AccountRef account, core::Deadline deadline) {
    bool renewed = false;
    for (unsigned tries = 1;;) {
        const auto token = co_await tokens_.get(account, Audience::graph, deadline);
        if (!token) co_return token.error();
        auto services = co_await request_services(deps_, account, *token, false, deadline);
        if (services) co_return services;
        const auto& why = services.error();
        if (why.trouble == Trouble::unauthorized) {
            if (renewed) {
                tokens_.refuse(*account, Audience::graph, why);
                co_return why;
            }
            renewed = true;
            tokens_.drop(*account, Audience::graph, *token);
            continue;
        }
        const auto pause = next_pause(tries++, why, deps_.random, deadline);
        if (!pause) co_return why;
        co_await deps_.sleep(*pause);
    }
}

core::Task<void> Discovery::bring(AccountRef account, std::shared_ptr<Flight<Services>> flight) {
    const auto deadline = core::deadline_in(discovery_time);
    Attempt<Services> outcome = Failure(Trouble::unreachable, "Microsoft Graph was not asked");
    try {
        outcome = co_await ask(account, deadline);
    } catch (const std::exception& fault) {  // those who wait are owed an end
        outcome = Failure(Trouble::unreachable, std::string("no list of services: ") + fault.what());
    }
    auto& entry = kept(*account);
    if (entry.flight == flight) entry.flight.reset();
    if (outcome) {
        entry.services = *outcome;
        entry.found = deps_.clock.now();
        entry.suspected = false;
        for (const auto& doubled : outcome->doubled)
            deps_.log.warning("intune_service_doubled", {{"account", account->label()}, {"service", doubled}, {"why", "the first of them is used"}});
    } else {
        deps_.log.warning("intune_no_services", {{"account", account->label()}, {"why", outcome.error().detail}});
        if (entry.services) entry.suspected = false;  // the old addresses serve until somebody suspects them again
        else if (!outcome.error().passing()) {
            entry.refused = outcome.error();
            entry.refused_until = deps_.clock.now() + remembered;
        }
    }
    flight->land(std::move(outcome));
}

}  // namespace postern::azure
