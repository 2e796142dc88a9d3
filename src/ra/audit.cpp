#include "ra/audit.hpp"

#include "store/tables/audit.hpp"

namespace postern::ra {

namespace {
std::string_view to_string(AuditRecord::Outcome outcome) {
    switch (outcome) {
        case AuditRecord::Outcome::done: return "done";
        case AuditRecord::Outcome::refused: return "refused";
        case AuditRecord::Outcome::failed: return "failed";
    }
    return "failed";
}
}  // namespace

void add_audit(store::Batch& batch, std::int64_t id, const AuditRecord& r) {
    batch.add(store::audit_insert, store::values(id, r.at, r.tenant, r.request, r.actor.kind, r.actor.name, r.action,
                                                 r.object_kind, r.object_id, to_string(r.outcome), r.check, r.detail));
}

}  // namespace postern::ra
