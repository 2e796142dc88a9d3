#include <stdlib.h>

#include <filesystem>

#include "store/postgres/open.hpp"
#include "store/sqlite/open.hpp"
#include "tests/contract/store.hpp"
#include "tests/support/postgres.hpp"

namespace postern::contract {

namespace {

class SqliteInstance final : public Instance {
public:
    SqliteInstance() {
        std::string pattern = (std::filesystem::temp_directory_path() / "postern-contract-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
        folder_ = pattern;
        db_ = store::open_sqlite((folder_ / "postern.db").string(), clock_, metrics_);
    }
    ~SqliteInstance() override {
        db_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    store::Database& database() override { return *db_; }

private:
    std::filesystem::path folder_;
    core::FakeClock clock_{now};
    observe::Metrics metrics_;
    std::unique_ptr<store::Database> db_;
};

class PostgresInstance final : public Instance {
public:
    PostgresInstance() {
        store::PostgresSettings settings;
        settings.url = schema_.url();
        settings.connections = 2;
        db_ = store::open_postgres(settings, clock_, metrics_);
    }
    store::Database& database() override { return *db_; }

private:
    test::Schema schema_;
    core::FakeClock clock_{now};
    observe::Metrics metrics_;
    std::unique_ptr<store::Database> db_;
};

template <class T>
std::unique_ptr<Instance> make() {
    return std::make_unique<T>();
}

}  // namespace

const std::vector<Engine>& engines() {
    static const std::vector<Engine> all{{"sqlite", &make<SqliteInstance>}, {"postgres", &make<PostgresInstance>}};
    return all;
}

}  // namespace postern::contract
