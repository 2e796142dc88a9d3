#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/async/task.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/crypto/fingerprints.hpp"
#include "core/crypto/key.hpp"
#include "ra/principals.hpp"
#include "store/database.hpp"
#include "store/numbers.hpp"
#include "store/tables/blocked_key.hpp"
#include "store/tables/certificate.hpp"

/// Keys that nobody may use here: reported, published or revoked for compromise. They count for every
/// tenant and protocol from the moment their batch is durable; nothing is cached.
namespace postern::ra {

/// The keys of one request: what is to be certified, and what the requester signed with.
struct JudgedKeys {
    JudgedKeys() = default;
    explicit JudgedKeys(crypto::PublicKey s, std::optional<crypto::PublicKey> r = {}) : subject(std::move(s)), requester(std::move(r)) {}
    crypto::PublicKey subject;
    std::optional<crypto::PublicKey> requester;
};
struct KeyBlock {
    KeyBlock() = default;
    store::BlockedKeyRow row;
    bool of_requester = false;  ///< the other of the two keys
};
/// One read by primary key.
core::Task<std::optional<KeyBlock>> find_block(store::Database& db, JudgedKeys keys);
/// Guards a batch that issues: blocked_key_none misses when one of them was blocked since find_block().
void guard_unblocked(store::Batch& batch, const JudgedKeys& keys);
/// What a client reads: "the key is blocked (keyCompromise); make a new one".
std::string block_text(const KeyBlock& block);

/// Adds a key to a batch that has its audit row: by SPKI, and by the number that stays the same under
/// another exponent or the negated point.
void add_block(store::Batch& batch, const crypto::Fingerprints& key, std::string_view reason, std::string_view source,
               std::int64_t audit_id, core::TimePoint now, store::Expect expect = store::Expect::any);

/// A compromised key is never certified again, under whatever name.
void add_compromised(store::Batch& batch, const store::CertificateRow& certificate, std::int64_t audit_id, core::TimePoint now,
                     store::Expect expect);

class BlockedKeys {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        const core::Clock& clock;
    };
    explicit BlockedKeys(Deps deps) : deps_(deps) {}

    struct Order {
        Order() = default;
        std::vector<core::Bytes> digests;  ///< each of a size that fingerprints.hpp knows
        std::string reason, source;
        std::int64_t expected = 0;  ///< of the whole import, for the audit row
        std::optional<std::int64_t> continues;  ///< the import that these are a further part of
    };
    /// The import's number: that of its one audit row, which the first part writes. A part that is sent
    /// again changes nothing. `not_found` for an import that is not this principal's.
    core::Task<core::Result<std::int64_t>> block(Order order, Principal by, core::RequestId request);
    /// At most 6 digests; how many there were. `not_found` when none was.
    core::Task<core::Result<std::size_t>> unblock(std::vector<core::Bytes> digests, Principal by, core::RequestId request);
    /// Up to `limit` rows with digest > after.
    core::Task<store::Rows> page(core::Bytes after, std::int64_t limit);
    core::Task<std::optional<KeyBlock>> find(crypto::PublicKey key);

private:
    Deps deps_;
};

}  // namespace postern::ra
