#include <algorithm>

#include "ra/bodies.hpp"
#include "ra/documents/plan.hpp"

/// Whence RA certificates of SCEP endpoints come.
namespace postern::ra::documents {

namespace {

/// What keeps a profile from being one that the RA of an endpoint is enrolled by; empty: nothing.
std::string why_no_ra_profile(const Profile& profile) {
    const auto states = [&](crypto::KeyUsageBit bit) {
        return profile.key_usage.empty() || std::find(profile.key_usage.begin(), profile.key_usage.end(), bit) != profile.key_usage.end();
    };
    const bool rsa = std::any_of(profile.keys.begin(), profile.keys.end(), [](const crypto::KeySpec& k) { return k.type == crypto::KeyType::rsa && k.bits <= 2048; });
    if (!rsa) return "must take rsa-2048 keys: only those can be encrypted to by all clients";
    if (!states(crypto::KeyUsageBit::digital_signature) || !states(crypto::KeyUsageBit::key_encipherment))
        return "must give key_usage digitalSignature and keyEncipherment: clients look for both";
    if (!profile.text_common_name) return "must say common_name = \"text\": the RA has no DNS name";
    return {};
}

}  // namespace

/// Whence the RA's certificate comes must be said where the built-in CA does not issue, and no device may enroll by its profile.
void Plan::check_registration_authorities() {
    std::map<std::int64_t, Endpoint> endpoints;
    std::map<std::int64_t, const Wanted*> described;
    std::map<std::string, Profile> profiles;
    for (const auto& row : stored_.rows.at("endpoint"))
        if (auto read = read_endpoint(row)) endpoints.insert_or_assign(row.id, std::move(*read));
    for (const auto& row : stored_.rows.at("profile"))
        if (auto read = read_profile(row)) profiles.insert_or_assign(id_key("profile", row.tenant_id, row.name), std::move(*read));
    for (const auto& step : steps_) {
        if (!step.wanted && step.line.kind == "endpoint") endpoints.erase(step.stored->id);
        if (!step.wanted) continue;
        if (step.line.kind == "profile")
            if (auto read = read_profile(step.row)) profiles.insert_or_assign(id_key("profile", step.row.tenant_id, step.row.name), std::move(*read));
        if (step.line.kind != "endpoint") continue;
        if (auto read = read_endpoint(step.row)) endpoints.insert_or_assign(step.row.id, std::move(*read));
        described[step.row.id] = step.wanted;
    }
    const auto profile_of = [&](const Endpoint& e, const std::string& name) {
        const auto found = profiles.find(id_key("profile", e.tenant.get(), name));
        return found == profiles.end() ? nullptr : &found->second;
    };
    for (const auto& [id, e] : endpoints) {
        if (e.protocol != Protocol::scep) continue;
        const auto* wanted = described.contains(id) ? described.at(id) : nullptr;
        const auto* first = profile_of(e, e.profiles.front());
        if (wanted && first && e.scep.ra == ScepSettings::Ra::by_backend && first->backend != "builtin")
            complain(at(*wanted, wanted->display() + ": profile " + first->name + " is issued by backend " + first->backend +
                                     ": say whence the RA's certificate comes, by ra_profile = \"NAME\", ra = \"imported\" or ra = \"builtin\""));
        if (e.scep.ra != ScepSettings::Ra::profile) continue;
        const auto* own = profile_of(e, e.scep.ra_profile);
        if (wanted && own)
            if (const auto why = why_no_ra_profile(*own); !why.empty()) complain(at(*wanted, wanted->display() + ": ra_profile: profile " + own->name + " " + why));
        for (const auto& [other_id, other] : endpoints) {
            const bool offers = other.tenant == e.tenant && std::find(other.profiles.begin(), other.profiles.end(), e.scep.ra_profile) != other.profiles.end();
            const auto* at_fault = wanted ? wanted : described.contains(other_id) ? described.at(other_id) : nullptr;
            if (offers && at_fault) complain(at(*at_fault, at_fault->display() + ": profile " + e.scep.ra_profile + " is what the RA of endpoint " + e.name + " is enrolled by; endpoint " + other.name + " offers it to its clients"));
        }
    }
}

}  // namespace postern::ra::documents
