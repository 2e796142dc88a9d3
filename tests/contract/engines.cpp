#include <stdlib.h>

#include <filesystem>

#include "store/sqlite/open.hpp"
#include "tests/contract/store.hpp"

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

}  // namespace

const std::vector<Engine>& engines() {
    static const std::vector<Engine> all{{"sqlite", [] { return std::unique_ptr<Instance>(std::make_unique<SqliteInstance>()); }}};
    return all;
}

}  // namespace postern::contract
