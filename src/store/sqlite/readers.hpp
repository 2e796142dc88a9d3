#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/sqlite/connection.hpp"

namespace postern::store::sqlite {

/// Read-only connections, as many as threads ever read at once. A read runs on the caller's thread:
/// it is a matter of microseconds, less than any hand-over. Thread safe.
class Readers {
public:
    /// Opens `ready` connections at once, so that reads need no descriptor when none is left.
    Readers(std::string path, std::size_t ready, observe::Gauge cache);
    /// Throws StoreUnavailable; std::logic_error for a statement that is no SELECT.
    Rows read(const Statement& statement, const Values& parameters);
    void close();

private:
    std::unique_ptr<Connection> take();
    void give(std::unique_ptr<Connection> connection);

    std::string path_;
    observe::Gauge cache_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Connection>> idle_;  ///< the last used on top, its cache is warm
    bool closed_ = false;
};

}  // namespace postern::store::sqlite
