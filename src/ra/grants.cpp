#include "ra/grants.hpp"

namespace postern::ra {

namespace {

/// Who answers for a host by HTTP has shown that host alone; who changes its DNS, or reads its postmaster's mail, all below it.
bool proves_below(DomainProof proof) noexcept { return proof == DomainProof::dns || proof == DomainProof::mail; }

}  // namespace

std::string granted_by(const Catalog& catalog, const Account& account, std::string_view name, bool publicly_trusted, core::TimePoint now) {
    if (account.challenges == Challenges::required) return {};
    const bool wildcard = name.starts_with("*.");
    const auto bare = name.substr(wildcard ? 2 : 0);
    if (account.challenges == Challenges::none) return publicly_trusted ? std::string() : "account " + account.name + ", without challenges";
    const Domain* domain = catalog.governing_domain(account.tenant, bare);
    if (domain == nullptr || !domain->active || domain->proof == DomainProof::none || domain->proven_until <= now) return {};
    if ((wildcard || bare != domain->name) && !proves_below(domain->proof)) return {};
    return "domain " + domain->name + ", proven by " + std::string(to_string(domain->proof));
}

}  // namespace postern::ra
