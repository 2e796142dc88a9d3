#pragma once
#include <cstddef>
#include <list>
#include <mutex>
#include <unordered_map>

#include "core/crypto/key.hpp"
#include "store/tables/acme_account.hpp"

namespace postern::acme {

/// Loaded keys of the accounts that were seen last; loading one costs more than verifying with it.
/// Thread safe.
class AccountKeys {
public:
    explicit AccountKeys(std::size_t capacity = 4096) : capacity_(capacity) {}
    /// The key of the row: a cached one counts only while the row still has its thumbprint.
    /// Throws std::runtime_error for a stored key that cannot be read.
    crypto::PublicKey get(const store::AcmeAccountRow& account);
    [[nodiscard]] std::size_t size() const;

private:
    struct Entry {
        Entry(store::AcmeAccountId i, std::string t, crypto::PublicKey k)
            : id(i), thumbprint(std::move(t)), key(std::move(k)) {}
        store::AcmeAccountId id;
        std::string thumbprint;
        crypto::PublicKey key;
    };
    std::size_t capacity_;
    mutable std::mutex mutex_;
    std::list<Entry> newest_first_;
    std::unordered_map<store::AcmeAccountId, std::list<Entry>::iterator> places_;
};

}  // namespace postern::acme
