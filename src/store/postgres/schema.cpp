#include "store/postgres/schema.hpp"

#include <charconv>

#include "store/postgres/session.hpp"

namespace postern::store {

SchemaState postgres_schema(const PostgresSettings& settings) {
    postgres::Session session(settings);
    SchemaState out;
    out.known = postgres_migrations();
    if (session.run("SELECT to_regclass('schema_migration')").at(0).at(0).empty()) return out;
    const auto number = [](const std::string& text) {
        std::int64_t value = 0;
        std::from_chars(text.data(), text.data() + text.size(), value);
        return value;
    };
    Rows applied;
    for (const auto& row : session.run("SELECT number, name, checksum, applied_ms FROM schema_migration ORDER BY number")) {
        auto columns = values(number(row[0]), row[1], row[2], number(row[3]));
        applied.emplace_back(std::move(columns));
    }
    check_applied(applied, session.place(), out.known);
    for (const auto& row : applied) out.applied.push_back(row.time(3));
    return out;
}

}  // namespace postern::store
