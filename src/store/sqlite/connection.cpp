#include "store/sqlite/connection.hpp"

#include <type_traits>

#include "store/sqlite/placeholders.hpp"

namespace postern::store::sqlite {

namespace {

constexpr int busy_timeout_ms = 5000;

/// The constraints that a race or a client can hit; the others are the program's own invariants.
std::optional<Conflict::Kind> refusal_of(int code) noexcept {
    switch (code) {
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_PRIMARYKEY:
        case SQLITE_CONSTRAINT_ROWID: return Conflict::Kind::duplicate;
        case SQLITE_CONSTRAINT_FOREIGNKEY: return Conflict::Kind::referenced;
        default: return std::nullopt;
    }
}

/// Whether the fault is the environment's rather than the program's.
bool is_environment(int code) noexcept {
    switch (code & 0xff) {
        case SQLITE_PERM:
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_NOMEM:
        case SQLITE_READONLY:
        case SQLITE_INTERRUPT:
        case SQLITE_IOERR:
        case SQLITE_CORRUPT:
        case SQLITE_FULL:
        case SQLITE_CANTOPEN:
        case SQLITE_PROTOCOL:
        case SQLITE_NOLFS:
        case SQLITE_AUTH:
        case SQLITE_NOTADB: return true;
        default: return false;
    }
}

/// Ends a run however it goes; an open SELECT would hold its snapshot and the log with it.
class Reset {
public:
    explicit Reset(sqlite3_stmt* s) noexcept : statement_(s) {}
    Reset(const Reset&) = delete;
    Reset& operator=(const Reset&) = delete;
    ~Reset() { sqlite3_reset(statement_); }

private:
    sqlite3_stmt* statement_;
};

int bind_one(sqlite3_stmt* s, int i, const Value& value) {
    return std::visit(
        [s, i](const auto& v) {
            using T = std::decay_t<decltype(v)>;
            if constexpr (std::is_same_v<T, std::monostate>) {
                return sqlite3_bind_null(s, i);
            } else if constexpr (std::is_same_v<T, std::int64_t>) {
                return sqlite3_bind_int64(s, i, v);
            } else if constexpr (std::is_same_v<T, bool>) {
                return sqlite3_bind_int(s, i, v ? 1 : 0);
            } else if constexpr (std::is_same_v<T, std::string>) {
                return sqlite3_bind_text64(s, i, v.data(), v.size(), SQLITE_STATIC, SQLITE_UTF8);
            } else {
                // A null pointer would bind NULL.
                if (v.empty()) return sqlite3_bind_zeroblob(s, i, 0);
                return sqlite3_bind_blob64(s, i, v.data(), v.size(), SQLITE_STATIC);
            }
        },
        value);
}

Value column(sqlite3_stmt* s, int i, const Statement& statement) {
    switch (sqlite3_column_type(s, i)) {
        case SQLITE_NULL: return std::monostate{};
        case SQLITE_INTEGER: return std::int64_t{sqlite3_column_int64(s, i)};
        case SQLITE_TEXT: {
            const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(s, i));
            return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(s, i)));
        }
        case SQLITE_BLOB: {
            const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(s, i));
            return core::Bytes(data, data + sqlite3_column_bytes(s, i));
        }
        default:
            throw std::logic_error("store: " + std::string(statement.name) + ": column " +
                                   std::to_string(i) + " is a floating point number");
    }
}

}  // namespace

Connection::Connection(const std::string& path, Access access) {
    const bool writes = access == Access::read_write;
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &raw,
                                     (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) |
                                         SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                     nullptr);
    db_.reset(raw);  // also after a failure, when it carries the message
    if (code != SQLITE_OK) fail(code, path);
    sqlite3_busy_timeout(raw, busy_timeout_ms);
    script("PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000", "connection settings");
    if (!writes) {
        script("PRAGMA query_only=ON", "connection settings");
        return;
    }
    // FULL: a commit is on the disk when COMMIT returns.
    script("PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864", "connection settings");
    sqlite3_wal_hook(
        raw,
        [](void* self, sqlite3*, const char*, int frames) {
            static_cast<Connection*>(self)->wal_frames_ = frames;
            return SQLITE_OK;
        },
        this);
}

Connection::Ran Connection::run(const Statement& statement, const Values& parameters, Rows* rows) {
    sqlite3_stmt* s = prepared(statement);
    const Reset reset(s);
    bind(s, statement, parameters);
    Ran ran;
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        ++ran.rows;
        if (rows == nullptr) continue;
        const int count = sqlite3_column_count(s);
        Values columns;
        columns.reserve(static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i) columns.push_back(column(s, i, statement));
        rows->emplace_back(std::move(columns));
    }
    if (code == SQLITE_DONE) {
        if (sqlite3_stmt_readonly(s) == 0) ran.rows = sqlite3_changes64(db_.get());
        return ran;
    }
    ran.refusal = refusal_of(code);
    if (!ran.refusal) fail(code, statement.name);
    return ran;
}

