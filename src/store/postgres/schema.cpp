#include "store/postgres/schema.hpp"

#include <charconv>

#include "store/postgres/migrate.hpp"
#include "store/postgres/session.hpp"

namespace postern::store {

SchemaState postgres_schema(const PostgresSettings& settings) {
    postgres::Session session(settings);
    SchemaState out;
    out.known = postgres_migrations();
    // It knows whose database this is, and what was changed.
    if (postgres::missing(session.handle(), session.place(), out.known).size() == out.known.size()) return out;
    const auto number = [](const std::string& text) {
        std::int64_t value = 0;
        std::from_chars(text.data(), text.data() + text.size(), value);
        return value;
    };
    for (const auto& row : session.run("SELECT applied_ms FROM schema_migration WHERE number > 0 ORDER BY number"))
        out.applied.push_back(core::from_ms(number(row[0])));
    return out;
}

}  // namespace postern::store
