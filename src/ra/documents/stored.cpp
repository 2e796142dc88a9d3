#include "ra/documents/stored.hpp"

#include <algorithm>
#include <array>

namespace postern::ra::documents {

const store::ObjectStatements& statements_of(std::string_view kind) {
    static constexpr std::array all{&store::tenant_statements, &store::organization_statements, &store::department_statements,
                                    &store::domain_statements, &store::backend_statements,     &store::profile_statements,      &store::endpoint_statements,
                                    &store::azure_account_statements, &store::account_statements};
    for (const auto* s : all)
        if (s->kind == kind) return *s;
    throw std::logic_error("no statements for kind " + std::string(kind));
}

const store::ObjectRow* Stored::find(std::string_view kind, std::int64_t tenant_id, std::string_view name) const {
    const auto of_kind = rows.find(kind);
    if (of_kind == rows.end()) return nullptr;
    for (const auto& row : of_kind->second)
        if (row.tenant_id == tenant_id && row.name == name) return &row;
    return nullptr;
}

const store::ObjectRow* Stored::find(std::string_view kind, std::int64_t id) const {
    const auto of_kind = rows.find(kind);
    if (of_kind == rows.end()) return nullptr;
    // Rows were read in the order of their ids.
    const auto& list = of_kind->second;
    const auto it = std::lower_bound(list.begin(), list.end(), id, [](const store::ObjectRow& r, std::int64_t i) { return r.id < i; });
    return it != list.end() && it->id == id ? &*it : nullptr;
}

const store::ObjectRow* Stored::tenant(std::string_view name) const {
    const auto of_kind = rows.find("tenant");
    if (of_kind == rows.end()) return nullptr;
    for (const auto& row : of_kind->second)
        if (row.name == name) return &row;
    return nullptr;
}

core::Task<Stored> load_stored(store::Database& db) {
    Stored stored;
    auto none = store::values();
    const auto version = co_await store::read_one(db, store::configuration_version, std::move(none));
    stored.configuration = version.value().integer(0);
    for (const auto& kind : kinds()) {
        auto& list = stored.rows[std::string(kind.name)];
        const auto& statements = statements_of(kind.name);
        for (;;) {
            auto after = store::values(list.empty() ? std::int64_t{0} : list.back().id);
            const auto page = co_await db.read(statements.all, std::move(after));
            for (const auto& row : page) list.push_back(store::ObjectRow::from(row));
            if (page.size() < 500) break;
        }
    }
    co_return stored;
}

std::map<std::string, std::string> columns_of(const Kind& kind, const store::ObjectRow& row, const Stored& stored) {
    std::map<std::string, std::string> out;
    std::size_t i = 0;
    for (const auto& key : kind.keys) {
        if (!key.column) continue;
        const auto& value = row.keys.at(i++);
        if (const auto* text = std::get_if<std::string>(&value)) out[std::string(key.name)] = *text;
        if (const auto* id = std::get_if<std::int64_t>(&value))
            if (const auto* referred = stored.find(key.refers_to, *id)) out[std::string(key.name)] = referred->name;
    }
    return out;
}

}  // namespace postern::ra::documents
