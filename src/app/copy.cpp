#include "app/copy.hpp"

#include <filesystem>

#include "app/data_folder.hpp"
#include "app/fleet.hpp"
#include "app/store.hpp"
#include "core/async/deadline.hpp"
#include "core/crypto/system_random.hpp"
#include "core/json/writer.hpp"
#include "ra/audit.hpp"
#include "store/numbers.hpp"
#include "store/tables/setting.hpp"

namespace postern::app {

namespace {

/// This version may run on it, but does not know all that is in it.
void refuse_newer(const Config& config, const store::SchemaState& schema) {
    if (schema.newer()) throw std::runtime_error(shown_store(config) + " has the schema of a newer Postern; only equal schemas are copied: use that version's `postern copy`");
}

void require_source(const Config& from) {
    const auto schema = look_at_schema(from, false);
    if (schema.applied.empty()) throw std::runtime_error(shown_store(from) + " holds no Postern data; name the store to copy with --from or --config");
    if (!schema.missing().empty())
        throw std::runtime_error(shown_store(from) + " lacks the migration " + store::file_name(schema.missing().front()) +
                                 "; only equal schemas are copied: run `postern migrate` on it first");
    refuse_newer(from, schema);
}

void require_target_schema(const Config& to) {
    const auto schema = look_at_schema(to, false);
    if (!schema.applied.empty() && !schema.missing().empty())
        throw std::runtime_error(shown_store(to) + " has the schema of an older Postern; only equal schemas are copied: name an empty database");
    refuse_newer(to, schema);
}

/// What a mark says; empty: it is not there.
std::string mark_of(store::Database& db, std::string_view mark) {
    const auto row = core::run_to_end(store::read_one(db, store::setting_get, store::values(mark)));
    return row ? row->text(0) : std::string();
}

void set_mark(store::Batch& batch, std::string_view mark, const std::string& what) {
    batch.add(store::setting_remove, store::values(mark), store::Expect::any);
    batch.add(store::setting_insert, store::values(mark, what));
}

void take_mark(store::Batch& batch, std::string_view mark) { batch.add(store::setting_remove, store::values(mark), store::Expect::any); }

void write(store::Database& db, store::Batch batch) { core::run_to_end(db.write(std::move(batch))).value(); }

/// What a migration puts into a database that nobody used.
bool is_seeded(const store::BulkTable& table) { return table.name == "configuration" || table.name == "number_block"; }

void require_empty(store::Bulk& to, const Config& config) {
    for (const auto& table : to.tables()) {
        const auto rows = is_seeded(table) ? 0 : to.count(table);
        if (rows > 0)
            throw std::runtime_error(shown_store(config) + " is not empty: its table " + table.name + " has " + std::to_string(rows) +
                                     " rows. A copy never mixes two installations; name an empty database");
    }
}

/// Both stores have its name, so that a copy that ended between their last marks can be told from another one.
struct Copy {
    std::string name;
    bool source_is_closed = false;  ///< it had come to the last step
};

/// A source is whole, and live: one that was moved is refused, unless into what its own copy left half done.
Copy begin_copy(const CopyOptions& o, const core::Clock& clock, observe::Metrics& metrics) {
    const auto from = open_store(o.from, clock, metrics);
    const auto unfinished = mark_of(*from, store::copy_unfinished), moved = mark_of(*from, store::copy_moved);
    Copy copy;
    copy.name = mark_of(*from, store::copy_name);
    copy.source_is_closed = !moved.empty();
    from->close();
    if (!unfinished.empty())
        throw std::runtime_error(shown_store(o.from) + " is not whole: it is the target of a `postern copy` that did not end: " + unfinished +
                                 ". Copy the store that it came from");
    if (moved.empty()) {
        crypto::SystemRandom random;
        copy.name = random.token();
        return copy;
    }
    bool same = false;
    if (!look_at_schema(o.to, false).applied.empty()) {
        const auto to = open_store(o.to, clock, metrics);
        same = !mark_of(*to, store::copy_unfinished).empty() && mark_of(*to, store::copy_name) == copy.name;
        to->close();
    }
    if (!same)
        throw std::runtime_error(shown_store(o.from) + " was moved: " + moved + ". Whatever was issued since is there: copy that store, not this one");
    return copy;
}

void require_both_alone(const CopyOptions& o) {
    require_alone(o.from);
    require_alone(o.to);
}

/// From here on no server starts on it, until hand_over() takes the mark away.
void prepare_target(const CopyOptions& o, const Copy& copy, const core::Clock& clock, observe::Metrics& metrics) {
    const auto db = open_store(o.to, clock, metrics);
    if (mark_of(*db, store::copy_unfinished).empty()) require_empty(*open_bulk(o.to, false), o.to);
    store::Batch marks;
    set_mark(marks, store::copy_unfinished, "from " + shown_store(o.from) + ", begun at " + core::rfc3339(clock.now()));
    set_mark(marks, store::copy_name, copy.name);
    write(*db, std::move(marks));
    db->close();
}

/// A node that starts while rows go over would write what the target never sees.
void mark_source(const CopyOptions& o, const Copy& copy, const core::Clock& clock, observe::Metrics& metrics) {
    crypto::SystemRandom random;
    const auto db = open_store(o.from, clock, metrics);
    store::Batch marks;
    set_mark(marks, store::copy_leaving, "to " + shown_store(o.to) + " with --data " + o.from.data + ", begun at " + core::rfc3339(clock.now()));
    set_mark(marks, store::copy_leaver, node_name(o.from, &random));
    set_mark(marks, store::copy_name, copy.name);
    write(*db, std::move(marks));
    db->close();
}

/// What stays of the mark when this fails too, the node of the same data folder takes away as it starts.
void release_source(const CopyOptions& o, const core::Clock& clock, observe::Metrics& metrics) noexcept {
    try {
        const auto db = open_store(o.from, clock, metrics);
        store::Batch marks;
        take_mark(marks, store::copy_leaving);
        take_mark(marks, store::copy_leaver);
        write(*db, std::move(marks));
        db->close();
    } catch (const std::exception&) {
        // The copy's own failure is what is told.
    }
}

/// A port that was chosen once stays this node's: where nodes share a store, it is kept under the node's name.
void keep_ports(const CopyOptions& o, store::Database& target, store::Batch& batch) {
    crypto::SystemRandom random;
    for (const std::string name : {"port.https", "port.est", "port.http", "port.management"}) {
        const auto before = own_setting(name, o.from, node_name(o.from, &random)), after = own_setting(name, o.to, node_name(o.to, &random));
        const auto port = before == after ? std::nullopt : core::run_to_end(store::read_one(target, store::setting_get, store::values(before)));
        if (!port) continue;
        batch.add(store::setting_remove, store::values(before));
        batch.add(store::setting_remove, store::values(after), store::Expect::any);
        batch.add(store::setting_insert, store::values(after, port->text(0)));
    }
}

std::string audit_detail(const CopyReport& report) {
    json::Writer w;
    w.begin_object().member("from", report.from).member("to", report.to).member("rows", report.rows).end_object();
    return w.take();
}

/// The source first: two that start would be two CAs that do not know of each other.
void hand_over(const CopyOptions& o, const CopyReport& report, const core::Clock& clock, observe::Metrics& metrics) {
    {
        const auto db = open_store(o.from, clock, metrics);
        store::Batch marks;
        take_mark(marks, store::copy_leaving);
        take_mark(marks, store::copy_leaver);
        set_mark(marks, store::copy_moved, "to " + report.to + " at " + core::rfc3339(clock.now()));
        write(*db, std::move(marks));
        db->close();
    }
    const auto db = open_store(o.to, clock, metrics);
    store::Numbers numbers(*db);
    ra::AuditRecord record;
    record.at = clock.now();
    record.actor = ra::Actor("system", "copy");
    record.action = "installation.copied";
    record.object_kind = "installation";
    record.detail = audit_detail(report);
    store::Batch last;
    ra::add_audit(last, core::run_to_end(numbers.next(store::Series::audit)), record);
    keep_ports(o, *db, last);
    last.add(store::setting_remove, store::values(store::copy_unfinished));
    take_mark(last, store::copy_name);
    write(*db, std::move(last));
    db->close();
}

}  // namespace

CopyReport copy_store(const CopyOptions& o) {
    if (!std::filesystem::is_directory(o.from.data)) throw std::runtime_error(o.from.data + " is no data folder; name the one of the installation with --data");
    CopyReport report;
    report.from = shown_store(o.from);
    report.to = shown_store(o.to);
    if (report.from == report.to) throw std::runtime_error("source and target are both " + report.to + "; name the new store with --to");
    const DataFolder lock(o.from.data);
    const core::SystemClock clock;
    observe::Metrics metrics;
    require_source(o.from);
    require_target_schema(o.to);
    require_both_alone(o);
    const auto copy = begin_copy(o, clock, metrics);
    prepare_target(o, copy, clock, metrics);
    try {
        if (!copy.source_is_closed) mark_source(o, copy, clock, metrics);
        // Who began before the mark is seen now; on a shared file, where a node tells of itself late, at the end.
        require_both_alone(o);
        {
            const auto from = open_bulk(o.from, false), to = open_bulk(o.to, true);
            report.tables = store::copy_tables(*from, *to, o.watch);
        }
        for (const auto& table : report.tables) report.rows += table.rows;
        require_both_alone(o);
        hand_over(o, report, clock, metrics);
    } catch (...) {
        release_source(o, clock, metrics);
        throw;
    }
    return report;
}

}  // namespace postern::app
