#include "app/master_key_check.hpp"

#include <stdexcept>

#include "core/base/encoding.hpp"
#include "store/tables/setting.hpp"

namespace postern::app {

namespace {

constexpr std::string_view setting_name = "master_key.check";

std::string derived(const crypto::Sealer& sealer) { return core::hex(sealer.lookup_hash("master-key-check", {})); }

}  // namespace

core::Task<void> check_master_key(store::Database& db, const crypto::Sealer& sealer) {
    auto name = store::values(setting_name);
    const auto row = co_await store::read_one(db, store::setting_get, std::move(name));
    if (row && row->text(0) != derived(sealer))
        throw std::runtime_error("the master key is not the one that this store was made with: copy keys/master, or the file of "
                                 "[secrets] master_key_file, from the other node or the backup");
}

core::Task<void> keep_master_key_check(store::Database& db, const crypto::Sealer& sealer) {
    store::Batch batch;
    batch.add(store::setting_insert, store::values(setting_name, derived(sealer)), store::Expect::any);
    const auto written = co_await db.write(std::move(batch));
    written.value();
    co_await check_master_key(db, sealer);
}

}  // namespace postern::app
