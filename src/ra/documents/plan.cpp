#include "ra/documents/plan.hpp"

#include <algorithm>
#include <functional>

#include "core/json/reader.hpp"
#include "ra/azure_account.hpp"
#include "ra/bodies.hpp"
#include "ra/extended_key_usage.hpp"

namespace postern::ra::documents {

std::string id_key(std::string_view kind, std::int64_t tenant, std::string_view name) {
    return std::string(kind) + ' ' + std::to_string(tenant) + ' ' + std::string(name);
}
core::Problem at(const Wanted& w, std::string what) { return {core::ProblemKind::malformed, w.where + ": " + what}; }

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;

store::Series series_of(std::string_view kind) {
    using store::Series;
    static const std::map<std::string_view, Series> series{
        {"tenant", Series::tenant}, {"organization", Series::organization}, {"department", Series::department},
        {"domain", Series::domain}, {"backend", Series::backend}, {"profile", Series::profile},           {"endpoint", Series::endpoint},
        {"account", Series::account}, {"azure_account", Series::azure_account}};
    return series.at(kind);
}

/// The same judgement that loading the catalog will pass, and whether the CA that is named exists. `own`: whether the
/// tenant has a described backend of that name.
Result<void> judge(const store::ObjectRow& row, std::string_view kind, const ca::Backends& backends, const std::function<bool(const std::string&)>& own) {
    const auto drop = [](const auto& r) -> Result<void> {
        if (!r) return r.error();
        return {};
    };
    if (kind == "tenant") return drop(read_tenant(row));
    if (kind == "organization") return drop(read_organization(row));
    if (kind == "department") return drop(read_department(row));
    if (kind == "domain") return drop(read_domain(row));
    if (kind == "backend") {
        if (backends.lasting(row.name)) return Problem(ProblemKind::malformed, "name: " + row.name + " is the server's own");
        const auto described = read_backend(row);
        if (!described) return described.error();
        if (!backends.described()) return Problem(ProblemKind::malformed, "kind: no program can be run from here");
        return backends.described()->judge(*described);
    }
    if (kind == "profile") {
        const auto profile = read_profile(row);
        if (profile && !backends.lasting(profile->backend) && !own(profile->backend))
            return Problem(ProblemKind::malformed, "backend: there is no CA backend named " + profile->backend + "; known here: " + backends.names());
        return drop(profile);
    }
    if (kind == "azure_account") return drop(read_azure_account(row));
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
std::vector<std::string> differences(const Kind& kind, const store::ObjectRow& old, const store::ObjectRow& now,
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

/// "argv: [/opt/ca] -> (unset)": a document that an export left it out of.
bool left_out(std::string_view field) {
    return field.ends_with(" -> (unset)") && std::ranges::any_of(hidden_keys(), [&](std::string_view key) { return field.starts_with(std::string(key) + ": "); });
}

/// The server's own endpoint and account (first_start): no document makes, changes or removes them.
bool servers_own(std::string_view kind, const store::ObjectRow& row) {
    const std::size_t column = kind == "endpoint" ? 0 : kind == "account" ? 3 : row.keys.size();
    const auto* text = column < row.keys.size() ? std::get_if<std::string>(&row.keys[column]) : nullptr;
    return text && *text == "system";
}

constexpr std::string_view servers_tenant = "system";

/// What only the server itself describes, and protocols that this version does not serve.
std::string reserved(const Wanted& w, const Principal& by, const store::ObjectRow* stored) {
    const auto column = [&](const char* key) {
        const auto it = w.columns.find(key);
        return it == w.columns.end() ? std::string() : it->second;
    };
    const auto protocol = column("protocol"), method = column("method");
    const bool own = protocol == "system" || method == "system" || (stored && servers_own(w.kind->name, *stored));
    if (by.actor.kind != "system" && own) return "\"system\" is the server's own";
    const auto body = json::Document::parse(w.body);
    for (const auto& item : body->root()["extended_key_usage"].items()) {
        const auto usage = item.string();
        if (by.actor.kind != "system" && w.tenant != servers_tenant && usage && (*usage == "cmcRA" || *usage == cmc_ra_oid))
            return "extended_key_usage: cmcRA is the server's own";
    }
    if (!protocol.empty() && protocol != "system" && protocol != "acme" && protocol != "scep" && protocol != "est") return "protocol: this version serves acme, est and scep, not " + protocol;
    return {};
}

/// Names that a list refers to must exist: the endpoint's profiles, the account's.
std::string missing_reference(const Wanted& w, std::int64_t tenant, const Ids& ids) {
    const auto body = json::Document::parse(w.body);
    for (const auto& key : w.kind->keys) {
        if (key.refers_to.empty() || key.column) continue;
        if (const auto name = body->root()[key.name].string(); name && key.refers_to == "profile" && !ids.find("profile", tenant, *name))
            return std::string(key.name) + ": there is no profile named " + std::string(*name);
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
        const auto value = body->root()[key.name];
        if (const auto text = value.string(); text && *text == name) return true;
        for (const auto& item : value.items())
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

void Ids::set(std::string_view kind, std::int64_t tenant, std::string_view name, std::int64_t id) {
    ids_[id_key(kind, tenant, name)] = id;
}

std::optional<std::int64_t> Ids::find(std::string_view kind, std::int64_t tenant, std::string_view name) const {
    const auto it = ids_.find(id_key(kind, tenant, name));
    return it == ids_.end() ? std::nullopt : std::optional(it->second);
}

Plan::Plan(Deps deps, const Stored& stored, const Principal& by, ApplyOptions options, core::TimePoint now)
    : deps_(deps), stored_(stored), by_(by), options_(options), now_(now) {
    for (const auto& [kind, rows] : stored_.rows)
        for (const auto& row : rows) ids_.set(kind, kind == "tenant" ? 0 : row.tenant_id, row.name, row.id);
}

void Plan::complain(const Problem& problem) { errors_ += (errors_.empty() ? "" : "\n") + problem.detail; }

core::Task<void> Plan::add(const Wanted& w) {
    const bool is_tenant = w.kind->name == "tenant";
    std::int64_t tenant = 0;
    if (!is_tenant) {
        const auto found = ids_.find("tenant", 0, w.tenant);
        // Another tenant is as absent as none.
        if (!found || (by_.tenant && by_.tenant->get() != *found)) co_return complain(at(w, "there is no tenant named " + w.tenant));
        tenant = *found;
    }
    Step step;
    step.wanted = &w;
    const auto existing = ids_.find(w.kind->name, tenant, w.name);
    // A tenant's own administrator may name it; another one is as absent as none.
    constexpr std::string_view for_all = "only an administrator of every tenant changes a tenant";
    if (is_tenant && by_.tenant && existing != by_.tenant->get()) co_return complain(at(w, std::string(for_all)));
    step.stored = existing ? stored_.find(w.kind->name, *existing) : nullptr;
    if (const auto wrong = reserved(w, by_, step.stored); !wrong.empty()) co_return complain(at(w, wrong));

    std::int64_t id = step.stored ? step.stored->id : 0;
    if (!step.stored) id = co_await deps_.numbers.next(series_of(w.kind->name));
    if (is_tenant) tenant = id;
    tenants_named_.insert(tenant);
    ids_.set(w.kind->name, is_tenant ? 0 : tenant, w.name, id);
    if (const auto missing = missing_reference(w, tenant, ids_); !missing.empty()) co_return complain(at(w, missing));
    auto keys = key_values(w, tenant, ids_);
    if (!keys) co_return complain(keys.error());

    step.row.id = id;
    step.row.tenant_id = tenant;
    step.row.name = w.name;
    step.row.status = w.enabled ? "active" : "disabled";
    step.row.version = 1;
    step.row.body = w.body;
    step.row.created = step.row.updated = now_;
    step.row.updated_by = by_.name;
    step.row.keys = std::move(*keys);
    if (w.kind->name == "account") {
        if (const auto settled = settle_secret(w, step); !settled) co_return complain(settled.error());
        const auto chosen = co_await settle_chosen_code(w, step);
        if (!chosen) co_return complain(chosen.error());
    }
    if (w.kind->name == "azure_account")
        if (const auto settled = settle_credential(w, step); !settled) co_return complain(settled.error());
    compare(w, step);
    // Before anybody looks at its program: the answer would tell a stranger of the server's files.
    if (w.kind->name == "backend" && !may_run_programs(by_)) {
        if (step.line.change != PlanLine::Change::keep)
            co_return complain(at(w, w.display() + ": a backend runs a program as the server's user: only the local administrator of the installation, on its control socket, adds or changes one"));
        steps_.push_back(std::move(step));
        co_return;
    }
    const auto own_backend = [&](const std::string& name) { return ids_.find("backend", tenant, name).has_value(); };
    if (const auto judged = judge(step.row, w.kind->name, deps_.backends, own_backend); !judged) {
        // A body's error names its key as a JSON path, which is the document's key.
        const auto& why = judged.error().detail;
        co_return complain(at(w, w.display() + ": " + (why.starts_with("$.") ? why.substr(2) : why)));
    }
    // Exported with the others, so that it can be read, and applied back when nothing was changed.
    if (by_.actor.kind != "system" && w.tenant == servers_tenant && step.line.change != PlanLine::Change::keep)
        co_return complain(at(w, w.display() + ": tenant \"system\" is the server's own; nothing in it can be added or changed"));
    // What others decided about a tenant is not its own administrator's to lift.
    if (is_tenant && by_.tenant && step.line.change != PlanLine::Change::keep) co_return complain(at(w, std::string(for_all)));
    steps_.push_back(std::move(step));
}

void Plan::compare(const Wanted& w, Step& step) const {
    step.line.kind = w.kind->name;
    step.line.name = w.display();
    if (!step.stored) {
        step.line.change = PlanLine::Change::create;
        return;
    }
    step.line.fields = differences(*w.kind, *step.stored, step.row, columns_of(*w.kind, *step.stored, stored_), w.columns);
    if (w.kind->name == "backend" && !may_run_programs(by_)) std::erase_if(step.line.fields, left_out);
    if (step.row.keys != step.stored->keys && step.line.fields.empty()) step.line.fields.emplace_back("secret: replaced");
    step.line.change = step.line.fields.empty() ? PlanLine::Change::keep : PlanLine::Change::update;
}

void Plan::prune() {
    // The server's own tenant stays whole: the server could not renew its TLS certificate without.
    for (const auto& row : stored_.rows.at("endpoint"))
        if (servers_own("endpoint", row)) tenants_named_.erase(row.tenant_id);
    // Children before parents: the schema's order backwards.
    const auto all = kinds();
    for (auto kind = all.rbegin(); kind != all.rend(); ++kind) {
        for (const auto& row : stored_.rows.at(std::string(kind->name))) {
            if (!tenants_named_.contains(row.tenant_id) || kind->name == "tenant") continue;
            const auto named = std::any_of(steps_.begin(), steps_.end(), [&](const Step& s) { return s.stored == &row; });
            if (!named) remove(kind->name, row);
        }
    }
}

void Plan::remove(std::string_view kind, const store::ObjectRow& row) {
    if (kind == "backend" && !may_run_programs(by_))
        complain(Problem(ProblemKind::malformed, "pruning would remove backend " + row.name + ", which only the local administrator of the installation may"));
    for (const auto& s : steps_)
        if (s.wanted && s.row.tenant_id == row.tenant_id && refers_to(*s.wanted, kind, row.name))
            complain(at(*s.wanted, "refers to " + std::string(kind) + " " + row.name +
                                       ", which no document describes and pruning would remove"));
    Step step;
    step.stored = &row;
    step.line.change = PlanLine::Change::remove;
    step.line.kind = kind;
    const auto* tenant = stored_.find("tenant", row.tenant_id);
    step.line.name = (tenant ? tenant->name : std::to_string(row.tenant_id)) + "/" + row.name;
    steps_.push_back(std::move(step));
}

}  // namespace postern::ra::documents
