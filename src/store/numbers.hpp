#pragma once
#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include "store/database.hpp"
#include "store/waiter.hpp"

namespace postern::store {

/// Series of BIGINT ids, one per family so that certificate and person ids stay within 31 bits.
enum class Series {
    tenant, organization, department, domain, profile, endpoint, account, principal, enrollment,
    certificate, acme, audit, backend, challenge, azure_account, device, count_
};

/// Hands out ids from blocks of 1 000 that this node reserved in `number_block`; a batch needs no
/// read for the ids of its rows. Numbers rise with time on one node; gaps are normal. One caller
/// reserves, the others of the series wait for it.
class Numbers {
public:
    explicit Numbers(Database& db) : db_(db) {}
    /// Next number of the series; reserves a block when the last is used up. Thread safe.
    core::Task<std::int64_t> next(Series series);
    /// `count` consecutive numbers, the first returned. count ≤ 1000.
    core::Task<std::int64_t> next(Series series, std::int64_t count);

private:
    struct Block {
        std::int64_t at = 0, end = 0;
        bool reserving = false;
        std::vector<Waiter<>> waiting;
    };
    /// A number; or the duty to reserve a block; or neither: somebody else is reserving one.
    struct Turn {
        std::optional<std::int64_t> number;
        bool lead = false;
    };
    class Lead;
    class Hang;
    Block& block(Series series);
    Turn turn(Series series, std::int64_t count);
    core::Task<void> reserve(Series series);
    core::Task<void> reserved(Series series);

    Database& db_;
    std::mutex mutex_;  ///< never held across a suspension
    std::array<Block, static_cast<std::size_t>(Series::count_)> blocks_{};
};

}  // namespace postern::store
