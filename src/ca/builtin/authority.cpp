#include "ca/builtin/authority.hpp"

#include <algorithm>

namespace postern::ca {

Hierarchy::Member Hierarchy::find(std::string_view key_id) const noexcept {
    for (const auto* list : {&roots, &issuing})
        for (const auto& authority : *list)
            if (authority->key_id == key_id) return authority;
    return nullptr;
}

const Hierarchy::Member& Hierarchy::today(core::TimePoint now) const noexcept {
    std::size_t at = 0;
    while (at + 1 < issuing.size() && issuing[at + 1]->takes_over <= now) ++at;
    return issuing[at];
}

Hierarchy::Member Hierarchy::successor(core::TimePoint now) const noexcept {
    for (const auto& authority : issuing)
        if (authority->takes_over > now && !authority->withdrawn) return authority;
    return nullptr;
}

std::size_t Hierarchy::withdrawn() const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(issuing, [](const Member& each) { return each->withdrawn; }));
}

std::vector<Hierarchy::Member> Hierarchy::trusted(core::TimePoint now) const {
    auto of_today = root(now);
    std::vector<Member> out;
    for (const auto& each : roots)
        if (each != of_today && !each->withdrawn && each->certificate.not_after() > now) out.push_back(each);
    out.push_back(std::move(of_today));
    return out;
}

std::vector<std::shared_ptr<const CrossCertificate>> Hierarchy::crossed_at(core::TimePoint now) const {
    if (crossed.empty()) return {};
    const auto known = trusted(now);
    const auto has = [&](const std::string& key_id) { return std::ranges::any_of(known, [&](const Member& m) { return m->key_id == key_id; }); };
    std::vector<std::shared_ptr<const CrossCertificate>> out;
    for (const auto& each : crossed)
        if (each->certificate.not_after() > now && has(each->subject_id) && has(each->issuer_id)) out.push_back(each);
    return out;
}

std::vector<std::shared_ptr<const CrossCertificate>> Hierarchy::way_from_older(const Authority& root, core::TimePoint now) const {
    std::vector<std::shared_ptr<const CrossCertificate>> out;
    const auto all = crossed_at(now);
    const auto* at = &root;
    for (;;) {
        // Each root was made under the one before it and under no other.
        const auto found = std::ranges::find_if(all, [&](const auto& c) { return c->subject_id == at->key_id && find(c->issuer_id)->takes_over < at->takes_over; });
        if (found == all.end()) return out;
        out.push_back(*found);
        at = find((*found)->issuer_id).get();
    }
}

std::vector<std::shared_ptr<const CrossCertificate>> Hierarchy::way_to_newer(const Authority& root, core::TimePoint now) const {
    std::vector<std::shared_ptr<const CrossCertificate>> out;
    const auto all = crossed_at(now);
    const auto* at = &root;
    for (;;) {
        const auto found = std::ranges::find_if(all, [&](const auto& c) {
            const auto newer = find(c->issuer_id);
            return c->subject_id == at->key_id && newer->takes_over > at->takes_over && newer->takes_over <= now;
        });
        if (found == all.end()) return out;
        out.push_back(*found);
        at = find((*found)->issuer_id).get();
    }
}

}  // namespace postern::ca
