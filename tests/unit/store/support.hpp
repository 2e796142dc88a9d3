#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <stdlib.h>

#include "core/async/shards.hpp"
#include "store/sqlite/open.hpp"
#include "tests/support/folder.hpp"

namespace postern::test {

inline constexpr store::Migration item_schema[] = {
    {1, "items",
     "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, data BLOB, flag BOOLEAN, version BIGINT "
     "NOT NULL DEFAULT 1 CHECK (version > 0));"
     "CREATE TABLE part (id INTEGER PRIMARY KEY, item_id BIGINT NOT NULL REFERENCES item (id) "
     "DEFERRABLE INITIALLY DEFERRED);"
     "CREATE TABLE label (id INTEGER PRIMARY KEY, item_id BIGINT NOT NULL REFERENCES item (id));"
     "CREATE TABLE number_block (series TEXT PRIMARY KEY, next BIGINT NOT NULL);"}};

inline constexpr store::Statement item_insert{"item_insert", "INSERT INTO item (id, name) VALUES ($1, $2)"};
inline constexpr store::Statement item_count{"item_count", "SELECT count(*) FROM item"};
inline constexpr store::Statement item_ids{"item_ids", "SELECT id FROM item ORDER BY id"};
inline constexpr store::Statement item_claim{
    "item_claim", "UPDATE item SET version = version + 1 WHERE id = $1 AND version = $2"};

/// A database in a fresh folder.
class Store {
public:
    explicit Store(std::span<const store::Migration> schema = item_schema)
        : clock_(core::from_ms(1'800'000'000'000)), db_(store::open_sqlite(path(), clock_, metrics_, schema)) {}

    [[nodiscard]] std::string path() const { return folder_.file(); }
    store::Database& db() { return *db_; }
    observe::Metrics& metrics() { return metrics_; }

    store::Written write(store::Batch batch) { return core::run_to_end(db_->write(std::move(batch))); }
    store::Written write(const store::Statement& s, store::Values v, store::Expect e = store::Expect::one) {
        store::Batch batch;
        batch.add(s, std::move(v), e);
        return write(std::move(batch));
    }
    store::Rows read(const store::Statement& s, store::Values v = {}) {
        return core::run_to_end(db_->read(s, std::move(v)));
    }
    std::int64_t count() { return read(item_count).at(0).integer(0); }

private:
    Folder folder_;
    core::FakeClock clock_;
    observe::Metrics metrics_;
    std::unique_ptr<store::Database> db_;
};

template <class E>
auto says(std::string text) {
    return [text = std::move(text)](const E& e) {
        BOOST_TEST_INFO("said: " << e.what());
        const bool found = std::string_view(e.what()).find(text) != std::string_view::npos;
        BOOST_TEST(found);
        return found;
    };
}

}  // namespace postern::test
