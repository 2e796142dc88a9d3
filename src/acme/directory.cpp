#include "acme/handlers.hpp"
#include "acme/profiles.hpp"
#include "core/json/writer.hpp"

namespace postern::acme {

std::vector<const ra::Profile*> offered_profiles(const ra::Catalog& catalog, const ra::Endpoint& endpoint,
                                                 const ra::Account* account) {
    std::vector<const ra::Profile*> offered;
    for (const auto& name : endpoint.profiles) {
        if (account != nullptr && !account->profiles.empty() && std::ranges::find(account->profiles, name) == account->profiles.end())
            continue;
        const ra::Profile* profile = catalog.profile(endpoint.tenant, name);
        if (profile != nullptr && profile->active) offered.push_back(profile);
    }
    return offered;
}

namespace {

/// What owners of names write into CAA records, where a profile here looks.
void write_caa_identities(json::Writer& w, const ra::Catalog& catalog, const ra::Endpoint& endpoint) {
    std::vector<std::string> identities;
    for (const ra::Profile* profile : offered_profiles(catalog, endpoint, nullptr)) {
        if (!profile->caa) continue;
        for (const auto& identity : profile->caa_identities)
            if (std::ranges::find(identities, identity) == identities.end()) identities.push_back(identity);
    }
    if (identities.empty()) return;
    w.key("caaIdentities").begin_array();
    for (const auto& identity : identities) w.string(identity);
    w.end_array();
}

}  // namespace

/// RFC 8555 §7.1.1. Only what works is listed.
core::Task<Reply> directory(Parts&, Call& call) {
    const ra::Endpoint& endpoint = call.endpoint;
    json::Writer w;
    w.begin_object();
    w.member("newNonce", call.urls.new_nonce()).member("newAccount", call.urls.new_account());
    w.member("newOrder", call.urls.new_order()).member("revokeCert", call.urls.revoke_cert());
    w.member("newAuthz", call.urls.new_authz()).member("keyChange", call.urls.key_change());
    w.member("renewalInfo", call.urls.renewal_info());
    w.key("meta").begin_object();
    if (!endpoint.terms_of_service.empty()) w.member("termsOfService", endpoint.terms_of_service);
    if (!endpoint.website.empty()) w.member("website", endpoint.website);
    w.member("externalAccountRequired", endpoint.account_required);
    write_caa_identities(w, *call.catalog, endpoint);
    w.key("profiles").begin_object();
    for (const ra::Profile* profile : offered_profiles(*call.catalog, endpoint, nullptr))
        w.member(profile->name, profile->description.empty() ? profile->name : profile->description);
    w.end_object().end_object().end_object();
    co_return json_response(200, w.take());
}

}  // namespace postern::acme
