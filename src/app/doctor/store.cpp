#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/doctor/catalog.hpp"
#include "app/store.hpp"
#include "ra/laboratory.hpp"
#include "ra/restoration.hpp"
#include "store/tables/audit.hpp"
#include "store/tables/authority.hpp"
#include "store/tables/enrollment.hpp"
#include "store/tables/open_account.hpp"

namespace postern::app::doctor {

namespace {

constexpr std::uintmax_t log_most = std::uintmax_t{128} * 1024 * 1024;
constexpr auto intent_age = std::chrono::minutes(10);  // beyond the sweeper's own patience
constexpr double clock_tolerance = 5;  // seconds

void examine_schema(Patient& p, const store::SchemaState& schema) {
    auto found = "schema " + std::to_string(schema.applied.size());
    if (schema.newer()) found += ", which a later version made; this one knows " + std::to_string(schema.known.size()) + " and may run on it";
    const bool old = !schema.applied.empty() && !schema.missing().empty();
    p.findings.judge("store.schema", old ? found + " of " + std::to_string(schema.known.size()) + ": " + store::file_name(schema.missing().front()) + " is missing" : "", found,
                     "make a backup, then run `postern migrate`: this version does not start before");
}

void examine_file(Patient& p) {
    const auto state = p.file->look(!p.options.quick);
    std::string damage;
    for (const auto& line : state.damage) damage += (damage.empty() ? "" : "; ") + line;
    p.findings.judge("store.integrity", damage, "every page is sound", "stop the server and restore the newest backup; keep the damaged file for an enquiry");
    p.findings.judge("store.references", state.orphans == 0 ? "" : std::to_string(state.orphans) + " rows refer to others that are gone",
                     "every reference leads somewhere", "somebody edited the file: restore a backup from before");
    examine_schema(p, p.file->schema());
    p.findings.judge("store.journal", state.journal_mode == "wal" ? "" : "the journal mode is " + state.journal_mode, "write-ahead log",
                     "another program changed the file; stop it, and start the server, which sets the mode again");
}

void examine_log(Patient& p) {
    std::error_code none;
    const auto octets = std::filesystem::file_size(store_path(p.config) + "-wal", none);
    const bool large = !none && octets > log_most;
    p.findings.judge("store.log", large ? "the write-ahead log has " + std::to_string(octets / (1024 * 1024)) + " MiB" : "", "the write-ahead log is short",
                     "another program holds the database open for reading; end it, or restart the server");
}

/// An installation that was restored issues nothing until somebody says which CRLs were the last.
void examine_restoration(Patient& p) {
    const auto since = core::run_to_end(ra::restored_and_closed(p.db()));
    p.closed = since.has_value();
    p.findings.judge("store.restored", !p.closed               ? ""
                     : since->lost.empty() ? "restored from the backup of " + core::rfc3339(since->since) + ", and closed: nothing is issued, no CRL is published"
                                           : "closed, for the database lost commits: " + since->lost + ". Nothing is issued, no CRL is signed",
                     "not closed by a restore or by lost commits",
                     std::string(p.server ? "" : "start the server, then ") + "postern restore open --data " + p.config.data + " --crl FILE for the last CRL that each CA published, or --no-crl-published-since");
}

void examine_intents(Patient& p) {
    // A running server works on young ones.
    const auto before = p.server ? p.clock.now() - intent_age : core::TimePoint::max();
    std::size_t open = 0;
    for (std::int64_t after = 0;;) {
        const auto rows = p.read(store::enrollment_unsettled, store::values(after, before));
        if (rows.empty()) break;
        after = rows.back().integer(0);
        open += rows.size();
    }
    p.findings.judge("store.intents", open == 0 ? "" : std::to_string(open) + " issuances were begun and have no outcome", "every issuance has its outcome",
                     p.server ? "the log says why the sweeper leaves them (enrollment_left_unsettled); with the cause gone, it settles them by itself" : "start the server: it settles them");
}

void examine_open_endpoints(Patient& p) {
    std::string open;
    for (const auto& row : p.read(store::account_open_devices)) open += (open.empty() ? "" : ", ") + row.text(1) + " (account " + row.text(0) + "/" + row.text(2) + ")";
    if (open.empty()) return p.findings.good("store.open_endpoints", "every SCEP and EST endpoint asks for a credential");
    p.findings.notice("store.open_endpoints", "everybody who reaches them enrolls at these SCEP and EST endpoints: " + open,
                      "for a private laboratory only; give the account method one_time, access_code (SCEP), basic or certificate (EST)");
}

/// Time must not run backwards: what is stored lies in the past.
void examine_stored_time(Patient& p) {
    auto newest = core::TimePoint{};
    const auto rows = p.read(store::audit_newest);
    if (!rows.empty()) newest = rows.front().time(0);
    for (const auto& raw : p.read(store::authority_all)) newest = std::max(newest, store::AuthorityRow::from(raw).created);
    const auto ahead = std::chrono::duration<double>(newest - p.clock.now()).count();
    p.findings.judge("clock.store", ahead > clock_tolerance ? "the store has a record of " + core::rfc3339(newest) + ", later than this clock says" : "",
                     "no record is from the future", "set the clock (chrony, systemd-timesyncd): certificates would begin in the past of others");
}

/// What a laboratory dated is in the future of every other clock, and examined by its own.
void examine_laboratory(Patient& p) {
    const auto ahead = core::run_to_end(ra::laboratory_ahead(p.db()));
    if (!p.clock.raise_to(ahead)) return;
    p.findings.notice("clock.laboratory", "the clock of this installation was set " + core::format_duration(ahead) + " forward (postern clock advance)",
                      "it is a laboratory's for good: real clients refuse what it issues, and it starts with --lab only");
}

/// When the server began: by the wall clock then (its lock file), and counted back by the clock that
/// nobody sets (/proc). They part when the wall clock is set meanwhile.
void examine_steps(Patient& p) {
    if (!p.server || *p.server == 0) return;
    struct stat about {};
    std::ifstream in("/proc/" + std::to_string(*p.server) + "/stat");
    std::stringstream text;
    text << in.rdbuf();
    const auto all = text.str();
    const auto after_name = all.rfind(')');
    if (after_name == std::string::npos || ::stat(p.path("lock").c_str(), &about) != 0) return;
    std::istringstream fields(all.substr(after_name + 2));
    std::string field;
    for (int i = 3; i <= 22 && fields >> field; ++i) {}  // proc(5): field 22, in ticks since boot
    timespec boot {}, wall {};
    ::clock_gettime(CLOCK_BOOTTIME, &boot);
    ::clock_gettime(CLOCK_REALTIME, &wall);
    const auto seconds = [](const timespec& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9; };
    const double age = seconds(boot) - std::strtod(field.c_str(), nullptr) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    const double step = seconds(wall) - age - seconds(about.st_mtim);
    const bool stepped = std::abs(step) > clock_tolerance;
    p.findings.judge("clock.steps", stepped ? "the wall clock was set by " + std::to_string(std::lround(step)) + " s since the server began" : "",
                     "the wall clock ran evenly since the server began", "let chrony or systemd-timesyncd slew it; restart the server if it was wrong before");
}

/// A store that no server starts on, whatever else is right with it.
void examine_copy(Patient& p) {
    const auto unfinished = p.setting(store::copy_unfinished), moved = p.setting(store::copy_moved), leaving = p.setting(store::copy_leaving);
    if (!moved.empty())
        return p.findings.failed("store.copy", shown_store(p.config) + " was moved: " + moved, "name that store in [store] url; this one is kept closed");
    if (!leaving.empty())
        return p.findings.failed("store.copy", "a copy of this store has not ended: " + leaving,
                                 "wait for its end; if it was killed, begin it anew, or start the server on that data folder first");
    p.findings.judge("store.copy", unfinished.empty() ? "" : "a copy into this store did not end: " + unfinished, "no copy was left half done",
                     "begin `postern copy` anew; it empties the target first");
}

void open_file(Patient& p) {
    const auto path = store_path(p.config);
    examine_log(p);
    if (!std::filesystem::exists(path)) throw std::runtime_error("the database " + path + " does not exist");
    p.file = std::make_unique<store::SqliteExamination>(path, p.server.has_value());
    p.database = &p.file->database();
    examine_file(p);
}

/// Never migrates: a schema that is not whole is not read.
void open_remote(Patient& p) {
    examine_postgres_server(p);
    const auto schema = look_at_schema(p.config, p.server.has_value());
    examine_schema(p, schema);
    if (!schema.missing().empty()) return;
    auto config = p.config;
    config.store_connections = 2;
    p.remote = open_store(config, p.clock, p.metrics);
    p.database = p.remote.get();
}

}  // namespace

void examine_store(Patient& p) {
    try {
        if (is_postgres(p.config)) open_remote(p);
        else open_file(p);
        if (p.database == nullptr) return;
        examine_copy(p);
        examine_laboratory(p);
        examine_restoration(p);
        examine_intents(p);
        examine_open_endpoints(p);
        examine_binding(p);
        examine_stored_time(p);
        examine_steps(p);
    } catch (const std::runtime_error& e) {
        p.findings.failed("store.readable", e.what(),
                          is_postgres(p.config) ? "see that the database server runs, that this machine may connect, and that [store] names the right one"
                                                : "restore the newest backup, or name the right file with --store");
        p.database = nullptr;
    }
}

}  // namespace postern::app::doctor