void Connection::control(const Statement& statement) {
    const Ran ran = run(statement, {});
    if (ran.refusal) throw std::logic_error("store: " + std::string(statement.name) + " was refused: " + sqlite3_errmsg(db_.get()));
}

void Connection::each(const std::string& select, const std::function<void(const Values&)>& row) {
    const Statement statement{"each", select};
    sqlite3_stmt* raw = nullptr;
    const int prepared = sqlite3_prepare_v3(db_.get(), select.c_str(), static_cast<int>(select.size()) + 1, 0, &raw, nullptr);
    const Prepared made(raw);
    if (prepared != SQLITE_OK) fail(prepared, select);
    const int count = sqlite3_column_count(raw);
    Values columns(static_cast<std::size_t>(count));
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(raw)) == SQLITE_ROW) {
        for (int i = 0; i < count; ++i) columns[static_cast<std::size_t>(i)] = column(raw, i, statement);
        row(columns);
    }
    if (code != SQLITE_DONE) fail(code, select);
}

void Connection::script(const std::string& sql, std::string_view what) {
    const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code, what);
}

bool Connection::foreign_keys_open() const noexcept {
    int open = 0;
    int highest = 0;
    sqlite3_db_status(db_.get(), SQLITE_DBSTATUS_DEFERRED_FKS, &open, &highest, 0);
    return open != 0;
}

void Connection::count_cache(observe::Gauge gauge) noexcept {
    int used = 0;
    int highest = 0;
    sqlite3_db_status(db_.get(), SQLITE_DBSTATUS_CACHE_USED, &used, &highest, 0);
    if (used == cache_counted_) return;
    gauge.add(static_cast<double>(used - cache_counted_));
    cache_gauge_ = gauge;
    cache_counted_ = used;
}

Connection::~Connection() {
    if (cache_gauge_) cache_gauge_->add(-static_cast<double>(cache_counted_));
}

void Connection::checkpoint() {
    const int code = sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code, "checkpoint");
}

void Connection::copy_into(Connection& target, const std::function<void(int, int)>& after_step) {
    constexpr int pages_a_step = 1024;
    sqlite3_backup* copy = sqlite3_backup_init(target.db_.get(), "main", db_.get(), "main");
    if (copy == nullptr) target.fail(sqlite3_extended_errcode(target.db_.get()), "copy");
    int code = SQLITE_OK;
    try {
        while ((code = sqlite3_backup_step(copy, pages_a_step)) == SQLITE_OK)
            after_step(sqlite3_backup_remaining(copy), sqlite3_backup_pagecount(copy));
    } catch (...) {
        sqlite3_backup_finish(copy);
        throw;
    }
    const int pages = sqlite3_backup_pagecount(copy);
    sqlite3_backup_finish(copy);
    if (code != SQLITE_DONE) throw Fault("store: copy: " + std::string(sqlite3_errstr(code)), code);
    after_step(0, pages);
}

sqlite3_stmt* Connection::prepared(const Statement& statement) {
    if (const auto found = cache_.find(statement.sql.data()); found != cache_.end()) return found->second.get();
    const std::string sql = numbered_placeholders(statement.sql);
    sqlite3_stmt* raw = nullptr;
    const char* tail = nullptr;
    const int code = sqlite3_prepare_v3(db_.get(), sql.c_str(), static_cast<int>(sql.size()) + 1,
                                        SQLITE_PREPARE_PERSISTENT, &raw, &tail);
    Prepared made(raw);
    if (code != SQLITE_OK) fail(code, statement.name);
    if (raw == nullptr || std::string_view(tail).find_first_not_of(" \t\r\n;") != std::string_view::npos) {
        throw std::logic_error("store: " + std::string(statement.name) + " is not exactly one statement");
    }
    return cache_.emplace(statement.sql.data(), std::move(made)).first->second.get();
}

void Connection::bind(sqlite3_stmt* prepared, const Statement& statement, const Values& parameters) {
    const int wanted = sqlite3_bind_parameter_count(prepared);
    if (static_cast<std::size_t>(wanted) != parameters.size()) {
        throw std::logic_error("store: " + std::string(statement.name) + " takes " + std::to_string(wanted) +
                               " parameters, not " + std::to_string(parameters.size()));
    }
    for (int i = 0; i < wanted; ++i) {
        const int code = bind_one(prepared, i + 1, parameters[static_cast<std::size_t>(i)]);
        if (code != SQLITE_OK) fail(code, statement.name);
    }
}

void Connection::fail(int code, std::string_view what) const {
    const std::string text =
        "store: " + std::string(what) + ": " + (db_ ? sqlite3_errmsg(db_.get()) : sqlite3_errstr(code));
    if (is_environment(code)) throw Fault(text, code);
    throw std::logic_error(text);
}

}  // namespace postern::store::sqlite
