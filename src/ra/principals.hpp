#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/async/task.hpp"
#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/crypto/sealer.hpp"
#include "ra/audit.hpp"
#include "store/database.hpp"
#include "store/numbers.hpp"

namespace postern::ra {

/// administrator: everything; officer: certificates, requests and approvals; auditor: reads only. enroller: mints challenges and
/// nothing else, so that an MDM need not hold an officer's token.
enum class Role { administrator, officer, auditor, enroller };
std::string_view to_string(Role r) noexcept;
std::optional<Role> role_from(std::string_view text) noexcept;

struct Principal {
    Principal() = default;
    std::string name;
    Role role = Role::auditor;
    std::optional<core::TenantId> tenant;  ///< nullopt: every tenant
    Actor actor;
};

/// Who may say which programs the server runs, and read how: not a token over the network, whichever its role and tenant.
[[nodiscard]] inline bool may_run_programs(const Principal& by) { return by.actor.kind == "local" || by.actor.kind == "system"; }

/// A principal as a list shows it; never its token.
struct PrincipalListed {
    PrincipalListed() = default;
    std::string name, role, status;  ///< status: active, disabled
    std::optional<core::TenantId> tenant;
    std::optional<core::TimePoint> expires;
    core::TimePoint created{};
    std::string created_by;
};

class Principals {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        const crypto::Sealer& sealer;
        core::Random& random;
        const core::Clock& clock;
    };
    explicit Principals(Deps deps) : deps_(deps) {}

    /// The control socket's peer: administrator of everything when its uid is root's or our own.
    [[nodiscard]] static std::optional<Principal> from_peer(std::uint32_t uid);
    /// Bearer token; nullopt for unknown, expired or disabled ones (all alike to the caller).
    core::Task<std::optional<Principal>> from_token(std::string token);
    /// Mints "postern_<43 characters>", shown once, stored as HMAC. `conflict` for a taken name.
    core::Task<core::Result<core::SecretText>> create(std::string name, Role role, std::optional<core::TenantId> tenant,
                                                      std::optional<core::TimePoint> expires, Principal by,
                                                      core::RequestId request);

    /// Those of the caller's tenant, or all, oldest first.
    core::Task<std::vector<PrincipalListed>> list(Principal by);
    /// From then on the token is refused, or taken again. Nobody is kept by this from the last
    /// administrator: the control socket's local peer needs no principal. `not_found` also for
    /// another tenant's; false: it was so already.
    core::Task<core::Result<bool>> set_active(std::string name, bool active, Principal by, core::RequestId request);

    /// On record: a known principal asked for what its role does not permit.
    core::Task<void> record_refusal(Principal by, Role needed, std::string route, core::RequestId request);

private:
    Deps deps_;
};

}  // namespace postern::ra
