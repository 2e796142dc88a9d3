#include "ra/documents/plan.hpp"

#include <algorithm>
#include <functional>

#include "core/base/encoding.hpp"
#include "core/json/reader.hpp"
#include "ra/access_codes.hpp"
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

/// What clients send as kid, and people paste after an option.
bool good_key_id(std::string_view id) {
    return !id.empty() && id.size() <= 100 && id.front() != '-' && std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 0x7f; });
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

namespace {

/// What proves that an account may be used belongs to one protocol.
Result<void> fits_endpoint(const Wanted& w, std::string_view method, std::string_view protocol) {
    const bool scep = method == "access_code" || method == "one_time" || method == "webhook" || method == "intune";
    const std::string_view own = method == "eab" ? "acme" : method == "basic" ? "est" : scep ? "scep" : protocol;
    if (own == protocol) return {};
    return at(w, "method: " + std::string(method) + " is for endpoints of protocol " + std::string(own) + ", and this one speaks " + std::string(protocol));
}

/// 130 bits in letters and digits that every string type of a challengePassword and every keyboard has.
core::SecretText draw_access_code(core::Random& random) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    constexpr std::size_t length = 26;
    const auto octets = random.bytes(length);
    std::string code;
    for (const auto octet : octets) code += letters[octet % letters.size()];
    return core::SecretText(std::move(code));
}

}  // namespace

/// public_id and sealed secret follow the schema's columns; kept unless the document says otherwise.
Result<void> Plan::settle_secret(const Wanted& w, Step& step) {
    const auto& method = w.columns.at("method");
    const auto endpoint = std::get<std::int64_t>(step.row.keys.at(0));
    if (const auto fits = fits_endpoint(w, method, endpoint_protocol(endpoint)); !fits) return fits;
    if (method == "access_code" || method == "basic") return settle_access_code(w, step);
    if (method == "webhook") return settle_webhook(w, step);
    store::Value public_id = step.stored ? step.stored->keys.at(4) : store::Value(std::monostate{});
    store::Value sealed = step.stored ? step.stored->keys.at(5) : store::Value(std::monostate{});
    const bool has_secret = std::holds_alternative<core::Bytes>(sealed);
    const auto context = account_secret_context(core::AccountId(step.row.id));
    if (w.secret == SecretWish::generate && !has_secret && !options_.dry_run) {
        GeneratedSecret shown;
        shown.account = w.display();
        // Command lines take a word that begins with a hyphen for an option.
        do shown.key_id = deps_.random.token();
        while (shown.key_id.starts_with('-'));
        core::SecretBytes key;
        do {
            key = core::SecretBytes(deps_.random.bytes(32));
            shown.mac_key = core::SecretText(core::base64url(key.expose()));
        } while (shown.mac_key.expose().starts_with('-'));
        public_id = shown.key_id;
        sealed = deps_.sealer.seal(account_secret_label, context, key.expose());
        secrets_.push_back(std::move(shown));
    } else if (w.secret == SecretWish::given) {
        const auto key = core::from_base64url(w.secret_value.expose());
        if (!key || key->size() < 16) return at(w, "secret: expected at least 16 octets as base64url");
        if (!good_key_id(w.key_id)) return at(w, "secret: key_id: expected 1 to 100 visible ASCII characters, the first no hyphen");
        const auto held = has_secret ? deps_.sealer.open(account_secret_label, context, std::get<core::Bytes>(sealed)) : std::nullopt;
        if (!held || held->expose() != *key) sealed = deps_.sealer.seal(account_secret_label, context, *key);
        public_id = w.key_id;
    } else if (w.secret == SecretWish::keep && !has_secret) {
        return at(w, "secret is missing: the account has none to keep; use {generate = true}");
    }
    step.row.keys.push_back(std::move(public_id));
    step.row.keys.push_back(std::move(sealed));
    return {};
}

std::string Plan::endpoint_protocol(std::int64_t id) const {
    for (const auto& step : steps_)
        if (step.wanted && step.line.kind == "endpoint" && step.row.id == id) return std::get<std::string>(step.row.keys.at(0));
    const auto* row = stored_.find("endpoint", id);
    return row ? std::get<std::string>(row->keys.at(0)) : std::string();
}

namespace {

std::string user_of(const Wanted& w) {
    const auto body = json::Document::parse(w.body);
    const auto user = body->root()["user"].string();
    return user ? std::string(*user) : w.name;
}

}  // namespace

