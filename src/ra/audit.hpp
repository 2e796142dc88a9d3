#pragma once
#include <optional>
#include <string>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "store/batch.hpp"
#include "store/numbers.hpp"

namespace postern::ra {

/// Who did it.
struct Actor {
    Actor() = default;
    Actor(std::string k, std::string n) : kind(std::move(k)), name(std::move(n)) {}
    std::string kind;  ///< "acme_account", "principal", "local", "system"
    std::string name;  ///< token, principal name, "uid 0"
};

/// "principal alice": one text by which two are told apart.
[[nodiscard]] inline std::string called(const Actor& actor) { return actor.kind + " " + actor.name; }

struct AuditRecord {
    AuditRecord() = default;
    enum class Outcome { done, refused, failed };
    core::TimePoint at{};
    std::optional<core::TenantId> tenant;
    core::RequestId request;
    Actor actor;
    std::string action;       ///< "enrollment.intent", "enrollment.issued", "certificate.revoked", "account.created"
    std::string object_kind;  ///< "enrollment", "certificate", "acme_account", "profile"
    std::string object_id;
    Outcome outcome = Outcome::done;
    std::string check;        ///< the refusing check, else empty
    std::string detail = "{}";///< JSON object; traces stand under "trace"
};

/// Adds the row to the change's own batch. `id` from Series::audit.
void add_audit(store::Batch& batch, std::int64_t id, const AuditRecord& record);

}  // namespace postern::ra
