#pragma once
#include <array>
#include <mutex>
#include <utility>

#include "store/database.hpp"

namespace postern::store {

/// Series of BIGINT ids, one per family so that certificate and person ids stay within 31 bits.
enum class Series { tenant, organization, department, domain, profile, endpoint, account, principal, enrollment, certificate, acme, audit, count_ };

/// Hands out ids from blocks of 1 000 that this node reserved in `number_block`; a batch needs no
/// read for the ids of its rows. Numbers rise with time on one node; gaps are normal.
class Numbers {
public:
    explicit Numbers(Database& db) : db_(db) {}
    /// Next number of the series; reserves a block when the last is used up. Thread safe.
    core::Task<std::int64_t> next(Series series);
    /// `count` consecutive numbers, the first returned. count ≤ 1000.
    core::Task<std::int64_t> next(Series series, std::int64_t count);

private:
    struct Block { std::int64_t at = 0, end = 0; };
    Database& db_;
    std::mutex mutex_;
    std::array<Block, static_cast<std::size_t>(Series::count_)> blocks_{};
};

}  // namespace postern::store
