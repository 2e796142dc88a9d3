#pragma once
#include <string>
#include <vector>

#include "store/postgres/libpq.hpp"
#include "store/postgres/open.hpp"
#include "store/value.hpp"

namespace postern::store::postgres {

/// One connection for whoever may wait: no pipeline, one thread. For verbs, not for a server.
class Session {
public:
    /// Throws StoreUnavailable when no host takes writes, std::runtime_error for a URL that is none.
    explicit Session(const PostgresSettings& settings);

    /// Runs one statement or script to its end. Rows as texts, NULL as an empty one. Throws StoreUnavailable, or
    /// std::runtime_error with the server's words when it refuses.
    std::vector<std::vector<std::string>> run(const std::string& sql);
    /// "postgresql://user@host/database"
    [[nodiscard]] const std::string& place() const noexcept { return place_; }
    [[nodiscard]] PGconn* handle() const noexcept { return handle_.get(); }
    /// Of a result that is not what was asked for: throws as run() does.
    [[noreturn]] void refuse(const PGresult* result, const std::string& what) const;

private:
    std::string place_;
    Handle handle_;
};

}  // namespace postern::store::postgres
