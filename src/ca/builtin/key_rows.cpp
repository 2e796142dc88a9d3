#include "ca/builtin/key_rows.hpp"

#include <stdexcept>

#include "store/tables/sealed_key.hpp"

namespace postern::ca {

KeyRows::KeyRows(store::Database& db, const crypto::Sealer& sealer, KeyFiles files, const core::Clock& clock, bool several)
    : db_(db), sealer_(sealer), files_(std::move(files)), clock_(clock), several_(several) {}

std::string KeyRows::where(const std::string& key_id) const {
    return several_ ? "sealed_key " + key_id + " of the database" : files_.where(key_id);
}

void KeyRows::keep(store::Batch& batch, const std::string& key_id, const crypto::PrivateKey& key, core::TimePoint now) {
    if (!several_) return files_.keep(batch, key_id, key, now);
    batch.add(store::sealed_key_insert, store::values(key_id, seal_key(sealer_, key_id, key), now));
}

core::Task<bool> KeyRows::holds(std::string key_id) {
    auto name = store::values(key_id);
    const auto row = co_await store::read_one(db_, store::sealed_key_get, std::move(name));
    co_return row || files_.has(key_id);
}

core::Task<crypto::PrivateKey> KeyRows::find(std::string key_id) {
    auto name = store::values(key_id);
    const auto row = co_await store::read_one(db_, store::sealed_key_get, std::move(name));
    if (row) co_return open_key(sealer_, key_id, row->blob(0), "sealed_key " + key_id + " of the database");
    if (several_ && !files_.has(key_id))
        throw std::runtime_error("CA key " + key_id + " is neither in the database nor in " + files_.path(key_id) +
                                 "; start the node that has the file first, which puts it into the database, or restore the database from the backup");
    auto key = files_.load(key_id);
    if (several_) {
        store::Batch batch;
        batch.add(store::sealed_key_insert, store::values(key_id, seal_key(sealer_, key_id, key), clock_.now()), store::Expect::any);
        const auto written = co_await db_.write(std::move(batch));
        written.value();
    }
    co_return std::move(key);
}

}  // namespace postern::ca
