#pragma once
#include <boost/system/result.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "core/async/shards.hpp"
#include "core/async/task.hpp"
#include "core/base/unavailable.hpp"
#include "store/batch.hpp"

namespace postern::store {

/// A store that is away, full, locked or broken. The session answers 503 with Retry-After.
/// After a failed commit the outcome may be unknown: read again by key.
class StoreUnavailable : public core::Unavailable {
public:
    using core::Unavailable::Unavailable;
};

/// What value() of a Written does: a conflict where the caller says there is none.
[[noreturn]] void throw_exception_from_error(const Conflict& conflict, const boost::source_location& where);
using Written = boost::system::result<void, Conflict>;

/// The one door to SQL. Thread safe; calls resume on the caller's executor. Close it before the
/// execution contexts of its callers are destroyed. A write that is cancelled runs to its end.
/// A statement that breaks CHECK or NOT NULL, or that the schema does not know, is a
/// broken invariant: std::logic_error naming the statement.
class Database {
public:
    virtual ~Database() = default;
    /// All rows of a SELECT. Sees every batch whose write() returned before on any node.
    /// Bound long lists with LIMIT and a key. Throws StoreUnavailable.
    virtual core::Task<Rows> read(const Statement& statement, Values parameters) = 0;
    /// Durable (fsync) when it returns without error. Conflict: a missed expectation, a unique
    /// violation or a foreign key; nothing of the batch happened. Throws StoreUnavailable.
    virtual core::Task<Written> write(Batch batch) = 0;
    /// From now on an engine may carry out the calls of a shard on that shard. They must be running, until
    /// close() has returned; once, and not beside other calls of this object.
    virtual void use_shards(core::Shards&) {}
    /// Stops taking work and waits for what is queued; later calls throw StoreUnavailable. Safe to
    /// call twice. After use_shards(): not on the thread of a shard.
    virtual void close() = 0;
    /// Why writes fail at the moment, for people; empty while they do not. A write that succeeds ends it.
    [[nodiscard]] virtual std::string trouble() const = 0;
    /// "sqlite" or "postgres"
    [[nodiscard]] virtual std::string_view engine() const noexcept = 0;
};

/// First row or nullopt; more than one row is a broken invariant.
core::Task<std::optional<Row>> read_one(Database& db, const Statement& statement, Values parameters);

}  // namespace postern::store
