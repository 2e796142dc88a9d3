#include "core/json/reader.hpp"
#include "ra/access_codes.hpp"
#include "ra/documents/plan.hpp"

/// What documents must be together, whichever of them says it: looked at after all steps.
namespace postern::ra::documents {

namespace {

/// What no two objects of a kind may share, with the words for it.
std::vector<std::pair<std::string, std::string>> unique_keys(std::string_view kind, const store::ObjectRow& row) {
    std::vector<std::pair<std::string, std::string>> out;
    const auto text = [&](std::size_t i) {
        const auto* t = std::get_if<std::string>(&row.keys.at(i));
        return t ? *t : std::string();
    };
    if (kind == "endpoint") {
        out.emplace_back(text(0) + " " + row.name, "name: an endpoint named " + row.name + " exists already in this installation");
        const auto body = json::Document::parse(row.body);
        for (const auto& host : body ? body->root()["default_hosts"].items() : json::Value().items())
            if (const auto name = host.string()) out.emplace_back("host " + std::string(*name), "default_hosts: another endpoint of this installation answers for " + (*name == "*" ? std::string("any host") : std::string(*name)));
    }
    if (kind != "account") return out;
    if (const auto id = text(4); !id.empty()) out.emplace_back("kid " + id, "secret: the key id " + id + " is taken already in this installation");
    if (text(3) == "webhook")
        out.emplace_back("webhook " + std::to_string(std::get<std::int64_t>(row.keys.at(0))), "method: the endpoint has an account of method webhook already");
    if (text(3) == "open")
        out.emplace_back("open " + std::to_string(std::get<std::int64_t>(row.keys.at(0))), "method: the endpoint has an open account already");
    return out;
}

}  // namespace

std::map<std::int64_t, const store::ObjectRow*> Plan::rows_after(std::string_view kind) const {
    std::map<std::int64_t, const store::ObjectRow*> rows;
    for (const auto& row : stored_.rows.at(std::string(kind))) rows[row.id] = &row;
    for (const auto& step : steps_) {
        if (step.line.kind != kind) continue;
        if (step.wanted) rows[step.row.id] = &step.row;
        else rows.erase(step.stored->id);
    }
    return rows;
}

const Wanted* Plan::described(std::string_view kind, std::int64_t id) const {
    for (const auto& step : steps_)
        if (step.wanted && step.line.kind == kind && step.row.id == id) return step.wanted;
    return nullptr;
}

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
        return method && (*method == "access_code" || *method == "basic" || *method == "certificate") && std::holds_alternative<core::Bytes>(row.keys.at(5));
    };
    std::map<std::int64_t, std::size_t> count;  // by endpoint
    for (const auto& [id, account] : rows_after("account"))
        if (chosen(*account)) ++count[std::get<std::int64_t>(account->keys.at(0))];
    for (const auto& step : steps_) {
        if (step.line.kind != "account" || !step.wanted || !chosen(step.row) || step.line.change == PlanLine::Change::keep) continue;
        if (count[std::get<std::int64_t>(step.row.keys.at(0))] > most_chosen_codes)
            complain(at(*step.wanted, step.wanted->display() + ": secret: an endpoint has at most " + std::to_string(most_chosen_codes) +
                                          " secrets that people chose; have them drawn: {generate = true}"));
    }
}

void Plan::check_departments() {
    const auto departments = rows_after("department"), accounts = rows_after("account");
    for (const auto& [id, account] : accounts) {
        const auto* department_id = std::get_if<std::int64_t>(&account->keys.at(2));
        const auto found = department_id ? departments.find(*department_id) : departments.end();
        if (found == departments.end() || found->second->keys.at(0) == account->keys.at(1)) continue;
        const auto& department = *found->second;
        if (const auto* w = described("account", id))
            complain(at(*w, w->display() + ": department: " + department.name + " is no department of the account's organization"));
        else if (const auto* d = described("department", department.id))
            complain(at(*d, d->display() + ": organization: account " + account->name + " names this department and has another organization"));
    }
}

}  // namespace postern::ra::documents
