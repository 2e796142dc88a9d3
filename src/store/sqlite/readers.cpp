#include "store/sqlite/readers.hpp"

namespace postern::store::sqlite {

Readers::Readers(std::string path, std::size_t ready, observe::Gauge cache) : path_(std::move(path)), cache_(cache) {
    for (std::size_t i = 0; i < ready; ++i) idle_.push_back(std::make_unique<Connection>(path_, Connection::Access::read_only));
}

Rows Readers::read(const Statement& statement, const Values& parameters) {
    auto connection = take();
    Rows rows;
    try {
        connection->run(statement, parameters, &rows);
    } catch (const Fault& fault) {
        // The plain code is our own query_only; states of the disk have extended ones.
        if (fault.code() != SQLITE_READONLY) throw;
        throw std::logic_error("store: " + std::string(statement.name) + " writes; it belongs into a batch");
    }
    connection->count_cache(cache_);
    give(std::move(connection));  // after an error a fresh one is opened instead
    return rows;
}

void Readers::close() {
    std::vector<std::unique_ptr<Connection>> idle;
    const std::lock_guard lock(mutex_);
    closed_ = true;
    idle.swap(idle_);
}

std::unique_ptr<Connection> Readers::take() {
    {
        const std::lock_guard lock(mutex_);
        if (closed_) throw StoreUnavailable("store: closed");
        if (!idle_.empty()) {
            auto connection = std::move(idle_.back());
            idle_.pop_back();
            return connection;
        }
    }
    return std::make_unique<Connection>(path_, Connection::Access::read_only);
}

void Readers::give(std::unique_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    if (!closed_) idle_.push_back(std::move(connection));
}

}  // namespace postern::store::sqlite
