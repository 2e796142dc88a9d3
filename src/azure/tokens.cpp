#include "azure/tokens.hpp"

#include <algorithm>
#include <charconv>

#include "azure/aadsts.hpp"
#include "azure/credential.hpp"
#include "azure/wire.hpp"
#include "core/json/reader.hpp"

namespace postern::azure {

namespace {

constexpr std::chrono::seconds margin(10);  ///< a token that ends meanwhile is no token
constexpr std::chrono::seconds token_time(8);

/// A number, or the digits of one: both are seen.
std::optional<std::int64_t> seconds_of(const json::Value& value) {
    if (const auto n = value.integer()) return *n;
    const auto text = value.string();
    if (!text) return std::nullopt;
    std::int64_t out = 0;
    const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), out);
    if (failed != std::errc() || end != text->data() + text->size()) return std::nullopt;
    return out;
}

/// RFC 6750 §2.1: what may stand behind "Bearer ".
bool bearer_text(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("-._~+/=").find(c) != std::string_view::npos;
    });
}

bool is_bearer(std::string_view type) {
    constexpr std::string_view name = "bearer";
    return std::ranges::equal(type, name, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

Attempt<Token> read_token(const http::Response& response, core::TimePoint now) {
    const auto document = json::Document::parse(response.body);
    if (!document) return Failure(Trouble::answer, "Entra's answer is no token: no JSON");
    const auto root = document->root();
    const auto text = root["access_token"].string(), type = root["token_type"].string();
    const auto life = seconds_of(root["expires_in"]);
    if (!text || !bearer_text(*text) || !type || !is_bearer(*type) || !life || *life <= 0)
        return Failure(Trouble::answer, "Entra's answer is no token: access_token, token_type or expires_in is missing or wrong");
    constexpr std::int64_t longest = 86'400;
    const auto lasts = std::chrono::seconds(std::min(*life, longest));
    Token out;
    out.bearer = std::make_shared<const core::SecretText>(std::string(*text));
    out.renew = now + lasts * 3 / 4;
    out.expires = now + lasts;
    return out;
}

}  // namespace

core::Task<Attempt<Token>> request_token(const ClientDeps& deps, AccountRef account, Audience audience, bool fresh, core::Deadline deadline) {
    const auto url = account->addresses.login + account->directory + "/oauth2/v2.0/token";
    auto fields = co_await credential_fields(deps, account, url);
    if (!fields) co_return fields.error();
    auto request = request_for(*account, deps.sealer, http::Method::post, url);
    if (!request) co_return Failure(Trouble::credentials, request.error().detail);
    std::string form;
    add_field(form, "grant_type", "client_credentials");
    add_field(form, "client_id", account->application);
    add_field(form, "scope", audience == Audience::graph ? account->addresses.graph_scope : account->addresses.intune_scope);
    request->body = form + "&" + fields->expose();
    request->fresh = fresh;
    request->headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    request->headers.emplace_back("Accept", "application/json");
    request->headers.emplace_back("client-request-id", guid(deps.random));
    const auto now = deps.clock.now();
    // Entra's refusals are read before their status is judged: they say why.
    auto answer = co_await deps.outbound.exchange(std::move(*request), deadline);
    if (answer && (answer->status == 400 || answer->status == 401)) co_return explain_refusal(*account, answer->status, answer->body);
    auto judged = judge_answer(std::move(answer), "Entra", now);
    if (!judged) co_return judged.error();
    co_return read_token(*judged, now);
}

Tokens::Kept& Tokens::kept(const Account& account, Audience audience) {
    const Key key(account.id, account.version, audience);
    const auto found = kept_.find(key);
    if (found != kept_.end()) return found->second;
    // A changed document begins anew; calls that hold the old one find their place again for as long as they last.
    std::erase_if(kept_, [&](const auto& each) { return std::get<0>(each.first) == account.id && std::get<1>(each.first) < account.version; });
    return kept_[key];
}

core::Task<Attempt<Token>> Tokens::get(AccountRef account, Audience audience, core::Deadline deadline) {
    const auto now = deps_.clock.now();
    auto& entry = kept(*account, audience);
    if (entry.refused && now < entry.refused_until && entry.refused_until - now <= remembered) co_return *entry.refused;
    entry.refused.reset();
    if (entry.token && now + margin < entry.token->expires) {
        const auto token = *entry.token;
        if (now >= token.renew) fly(account, audience);  // brings the next one while this one serves
        co_return token;
    }
    const auto flight = fly(account, audience);
    if (!flight) co_return Failure(Trouble::unreachable, "the server stops");
    co_return co_await Flight<Token>::wait(flight, deadline);
}

void Tokens::drop(const Account& account, Audience audience, const Token& token) {
    auto& entry = kept(account, audience);
    // Somebody else may have brought a new one already.
    if (entry.token && entry.token->bearer == token.bearer) entry.token.reset();
}

void Tokens::refuse(const Account& account, Audience audience, Failure why) {
    auto& entry = kept(account, audience);
    entry.token.reset();
    entry.refused = std::move(why);
    entry.refused_until = deps_.clock.now() + remembered;
}

std::shared_ptr<Flight<Token>> Tokens::fly(AccountRef account, Audience audience) {
    auto& entry = kept(*account, audience);
    if (entry.flight) return entry.flight;
    auto flight = entry.flight = std::make_shared<Flight<Token>>();
    if (deps_.tasks.spawn(deps_.home, bring(std::move(account), audience, flight))) return flight;
    entry.flight.reset();
    return nullptr;
}

core::Task<void> Tokens::bring(AccountRef account, Audience audience, std::shared_ptr<Flight<Token>> flight) {
    const auto deadline = core::deadline_in(token_time);
    Attempt<Token> outcome = Failure(Trouble::unreachable, "Entra was not asked");
    try {
        for (unsigned tries = 1;; ++tries) {
            outcome = co_await request_token(deps_, account, audience, false, deadline);
            if (outcome) break;
            const auto pause = next_pause(tries, outcome.error(), deps_.random, deadline);
            if (!pause) break;
            co_await deps_.sleep(*pause);
        }
    } catch (const std::exception& fault) {  // those who wait are owed an end
        outcome = Failure(Trouble::unreachable, std::string("no token: ") + fault.what());
    }
    auto& entry = kept(*account, audience);
    if (entry.flight == flight) entry.flight.reset();
    if (outcome) {
        entry.token = *outcome;
    } else if (!outcome.error().passing()) {
        refuse(*account, audience, outcome.error());
    }
    if (!outcome)
        deps_.log.warning("azure_no_token", {{"account", account->label()},
                                             {"audience", audience == Audience::graph ? "graph" : "intune"},
                                             {"why", outcome.error().detail}});
    flight->land(std::move(outcome));
}

}  // namespace postern::azure
