#include <cmath>

#include "app/doctor/doctor.hpp"
#include "app/store.hpp"
#include "store/postgres/examine.hpp"

namespace postern::app::doctor {

namespace {

constexpr int least_version = 130000;
constexpr double clock_tolerance = 5;  // seconds, as between clock and store
constexpr std::int64_t long_transaction_s = 3600;
constexpr std::int64_t wraparound_margin = 500'000'000;

void examine_durability(Patient& p, const store::PostgresState& s) {
    std::string wrong;
    const auto add = [&](const std::string& what) { wrong += (wrong.empty() ? "" : "; ") + what; };
    if (!s.fsync) add("fsync is off: a crash of the machine may destroy the database");
    if (!s.full_page_writes) add("full_page_writes is off: a crash of the machine may tear pages");
    if (s.synchronous_commit == "off") add("synchronous_commit is off: what Postern acknowledged may be lost");
    p.findings.judge("store.durability", wrong, "fsync, full_page_writes and synchronous_commit (" + s.synchronous_commit + ") keep what was acknowledged",
                     "set them on in postgresql.conf, and see that neither the role nor the database has settings of its own (ALTER ROLE, ALTER DATABASE)");
}

void examine_connections(Patient& p, const store::PostgresState& s) {
    const auto own = static_cast<int>(p.config.store_connections);
    const int usable = s.max_connections - s.reserved;
    const int left = usable - s.used;
    const auto budget = std::to_string(s.used) + " of " + std::to_string(usable) + " connections are in use, this node's share is " + std::to_string(own);
    std::string wrong;
    if (own > usable) wrong = "[store] connections = " + std::to_string(own) + ", but the server takes " + std::to_string(usable) + " at all";
    else if (s.role_limit >= 0 && own > s.role_limit) wrong = "[store] connections = " + std::to_string(own) + ", but the role may have " + std::to_string(s.role_limit);
    else if (!p.server && left < own) wrong = budget + ": too few are left for this node's start";
    p.findings.judge("store.connections", wrong, budget, "raise max_connections (or the role's CONNECTION LIMIT), or lower [store] connections: nodes times connections must fit, with some to spare");
}

void examine_way(Patient& p, const store::PostgresState& s) {
    p.findings.judge("store.tls", s.tls || s.near ? "" : "the connection to " + s.place + " is not encrypted", s.tls ? "the connection is encrypted" : "the connection does not leave this machine",
                     "add sslmode=verify-full and sslrootcert=FILE to [store] url; whoever reads along sees sealed keys and requests");
    if (s.tls && !s.near && p.config.store_url.find("sslmode=verify-full") == std::string::npos)
        p.findings.notice("store.server_identity", "the server's certificate is not checked against its name", "add sslmode=verify-full and sslrootcert=FILE to [store] url");
    if (holds_password(p.config.store_url))
        p.findings.notice("store.password", "the URL in the configuration holds the password", "put it into a file (0600) that [store] password_file names");
}

void examine_clock(Patient& p, const store::PostgresState& s) {
    const double seconds = std::chrono::duration<double>(s.ahead).count();
    const bool apart = std::abs(seconds) > clock_tolerance + std::chrono::duration<double>(s.round_trip).count() / 2;
    p.findings.judge("clock.database", apart ? "the database's clock is " + std::to_string(std::lround(seconds)) + " s before this machine's" : "",
                     "the database's clock agrees with this machine's", "have chrony or systemd-timesyncd keep both clocks");
}

void examine_upkeep(Patient& p, const store::PostgresState& s) {
    std::string wrong;
    if (s.transactions_to_wraparound < wraparound_margin) wrong = "only " + std::to_string(s.transactions_to_wraparound) + " transactions are left before wraparound";
    p.findings.judge("store.vacuum", wrong, std::to_string(s.transactions_to_wraparound / 1'000'000) + " million transactions are left before wraparound",
                     "see that autovacuum runs and that nothing holds it up (pg_stat_activity, pg_prepared_xacts, pg_replication_slots)");
    if (s.oldest_transaction_s > long_transaction_s)
        p.findings.notice("store.transactions", "a session has had one transaction open for " + std::to_string(s.oldest_transaction_s / 60) + " minutes: it keeps vacuum from its work",
                          "find it in pg_stat_activity (xact_start) and end it");
}

}  // namespace

void examine_postgres_server(Patient& p) {
    const auto s = store::examine_postgres(postgres_settings(p.config), p.clock);
    p.findings.judge("store.version", s.version < least_version ? "PostgreSQL " + s.version_text + " is older than 13" : "", "PostgreSQL " + s.version_text + " at " + s.place,
                     "upgrade the database server; Postern is tested with 15");
    p.findings.judge("store.role", s.superuser ? "Postern's role is a superuser" : "", "the role is no superuser",
                     "make a role that owns the database and nothing else (docs/postgresql.md): whoever takes Postern over would have the whole server");
    examine_durability(p, s);
    examine_connections(p, s);
    examine_way(p, s);
    examine_clock(p, s);
    examine_upkeep(p, s);
}

}  // namespace postern::app::doctor
