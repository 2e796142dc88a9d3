#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/crypto/key.hpp"
#include "store/tables/acme_account.hpp"

namespace postern::acme {

/// An account as it was read, with its key loaded: that costs more than verifying with it.
struct KnownAccount {
    KnownAccount(store::AcmeAccountRow r, crypto::PublicKey k) : row(std::move(r)), key(std::move(k)) {}
    store::AcmeAccountRow row;
    crypto::PublicKey key;
};

/// The accounts that were seen last. A row counts for a second, so that what another node changed is
/// seen; while the configuration is the one it was read under; and until somebody here changes it.
/// Thread safe.
class AccountCache {
public:
    using Time = std::chrono::steady_clock::time_point;
    /// What a caller knows before it reads the store.
    struct Moment {
        Moment(std::int64_t c, Time t) : configuration(c), at(t) {}
        std::int64_t configuration;  ///< the catalog's version
        Time at;
        std::uint64_t changes = 0;   ///< set by find()
    };

    explicit AccountCache(std::size_t capacity = 4096) : capacity_(capacity) {}

    /// Null: ask the store, and keep() what it says with the same moment.
    std::shared_ptr<const KnownAccount> find(core::EndpointId endpoint, const std::string& token, Moment& moment);
    /// Throws std::runtime_error for a stored key that cannot be read. What was changed since `moment`
    /// is given back, but not kept.
    std::shared_ptr<const KnownAccount> keep(store::AcmeAccountRow row, const Moment& moment);
    /// Whoever changes an account says so after the change is durable.
    void forget(const std::string& token);
    [[nodiscard]] std::size_t size() const;

private:
    struct Entry {
        Entry(std::shared_ptr<const KnownAccount> a, const Moment& m) : account(std::move(a)), configuration(m.configuration), read(m.at) {}
        std::shared_ptr<const KnownAccount> account;
        std::int64_t configuration;
        Time read;
    };
    using Entries = std::list<Entry>;

    std::size_t capacity_;
    mutable std::mutex mutex_;
    std::uint64_t changes_ = 0;
    Entries newest_first_;
    std::unordered_map<std::string, Entries::iterator> places_;  // by token
};

}  // namespace postern::acme
