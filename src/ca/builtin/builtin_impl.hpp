#pragma once
#include <memory>
#include <mutex>

#include "ca/builtin/authority.hpp"
#include "ca/builtin/builtin_ca.hpp"
#include "ca/builtin/crl_signer.hpp"
#include "ca/builtin/issuance.hpp"
#include "ca/builtin/key_rows.hpp"

/// What BuiltinCa's own files share.
namespace postern::ca {

/// What is ready to issue. Immutable; the next one knows all that this one does.
struct Ready {
    Ready() = default;
    Hierarchy hierarchy;
    std::vector<std::shared_ptr<Issuance>> issuances;  ///< in the order of hierarchy.issuing; null for one without a key
    [[nodiscard]] Issuance* find(std::string_view key_id) const noexcept {
        for (std::size_t i = 0; i < issuances.size(); ++i)
            if (hierarchy.issuing[i]->key_id == key_id) return issuances[i].get();
        return nullptr;
    }
};

struct BuiltinCa::Impl {
    Impl(const Deps& d, const BuiltinConfig& c, std::string root_path, Hierarchy h)
        : deps(d), config(c), root_pem_path(std::move(root_path)), keys(d.db, d.sealer, KeyFiles(c.keys_folder, d.sealer), d.clock, c.keys_in_database),
          crls(CrlSigner::make(CrlSigner::Deps{d.db, d.pool, d.executor, d.clock, d.log, d.metrics, c.node}, h, c.crl_lifetime, c.hold_crls)) {
        adopt(std::move(h));
    }
    [[nodiscard]] std::shared_ptr<const Ready> ready() const {
        const std::lock_guard lock(mutex);
        return current;
    }
    /// Issuances stay: what one of them prepared, the same one signs.
    void adopt(Hierarchy h) {
        auto next = std::make_shared<Ready>();
        const auto before = ready();
        // Authorities only come, and are withdrawn for good: what was read before that was written is late.
        if (before && (h.issuing.size() < before->hierarchy.issuing.size() || h.withdrawn() < before->hierarchy.withdrawn())) return;
        for (const auto& authority : h.issuing) {
            std::shared_ptr<Issuance> issuance;
            for (std::size_t i = 0; before && i < before->issuances.size(); ++i)
                if (before->hierarchy.issuing[i]->key_id == authority->key_id) issuance = before->issuances[i];
            if (!issuance && authority->can_sign()) issuance = std::make_shared<Issuance>(authority, config.public_http, deps.pool, deps.random, deps.clock, deps.metrics);
            next->issuances.push_back(std::move(issuance));
            crls->add(authority);
        }
        for (const auto& root : h.roots) crls->add(root);
        next->hierarchy = std::move(h);
        const std::lock_guard lock(mutex);
        current = std::move(next);
    }
    Deps deps;
    BuiltinConfig config;
    std::string root_pem_path;
    std::string root_pem_of;       ///< key id of the root that is there; this and the next are follow()'s own
    std::string root_pem_failure;  ///< why it could not be written last
    KeyRows keys;
    std::shared_ptr<CrlSigner> crls;
    mutable std::mutex mutex;  ///< never held across a suspension
    std::shared_ptr<const Ready> current;
};

/// DATA/root.pem is what people give to their clients: written anew when it is missing or stale.
void write_root_pem(const std::string& path, const Authority& root);

}  // namespace postern::ca
