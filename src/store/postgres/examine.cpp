#include "store/postgres/examine.hpp"

#include <charconv>

#include "store/postgres/session.hpp"

namespace postern::store {

namespace {

std::int64_t number(const std::string& text) {
    std::int64_t out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
}

}  // namespace

PostgresState examine_postgres(const PostgresSettings& settings, const core::Clock& clock) {
    postgres::Session session(settings);
    const auto one = [&](const std::string& sql) { return session.run("SELECT " + sql).at(0); };
    PostgresState out;
    out.place = session.place();
    out.version = PQserverVersion(session.handle());
    const auto setting = [&](const char* name) { return one("current_setting('" + std::string(name) + "')").at(0); };
    out.version_text = setting("server_version");
    out.fsync = setting("fsync") == "on";
    out.full_page_writes = setting("full_page_writes") == "on";
    out.synchronous_commit = setting("synchronous_commit");
    out.max_connections = static_cast<int>(number(setting("max_connections")));
    out.reserved = static_cast<int>(number(setting("superuser_reserved_connections")));
    const auto about = one("age(datfrozenxid), (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') "
                           "FROM pg_database WHERE datname = current_database()");
    out.transactions_to_wraparound = 2'147'483'648 - number(about.at(0));
    out.used = static_cast<int>(number(about.at(1)));
    const auto role = one("rolsuper, rolconnlimit FROM pg_roles WHERE rolname = current_user");
    out.superuser = role.at(0) == "t";
    out.role_limit = static_cast<int>(number(role.at(1)));
    out.tls = PQsslInUse(session.handle()) != 0;
    const std::string_view host = PQhost(session.handle());
    out.near = host.empty() || host.starts_with('/') || host == "localhost" || host == "127.0.0.1" || host == "::1";
    out.oldest_transaction_s = number(one("coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::bigint FROM pg_stat_activity "
                                          "WHERE datname = current_database() AND pid <> pg_backend_pid()").at(0));
    const auto before = std::chrono::steady_clock::now();
    const auto wall = clock.now();
    const auto server = core::from_ms(number(one("(extract(epoch FROM clock_timestamp()) * 1000)::bigint").at(0)));
    out.round_trip = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - before);
    out.ahead = server - (wall + out.round_trip / 2);
    return out;
}

}  // namespace postern::store
