#pragma once
#include <boost/system/result.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "core/async/task.hpp"
#include "store/batch.hpp"

namespace postern::store {

/// A store that is away, full, locked or broken. The session answers 503 with Retry-After.
class StoreUnavailable : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

[[noreturn]] void throw_exception_from_error(const Conflict& conflict, const boost::source_location& where);
using Written = boost::system::result<void, Conflict>;

/// The one door to SQL. Thread safe; calls resume on the caller's executor.
class Database {
public:
    virtual ~Database() = default;
    /// All rows of a SELECT. Sees every batch whose write() returned before on any node.
    /// Bound long lists with LIMIT and a key. Throws StoreUnavailable.
    virtual core::Task<Rows> read(const Statement& statement, Values parameters) = 0;
    /// Durable (fsync) when it returns without error. Conflict: a missed expectation or a unique
    /// violation; nothing of the batch happened. Throws StoreUnavailable.
    virtual core::Task<Written> write(Batch batch) = 0;
    /// Stops taking work and waits for what is queued. Safe to call twice.
    virtual void close() = 0;
    /// "sqlite" or "postgres"
    [[nodiscard]] virtual std::string_view engine() const noexcept = 0;
};

/// First row or nullopt; more than one row is a broken invariant.
core::Task<std::optional<Row>> read_one(Database& db, const Statement& statement, Values parameters);

}  // namespace postern::store
