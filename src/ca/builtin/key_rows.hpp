#pragma once
#include "ca/builtin/key_files.hpp"
#include "core/base/clock.hpp"
#include "store/database.hpp"

namespace postern::ca {

/// Private keys as rows of `sealed_key`, for several nodes; and a node that is alone by now finds what is
/// there.
class KeyRows final : public KeyStore {
public:
    /// `several`: new keys become rows, and one that has none yet is taken over from `files`, this node's
    /// folder, where it was the only node before; the file is left where it is. Else keys without a row
    /// are files.
    KeyRows(store::Database& db, const crypto::Sealer& sealer, KeyFiles files, const core::Clock& clock, bool several);

    void keep(store::Batch& batch, const std::string& key_id, const crypto::PrivateKey& key, core::TimePoint now) override;
    core::Task<crypto::PrivateKey> find(std::string key_id) override;
    /// Whether there is one of that id, whatever it is.
    core::Task<bool> holds(std::string key_id);
    [[nodiscard]] std::string where(const std::string& key_id) const override;

private:
    store::Database& db_;
    const crypto::Sealer& sealer_;
    KeyFiles files_;
    const core::Clock& clock_;
    bool several_;
};

}  // namespace postern::ca