/// A drawn code is looked up by its hash (access_codes.hpp) and shown once: nobody can read it again.
Result<void> Plan::settle_access_code(const Wanted& w, Step& step) {
    store::Value public_id = step.stored ? step.stored->keys.at(4) : store::Value(std::monostate{});
    store::Value sealed = step.stored ? step.stored->keys.at(5) : store::Value(std::monostate{});
    const bool has_code = std::holds_alternative<std::string>(public_id) || std::holds_alternative<core::Bytes>(sealed);
    if (w.secret == SecretWish::given) {
        if (const auto why = why_no_access_code(w.secret_value.expose()); !why.empty()) return at(w, "secret: " + why + "; or have one drawn: {generate = true}");
        public_id = std::monostate{};  // the rest is settle_chosen_code's
    } else if (w.secret == SecretWish::generate && !has_code && !options_.dry_run) {
        GeneratedSecret shown;
        shown.account = w.display();
        const core::EndpointId endpoint(std::get<std::int64_t>(step.row.keys.at(0)));
        auto code = draw_access_code(deps_.random);
        if (w.columns.at("method") == "basic") {
            shown.user = user_of(w);
            public_id = password_id(deps_.sealer, endpoint, shown.user, code.expose());
            shown.password = std::move(code);
        } else {
            public_id = access_code_id(deps_.sealer, endpoint, code.expose());
            shown.access_code = std::move(code);
        }
        secrets_.push_back(std::move(shown));
    } else if (w.secret == SecretWish::keep && !has_code) {
        return at(w, "secret is missing: the account has none to keep; use {generate = true}");
    }
    step.row.keys.push_back(std::move(public_id));
    step.row.keys.push_back(std::move(sealed));
    return {};
}

core::Task<Result<void>> Plan::settle_chosen_code(const Wanted& w, Step& step) {
    const auto& method = w.columns.at("method");
    if ((method != "access_code" && method != "basic") || w.secret != SecretWish::given) co_return Result<void>();
    const core::AccountId id(step.row.id);
    const auto* held = std::get_if<core::Bytes>(&step.row.keys.at(5));
    const auto work = [&] {
        const auto& code = w.secret_value.expose();
        if (held != nullptr && is_chosen_code(deps_.sealer, id, *held, code)) return *held;
        return seal_chosen_code(deps_.sealer, id, code, deps_.random);
    };
    Result<core::Bytes> sealed = core::Bytes();
    if (deps_.pool == nullptr)
        sealed = work();
    else
        sealed = co_await deps_.pool->run(work);
    if (!sealed) co_return at(w, sealed.error().detail);
    step.row.keys.at(5) = std::move(*sealed);
    co_return Result<void>();
}

