#include "store/postgres/open.hpp"

#include "store/postgres/migrate.hpp"
#include "store/postgres/postgres_database.hpp"

namespace postern::store {

namespace {

void check(const PostgresSettings& settings) {
    if (settings.connections < 2) throw std::runtime_error("the store needs 2 connections at least, one for reads and one for writes");
}

postgres::Handle connect(const PostgresSettings& settings, const postgres::Target& target) {
    std::size_t first = 0;
    return postgres::connect_any(target, first, settings.connect_deadline, {});
}

void require_all(const std::vector<std::string>& missing, const std::string& place) {
    if (missing.empty()) return;
    std::string names;
    for (const auto& name : missing) names += (names.empty() ? "" : ", ") + name;
    throw std::runtime_error(place + " lacks " + names + "; run `postern migrate` first");
}

}  // namespace

std::unique_ptr<Database> open_postgres(const PostgresSettings& settings, const core::Clock& clock, observe::Metrics& metrics,
                                        std::span<const Migration> migrations) {
    check(settings);
    postgres::Target target(settings.url);
    {
        const postgres::Handle handle = connect(settings, target);
        if (settings.missing == MissingMigrations::apply) postgres::migrate(handle.get(), target.text(), clock, migrations);
        else require_all(postgres::missing(handle.get(), target.text(), migrations), target.text());
    }
    return std::make_unique<postgres::PostgresDatabase>(settings, std::move(target), metrics);
}

std::unique_ptr<Database> open_postgres(const PostgresSettings& settings, const core::Clock& clock, observe::Metrics& metrics) {
    return open_postgres(settings, clock, metrics, postgres_migrations());
}

std::vector<std::string> missing_postgres_migrations(const PostgresSettings& settings) {
    const postgres::Target target(settings.url);
    const postgres::Handle handle = connect(settings, target);
    return postgres::missing(handle.get(), target.text(), postgres_migrations());
}

std::string describe_postgres(const std::string& url) { return postgres::Target(url).text(); }

}  // namespace postern::store
