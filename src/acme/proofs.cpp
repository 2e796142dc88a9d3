#include "acme/proofs.hpp"

#include <algorithm>

#include "ra/challenge_methods.hpp"

namespace postern::acme {

namespace {

/// An order lives no longer than what it rests on: with less left, the client had better prove the name again.
constexpr std::chrono::hours least_left{24};

bool is_wildcard(const crypto::GeneralName& name) { return name.value.starts_with("*."); }
/// By a method that the profile takes for such names today.
bool still_taken(const ra::Profile& profile, const store::AcmeAuthorizationRow& proof, const std::string& method) {
    const crypto::GeneralName name(proof.identifier_type == "ip" ? crypto::GeneralNameType::ip : crypto::GeneralNameType::dns,
                                   (proof.wildcard ? "*." : "") + proof.identifier);
    const auto methods = ra::methods_for(profile.challenges, name);
    return std::find(methods.begin(), methods.end(), method) != methods.end();
}

std::string identifier_of(const crypto::GeneralName& name) { return is_wildcard(name) ? name.value.substr(2) : name.value; }

}  // namespace

const store::AcmeAuthorizationRow* Proofs::of(const crypto::GeneralName& name) const noexcept {
    const std::string_view bare = std::string_view(name.value).substr(is_wildcard(name) ? 2 : 0);
    const auto found = std::find_if(rows_.rbegin(), rows_.rend(), [&](const store::AcmeAuthorizationRow& row) {
        return row.identifier == bare && row.identifier_type == crypto::to_string(name.type) && row.wildcard == is_wildcard(name);
    });
    return found == rows_.rend() ? nullptr : &*found;
}

core::Task<Proofs> find_proofs(Parts& parts, const Call& call, std::vector<crypto::GeneralName> names, std::string profile) {
    std::vector<store::AcmeAuthorizationRow> rows;
    const ra::Profile* taking = call.catalog->profile(call.endpoint.tenant, profile);
    if (taking == nullptr) co_return Proofs();
    for (std::size_t first = 0; first < names.size(); first += store::acme_proofs_asked) {
        auto asked = store::values(call.requester().id, profile, parts.now() + least_left);
        for (std::size_t i = first; i < std::min(names.size(), first + store::acme_proofs_asked); ++i) asked.emplace_back(identifier_of(names[i]));
        asked.resize(3 + store::acme_proofs_asked, std::monostate{});
        const auto found = co_await parts.deps.db.read(store::acme_authorization_proofs, std::move(asked));
        for (const auto& row : found) {
            auto proof = store::AcmeAuthorizationRow::from(row);
            if (still_taken(*taking, proof, row.text(store::acme_proof_method))) rows.push_back(std::move(proof));
        }
    }
    co_return Proofs(std::move(rows));
}

}  // namespace postern::acme