/// Recoverable: it signs. As the receivers of step-ca's webhooks have it, base64 of what is the key.
Result<void> Plan::settle_webhook(const Wanted& w, Step& step) {
    store::Value sealed = step.stored ? step.stored->keys.at(5) : store::Value(std::monostate{});
    const bool has_secret = std::holds_alternative<core::Bytes>(sealed);
    const auto context = account_secret_context(core::AccountId(step.row.id));
    if (w.secret == SecretWish::generate && !has_secret && !options_.dry_run) {
        const core::SecretBytes key(deps_.random.bytes(32));
        GeneratedSecret shown;
        shown.account = w.display();
        shown.webhook_secret = core::SecretText(core::base64(key.expose()));
        sealed = deps_.sealer.seal(account_secret_label, context, key.expose());
        secrets_.push_back(std::move(shown));
    } else if (w.secret == SecretWish::given) {
        const auto key = core::from_base64(w.secret_value.expose());
        if (!key || key->size() < 16) return at(w, "secret: expected at least 16 octets as base64");
        const auto held = has_secret ? deps_.sealer.open(account_secret_label, context, std::get<core::Bytes>(sealed)) : std::nullopt;
        if (!held || held->expose() != *key) sealed = deps_.sealer.seal(account_secret_label, context, *key);
    } else if (w.secret == SecretWish::keep && !has_secret) {
        return at(w, "secret is missing: the account has none to keep; use {generate = true}");
    }
    step.row.keys.emplace_back(std::monostate{});
    step.row.keys.push_back(std::move(sealed));
    return {};
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

namespace {

/// What no two objects of a kind may share, with the words for it.
std::vector<std::pair<std::string, std::string>> unique_keys(std::string_view kind, const store::ObjectRow& row) {
    std::vector<std::pair<std::string, std::string>> out;
    const auto text = [&](std::size_t i) {
        const auto* t = std::get_if<std::string>(&row.keys.at(i));
        return t ? *t : std::string();
    };
    if (kind == "endpoint") out.emplace_back(text(0) + " " + row.name, "name: an endpoint named " + row.name + " exists already in this installation");
    if (kind != "account") return out;
    if (const auto id = text(4); !id.empty()) out.emplace_back("kid " + id, "secret: the key id " + id + " is taken already in this installation");
    if (text(3) == "webhook")
        out.emplace_back("webhook " + std::to_string(std::get<std::int64_t>(row.keys.at(0))), "method: the endpoint has an account of method webhook already");
    if (text(3) == "open")
        out.emplace_back("open " + std::to_string(std::get<std::int64_t>(row.keys.at(0))), "method: the endpoint has an open account already");
    return out;
}

}  // namespace

void Plan::check_whole() {
    // In the order in which the batch is written: a key is free once its holder gave it up.
    for (const std::string_view kind : {"endpoint", "account"}) {
        std::map<std::string, std::int64_t> holders;
        for (const auto& row : stored_.rows.at(std::string(kind)))
            for (const auto& [key, words] : unique_keys(kind, row)) holders[key] = row.id;
        for (const auto& step : steps_) {
            if (step.line.kind != kind) continue;
            if (step.stored)
                for (const auto& [key, words] : unique_keys(kind, *step.stored)) holders.erase(key);
            if (!step.wanted) continue;
            for (const auto& [key, words] : unique_keys(kind, step.row))
                if (!holders.emplace(key, step.row.id).second) complain(at(*step.wanted, words));
        }
    }
    check_departments();
    check_intune();
    check_challenge_accounts();
    check_registration_authorities();
}

/// Every wrong challenge is hashed for each chosen code of its endpoint.
void Plan::check_challenge_accounts() {
    const auto chosen = [](const store::ObjectRow& row) {
        const auto* method = std::get_if<std::string>(&row.keys.at(3));
        return method && (*method == "access_code" || *method == "basic") && std::holds_alternative<core::Bytes>(row.keys.at(5));
    };
    std::map<std::int64_t, std::int64_t> endpoint_of;  // account -> endpoint
    for (const auto& row : stored_.rows.at("account"))
        if (chosen(row)) endpoint_of[row.id] = std::get<std::int64_t>(row.keys.at(0));
    for (const auto& step : steps_) {
        if (step.line.kind != "account") continue;
        if (step.stored) endpoint_of.erase(step.stored->id);
        if (step.wanted && chosen(step.row)) endpoint_of[step.row.id] = std::get<std::int64_t>(step.row.keys.at(0));
    }
    std::map<std::int64_t, std::size_t> count;
    for (const auto& [account, endpoint] : endpoint_of) ++count[endpoint];
    for (const auto& step : steps_) {
        if (step.line.kind != "account" || !step.wanted || !chosen(step.row) || step.line.change == PlanLine::Change::keep) continue;
        if (count[std::get<std::int64_t>(step.row.keys.at(0))] > most_chosen_codes)
            complain(at(*step.wanted, step.wanted->display() + ": secret: an endpoint has at most " + std::to_string(most_chosen_codes) +
                                          " secrets that people chose; have them drawn: {generate = true}"));
    }
}

void Plan::check_departments() {
    std::map<std::int64_t, const store::ObjectRow*> departments, accounts;
    std::map<std::int64_t, const Wanted*> described;
    const auto gather = [&](std::string_view kind, auto& into) {
        for (const auto& row : stored_.rows.at(std::string(kind))) into[row.id] = &row;
        for (const auto& step : steps_) {
            if (step.line.kind != kind) continue;
            if (!step.wanted) {
                into.erase(step.stored->id);
            } else {
                into[step.row.id] = &step.row;
                described[step.row.id] = step.wanted;
            }
        }
    };
    gather("department", departments);
    const auto described_departments = std::exchange(described, {});
    gather("account", accounts);
    for (const auto& [id, account] : accounts) {
        const auto* department_id = std::get_if<std::int64_t>(&account->keys.at(2));
        const auto found = department_id ? departments.find(*department_id) : departments.end();
        if (found == departments.end() || found->second->keys.at(0) == account->keys.at(1)) continue;
        const auto& department = *found->second;
        if (const auto w = described.find(id); w != described.end())
            complain(at(*w->second, w->second->display() + ": department: " + department.name + " is no department of the account's organization"));
        else if (const auto d = described_departments.find(department.id); d != described_departments.end())
            complain(at(*d->second, d->second->display() + ": organization: account " + account->name + " names this department and has another organization"));
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
