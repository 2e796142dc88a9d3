#include "ra/documents.hpp"

#include <algorithm>
#include <set>

#include "core/base/encoding.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"
#include "ra/bodies.hpp"
#include "ra/documents/stored.hpp"
#include "ra/documents/wanted.hpp"

namespace postern::ra {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;
using documents::SecretWish;
using documents::Stored;
using documents::Wanted;

/// One object with its id settled, ready to be compared and written.
struct Step {
    Step() = default;
    const Wanted* wanted = nullptr;           // null: to be removed
    const store::ObjectRow* stored = nullptr; // null: to be created
    store::ObjectRow row;                     // as it will be
    PlanLine line;
};

Problem at(const Wanted& w, std::string what) { return {ProblemKind::malformed, w.where + ": " + what}; }

/// Object ids by kind and "tenant/name": stored ones and those this plan creates.
class Ids {
public:
    void set(std::string_view kind, std::int64_t tenant, std::string_view name, std::int64_t id) { ids_[key(kind, tenant, name)] = id; }
    [[nodiscard]] std::optional<std::int64_t> find(std::string_view kind, std::int64_t tenant, std::string_view name) const {
        const auto it = ids_.find(key(kind, tenant, name));
        return it == ids_.end() ? std::nullopt : std::optional(it->second);
    }

private:
    static std::string key(std::string_view kind, std::int64_t tenant, std::string_view name) {
        return std::string(kind) + ' ' + std::to_string(tenant) + ' ' + std::string(name);
    }
    std::map<std::string, std::int64_t> ids_;
};

store::Series series_of(std::string_view kind) {
    using store::Series;
    static const std::map<std::string_view, Series> series{
        {"tenant", Series::tenant}, {"organization", Series::organization}, {"department", Series::department},
        {"domain", Series::domain}, {"profile", Series::profile},           {"endpoint", Series::endpoint},
        {"account", Series::account}};
    return series.at(kind);
}

/// The same judgement that loading the catalog will pass.
Result<void> judge(const store::ObjectRow& row, std::string_view kind) {
    const auto drop = [](const auto& r) -> Result<void> {
        if (!r) return r.error();
        return {};
    };
    if (kind == "tenant") return drop(read_tenant(row));
    if (kind == "organization") return drop(read_organization(row));
    if (kind == "department") return drop(read_department(row));
    if (kind == "domain") return drop(read_domain(row));
    if (kind == "profile") return drop(read_profile(row));
    if (kind == "endpoint") return drop(read_endpoint(row));
    return drop(read_account(row));
}

std::string show(const json::Value& v) {
    if (!v.exists()) return "(unset)";
    if (const auto text = v.string()) return std::string(*text);
    if (const auto number = v.integer()) return std::to_string(*number);
    if (const auto flag = v.boolean()) return *flag ? "true" : "false";
    std::string out;
    for (const auto& item : v.items()) out += (out.empty() ? "" : ", ") + show(item);
    return "[" + out + "]";
}

/// "lifetime: 90d -> 30d" for every key that differs.
std::vector<std::string> differences(const documents::Kind& kind, const store::ObjectRow& old, const store::ObjectRow& now,
                                     const std::map<std::string, std::string>& old_columns,
                                     const std::map<std::string, std::string>& new_columns) {
    std::vector<std::string> out;
    if (old.status != now.status) out.push_back("enabled: " + std::string(old.status == "active" ? "true" : "false") + " -> " + (now.status == "active" ? "true" : "false"));
    const auto before = json::Document::parse(old.body), after = json::Document::parse(now.body);
    for (const auto& key : kind.keys) {
        std::string a, b;
        if (key.column) {
            const auto look = [&](const auto& columns) {
                const auto it = columns.find(std::string(key.name));
                return it == columns.end() ? std::string("(unset)") : it->second;
            };
            a = look(old_columns);
            b = look(new_columns);
        } else {
            a = before ? show(before->root()[key.name]) : "(unreadable)";
            b = after ? show(after->root()[key.name]) : "(unreadable)";
        }
        if (a != b) out.push_back(std::string(key.name) + ": " + a + " -> " + b);
    }
    return out;
}

/// The server's own endpoint and account (first_start): no document makes, changes or removes them.
bool servers_own(std::string_view kind, const store::ObjectRow& row) {
    const std::size_t column = kind == "endpoint" ? 0 : kind == "account" ? 3 : row.keys.size();
    const auto* text = column < row.keys.size() ? std::get_if<std::string>(&row.keys[column]) : nullptr;
    return text && *text == "system";
}

/// What only the server itself describes, and protocols that this version does not serve.
std::string reserved(const Wanted& w, const Principal& by, const store::ObjectRow* stored) {
    const auto column = [&](const char* key) {
        const auto it = w.columns.find(key);
        return it == w.columns.end() ? std::string() : it->second;
    };
    const auto protocol = column("protocol"), method = column("method");
    const bool own = protocol == "system" || method == "system" || (stored && servers_own(w.kind->name, *stored));
    if (by.actor.kind != "system" && own) return "\"system\" is the server's own";
    if (!protocol.empty() && protocol != "system" && protocol != "acme") return "protocol: this version serves acme, not " + protocol;
    return {};
}

/// Names that a list refers to must exist: the endpoint's profiles, the account's.
std::string missing_reference(const Wanted& w, std::int64_t tenant, const Ids& ids) {
    const auto body = json::Document::parse(w.body);
    for (const auto& key : w.kind->keys) {
        if (key.refers_to.empty() || key.column) continue;
        for (const auto& item : body->root()[key.name].items())
            if (const auto name = item.string(); name && !ids.find(key.refers_to, tenant, *name))
                return std::string(key.name) + ": there is no " + std::string(key.refers_to) + " named " + std::string(*name);
    }
    return {};
}

/// Whether the document names that object of its tenant.
bool refers_to(const Wanted& w, std::string_view kind, std::string_view name) {
    const auto body = json::Document::parse(w.body);
    for (const auto& key : w.kind->keys) {
        if (key.refers_to != kind) continue;
        if (const auto it = w.columns.find(std::string(key.name)); key.column && it != w.columns.end() && it->second == name) return true;
        for (const auto& item : body->root()[key.name].items())
            if (const auto text = item.string(); text && *text == name) return true;
    }
    return false;
}

/// Key columns in statement order; a reference that does not exist is told.
Result<store::Values> key_values(const Wanted& w, std::int64_t tenant, const Ids& ids) {
    store::Values out;
    for (const auto& key : w.kind->keys) {
        if (!key.column) continue;
        const auto it = w.columns.find(std::string(key.name));
        if (it == w.columns.end()) {
            out.emplace_back(std::monostate{});
        } else if (key.refers_to.empty()) {
            out.emplace_back(it->second);
        } else {
            const auto id = ids.find(key.refers_to, tenant, it->second);
            if (!id) return at(w, std::string(key.name) + ": there is no " + std::string(key.refers_to) + " named " + it->second);
            out.emplace_back(*id);
        }
    }
    return out;
}

}  // namespace

