#include "ra/principals.hpp"

#include <unistd.h>

#include "core/base/encoding.hpp"
#include "core/json/writer.hpp"
#include "ra/trace.hpp"
#include "store/tables/principal.hpp"

namespace postern::ra {

namespace {
constexpr std::string_view token_label = "principal-token";
constexpr std::string_view token_prefix = "postern_";
}  // namespace

std::string_view to_string(Role r) noexcept {
    switch (r) {
        case Role::administrator: return "administrator";
        case Role::officer: return "officer";
        case Role::auditor: return "auditor";
        case Role::enroller: return "enroller";
    }
    return "";
}

std::optional<Role> role_from(std::string_view text) noexcept {
    for (const auto r : {Role::administrator, Role::officer, Role::auditor, Role::enroller})
        if (to_string(r) == text) return r;
    return std::nullopt;
}

std::optional<Principal> Principals::from_peer(std::uint32_t uid) {
    if (uid != 0 && uid != ::geteuid()) return std::nullopt;
    Principal p;
    p.name = "uid " + std::to_string(uid);
    p.role = Role::administrator;
    p.actor = Actor("local", p.name);
    return p;
}

core::Task<std::optional<Principal>> Principals::from_token(std::string token) {
    if (!token.starts_with(token_prefix) || token.size() > 128) co_return std::nullopt;
    const auto hash = deps_.sealer.lookup_hash(token_label, core::as_bytes(token));
    auto key = store::values(core::BytesView(hash));
    const auto row = co_await store::read_one(deps_.db, store::principal_by_token, std::move(key));
    if (!row) co_return std::nullopt;
    if (const auto expires = row->optional_time(3); expires && *expires <= deps_.clock.now()) co_return std::nullopt;
    Principal p;
    p.name = row->text(0);
    p.role = role_from(row->text(1)).value();
    if (const auto tenant = row->optional_integer(2)) p.tenant = core::TenantId(*tenant);
    p.actor = Actor("principal", p.name);
    co_return p;
}

core::Task<core::Result<core::SecretText>> Principals::create(std::string name, Role role,
                                                              std::optional<core::TenantId> tenant,
                                                              std::optional<core::TimePoint> expires, Principal by,
                                                              core::RequestId request) {
    const auto id = co_await deps_.numbers.next(store::Series::principal);
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    core::SecretText token(std::string(token_prefix) + core::base64url(deps_.random.bytes(32)));
    const auto hash = deps_.sealer.lookup_hash(token_label, core::as_bytes(token.expose()));
    const auto now = deps_.clock.now();

    AuditRecord record;
    record.at = now;
    record.tenant = tenant;
    record.request = request;
    record.actor = by.actor;
    record.action = "principal.created";
    record.object_kind = "principal";
    record.object_id = name;
    json::Writer detail;
    detail.begin_object().member("role", to_string(role)).end_object();
    record.detail = detail.take();

    store::Batch batch;
    batch.add(store::principal_insert,
              store::values(id, tenant, name, to_string(role), core::BytesView(hash), expires, now, by.name));
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return core::Problem(core::ProblemKind::conflict, "a principal named " + name + " exists already");
    co_return std::move(token);
}

core::Task<void> Principals::record_refusal(Principal by, Role needed, std::string route, core::RequestId request) {
    AuditRecord record;
    record.at = deps_.clock.now();
    record.tenant = by.tenant;
    record.request = request;
    record.actor = by.actor;
    record.action = "api.refused";
    record.object_kind = "route";
    record.object_id = route;
    record.outcome = AuditRecord::Outcome::refused;
    record.check = "principal.role";
    Trace trace;
    trace.add(TraceEntry(record.check, by.name + " is " + std::string(to_string(by.role)), Verdict::refuse, "this needs " + std::string(to_string(needed))));
    record.detail = "{\"trace\":" + trace.to_json() + "}";
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    store::Batch batch;
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    written.value();
}

core::Task<std::vector<PrincipalListed>> Principals::list(Principal by) {
    std::vector<PrincipalListed> out;
    std::int64_t after = 0;
    for (;;) {
        auto page = store::values(after, by.tenant);
        const auto rows = co_await deps_.db.read(store::principal_page, std::move(page));
        if (rows.empty()) co_return out;
        for (const auto& row : rows) {
            PrincipalListed p;
            after = row.integer(0);
            if (const auto tenant = row.optional_integer(1)) p.tenant = core::TenantId(*tenant);
            p.name = row.text(2);
            p.role = row.text(3);
            p.status = row.text(4);
            p.expires = row.optional_time(5);
            p.created = row.time(6);
            p.created_by = row.text(7);
            out.push_back(std::move(p));
        }
    }
}

core::Task<core::Result<bool>> Principals::set_active(std::string name, bool active, Principal by, core::RequestId request) {
    auto key = store::values(name, by.tenant);
    const auto found = co_await store::read_one(deps_.db, store::principal_by_name, std::move(key));
    if (!found) co_return core::Problem(core::ProblemKind::not_found, "there is no principal named " + name);
    const std::string_view wanted = active ? "active" : "disabled";
    const auto held = found->text(2);
    if (held == wanted) co_return false;

    AuditRecord record;
    record.at = deps_.clock.now();
    if (const auto tenant = found->optional_integer(1)) record.tenant = core::TenantId(*tenant);
    record.request = request;
    record.actor = by.actor;
    record.action = active ? "principal.enabled" : "principal.disabled";
    record.object_kind = "principal";
    record.object_id = name;
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    store::Batch batch;
    batch.add(store::principal_status, store::values(found->integer(0), held, wanted));
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return core::Problem(core::ProblemKind::conflict, "somebody else changed principal " + name + " meanwhile; look again");
    co_return true;
}

}  // namespace postern::ra