core::Task<Result<ApplyReport>> Documents::apply(std::vector<DocumentText> texts, ApplyOptions options, Principal by,
                                                 core::RequestId request) {
    const auto read = documents::read(texts);
    if (!read) co_return read.error();
    const auto& wanted = *read;
    const auto stored = co_await documents::load_stored(deps_.db);
    const auto now = deps_.clock.now();

    ApplyReport report;
    Ids ids;
    for (const auto& [kind, rows] : stored.rows)
        for (const auto& row : rows) ids.set(kind, kind == "tenant" ? 0 : row.tenant_id, row.name, row.id);

    std::vector<Step> steps;
    std::string errors;
    const auto complain = [&](const Problem& p) { errors += (errors.empty() ? "" : "\n") + p.detail; };
    std::set<std::int64_t> tenants_named;
    for (const auto& w : wanted) {
        Step step;
        step.wanted = &w;
        std::int64_t tenant = 0;
        if (w.kind->name != "tenant") {
            const auto found = ids.find("tenant", 0, w.tenant);
            if (!found) {
                complain(at(w, "there is no tenant named " + w.tenant));
                continue;
            }
            tenant = *found;
        }
        const auto existing = ids.find(w.kind->name, tenant, w.name);
        step.stored = existing ? stored.find(w.kind->name, *existing) : nullptr;
        if (const auto wrong = reserved(w, by, step.stored); !wrong.empty()) {
            complain(at(w, wrong));
            continue;
        }
        std::int64_t id = step.stored ? step.stored->id : 0;
        if (!step.stored) id = co_await deps_.numbers.next(series_of(w.kind->name));
        if (w.kind->name == "tenant") tenant = id;
        tenants_named.insert(tenant);
        if (by.tenant && by.tenant->get() != tenant) {
            complain(at(w, "you administer another tenant"));
            continue;
        }
        ids.set(w.kind->name, w.kind->name == "tenant" ? 0 : tenant, w.name, id);
        if (const auto missing = missing_reference(w, tenant, ids); !missing.empty()) {
            complain(at(w, missing));
            continue;
        }
        auto keys = key_values(w, tenant, ids);
        if (!keys) {
            complain(keys.error());
            continue;
        }
        step.row.id = id;
        step.row.tenant_id = tenant;
        step.row.name = w.name;
        step.row.status = w.enabled ? "active" : "disabled";
        step.row.version = 1;
        step.row.body = w.body;
        step.row.created = step.row.updated = now;
        step.row.updated_by = by.name;
        step.row.keys = std::move(*keys);
        if (w.kind->name == "account") {
            // public_id and secret follow the schema's columns; kept unless the document says otherwise.
            store::Value public_id = step.stored ? step.stored->keys.at(4) : store::Value(std::monostate{});
            store::Value sealed = step.stored ? step.stored->keys.at(5) : store::Value(std::monostate{});
            const bool has_secret = std::holds_alternative<core::Bytes>(sealed);
            const auto context = account_secret_context(core::AccountId(id));
            if (w.secret == SecretWish::generate && !has_secret && !options.dry_run) {
                const core::SecretBytes key(deps_.random.bytes(32));
                GeneratedSecret shown;
                shown.account = w.display();
                shown.key_id = deps_.random.token();
                shown.mac_key = core::SecretText(core::base64url(key.expose()));
                public_id = shown.key_id;
                sealed = deps_.sealer.seal(account_secret_label, context, key.expose());
                report.secrets.push_back(std::move(shown));
            } else if (w.secret == SecretWish::given) {
                const auto key = core::from_base64url(w.secret_value.expose());
                if (!key || key->size() < 16) {
                    complain(at(w, "secret: expected at least 16 octets as base64url"));
                    continue;
                }
                const auto held = has_secret ? deps_.sealer.open(account_secret_label, context, std::get<core::Bytes>(sealed)) : std::nullopt;
                if (!held || held->expose() != *key) sealed = deps_.sealer.seal(account_secret_label, context, *key);
                public_id = w.key_id;
            } else if (w.secret == SecretWish::keep && !has_secret) {
                complain(at(w, "secret is missing: the account has none to keep; use {generate = true}"));
                continue;
            }
            step.row.keys.push_back(std::move(public_id));
            step.row.keys.push_back(std::move(sealed));
        }
        if (const auto r = judge(step.row, w.kind->name); !r) {
            complain(at(w, r.error().detail));
            continue;
        }
        step.line.kind = w.kind->name;
        step.line.name = w.display();
        if (!step.stored) {
            step.line.change = PlanLine::Change::create;
        } else {
            step.line.fields = differences(*w.kind, *step.stored, step.row, documents::columns_of(*w.kind, *step.stored, stored), w.columns);
            if (step.row.keys != step.stored->keys && step.line.fields.empty()) step.line.fields.emplace_back("secret: replaced");
            step.line.change = step.line.fields.empty() ? PlanLine::Change::keep : PlanLine::Change::update;
        }
        steps.push_back(std::move(step));
    }
    if (options.prune) {
        // The server's own tenant stays whole: the server could not renew its TLS certificate without.
        for (const auto& row : stored.rows.at("endpoint"))
            if (servers_own("endpoint", row)) tenants_named.erase(row.tenant_id);
        // Children before parents: the schema's order backwards.
        const auto kinds = documents::kinds();
        for (auto kind = kinds.rbegin(); kind != kinds.rend(); ++kind) {
            for (const auto& row : stored.rows.at(std::string(kind->name))) {
                if (!tenants_named.contains(row.tenant_id) || kind->name == "tenant") continue;
                const auto named = std::any_of(steps.begin(), steps.end(), [&](const Step& s) { return s.stored == &row; });
                if (named) continue;
                for (const auto& s : steps)
                    if (s.wanted && s.row.tenant_id == row.tenant_id && refers_to(*s.wanted, kind->name, row.name))
                        complain(at(*s.wanted, "refers to " + std::string(kind->name) + " " + row.name +
                                                   ", which no document describes and pruning would remove"));
                Step step;
                step.stored = &row;
                step.line.change = PlanLine::Change::remove;
                step.line.kind = kind->name;
                step.line.name = std::to_string(row.tenant_id) + "/" + row.name;
                for (const auto& t : stored.rows.at("tenant"))
                    if (t.id == row.tenant_id) step.line.name = t.name + "/" + row.name;
                steps.push_back(std::move(step));
            }
        }
    }
    if (!errors.empty()) co_return Problem(ProblemKind::malformed, errors);

    store::Batch batch;
    batch.add(store::configuration_advance, store::values(stored.configuration));
    for (auto& step : steps) {
        report.plan.push_back(step.line);
        if (step.line.change == PlanLine::Change::keep) continue;
        report.changed = true;
        const auto& s = documents::statements_of(step.line.kind);
        if (step.line.change == PlanLine::Change::create) {
            auto v = store::values(step.row.id, step.row.tenant_id, step.row.name, step.row.status, step.row.version,
                                   step.row.body, step.row.created, step.row.updated, step.row.updated_by);
            v.insert(v.end(), step.row.keys.begin(), step.row.keys.end());
            batch.add(s.insert, std::move(v));
        } else if (step.line.change == PlanLine::Change::update) {
            auto v = store::values(step.row.id, step.stored->version, step.row.status, step.row.body, step.row.updated, step.row.updated_by);
            v.insert(v.end(), step.row.keys.begin(), step.row.keys.end());
            batch.add(s.update, std::move(v));
        } else {
            batch.add(s.remove, store::values(step.stored->id, step.stored->version));
        }
        AuditRecord record;
        record.at = now;
        record.tenant = core::TenantId(step.stored ? step.stored->tenant_id : step.row.tenant_id);
        record.request = request;
        record.actor = by.actor;
        record.action = step.line.change == PlanLine::Change::create   ? "configuration.created"
                        : step.line.change == PlanLine::Change::update ? "configuration.changed"
                                                                       : "configuration.removed";
        record.object_kind = step.line.kind;
        record.object_id = step.line.name;
        json::Writer detail;
        detail.begin_object().key("changes").begin_array();
        for (const auto& f : step.line.fields) detail.string(f);
        detail.end_array().end_object();
        record.detail = detail.take();
        const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
        add_audit(batch, audit_id, record);
    }
    if (options.dry_run || !report.changed) co_return std::move(report);

    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) {
        const auto& conflict = written.error();
        Problem problem(ProblemKind::conflict, "somebody else changed the configuration meanwhile; look at the plan again");
        if (conflict.kind == store::Conflict::Kind::referenced)
            problem.detail = "something to be removed is still referred to, by requests, certificates or other objects (" +
                             std::string(conflict.statement->name) + "); say enabled = false instead";
        if (conflict.kind == store::Conflict::Kind::duplicate)
            problem.detail = "a name is taken: " + std::string(conflict.statement->name) +
                             " (endpoint names and key ids are unique in the installation; an endpoint has one open account)";
        co_return problem;
    }
    co_await deps_.catalog.refresh();
    co_return std::move(report);
}

}  // namespace postern::ra
