#include "store/numbers.hpp"

#include <boost/asio/use_awaitable.hpp>

namespace postern::store {

namespace {

constexpr std::int64_t block_size = 1000;

constexpr Statement number_create{
    "number_create", "INSERT INTO number_block (series, next) VALUES ($1, 1) ON CONFLICT (series) DO NOTHING"};
constexpr Statement number_read{"number_read", "SELECT next FROM number_block WHERE series = $1"};
constexpr Statement number_reserve{
    "number_reserve", "UPDATE number_block SET next = next + 1000 WHERE series = $1 AND next = $2"};

std::string_view to_string(Series series) {
    switch (series) {
        case Series::tenant: return "tenant";
        case Series::organization: return "organization";
        case Series::department: return "department";
        case Series::domain: return "domain";
        case Series::profile: return "profile";
        case Series::endpoint: return "endpoint";
        case Series::account: return "account";
        case Series::principal: return "principal";
        case Series::enrollment: return "enrollment";
        case Series::certificate: return "certificate";
        case Series::acme: return "acme";
        case Series::audit: return "audit";
        case Series::backend: return "backend";
        case Series::challenge: return "challenge";
        case Series::azure_account: return "azure_account";
        case Series::device: return "device";
        case Series::count_: break;
    }
    throw std::logic_error("store: no series of numbers");
}

}  // namespace

/// Whoever leads a series' reservation; the others go on however it ends.
class Numbers::Lead {
public:
    Lead(Numbers& numbers, Series series) : numbers_(numbers), series_(series) {}
    Lead(const Lead&) = delete;
    Lead& operator=(const Lead&) = delete;
    ~Lead() {
        std::vector<Waiter<>> waiting;
        {
            const std::lock_guard lock(numbers_.mutex_);
            auto& block = numbers_.block(series_);
            block.reserving = false;
            waiting.swap(block.waiting);
        }
        for (auto& waiter : waiting) waiter.resume();
    }

private:
    Numbers& numbers_;
    Series series_;
};

/// Hangs a coroutine up until the running reservation ends; resumes it at once when it just did.
class Numbers::Hang {
public:
    Hang(Numbers* numbers, Series series) : numbers_(numbers), series_(series) {}
    template <class Handler>
    void operator()(Handler handler) const {
        Waiter<> waiter(std::move(handler));
        {
            const std::lock_guard lock(numbers_->mutex_);
            auto& block = numbers_->block(series_);
            if (block.reserving) {
                block.waiting.push_back(std::move(waiter));
                return;
            }
        }
        waiter.resume();
    }

private:
    Numbers* numbers_;
    Series series_;
};

Numbers::Block& Numbers::block(Series series) { return blocks_.at(static_cast<std::size_t>(series)); }

Numbers::Turn Numbers::turn(Series series, std::int64_t count) {
    const std::lock_guard lock(mutex_);
    Block& b = block(series);
    Turn result;
    if (b.end - b.at >= count) {
        result.number = b.at;
        b.at += count;
    } else if (!b.reserving) {
        b.reserving = true;
        result.lead = true;
    }
    return result;
}

core::Task<void> Numbers::reserved(Series series) {
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
        Hang(this, series), boost::asio::use_awaitable);
}

core::Task<void> Numbers::reserve(Series series) {
    const std::string name(to_string(series));
    for (;;) {
        Values key = values(name);
        const auto row = co_await read_one(db_, number_read, std::move(key));
        Batch batch;
        if (!row) {
            batch.add(number_create, values(name), Expect::any);
            const Written created = co_await db_.write(std::move(batch));
            created.value();
            continue;
        }
        const std::int64_t first = row->integer(0);
        batch.add(number_reserve, values(name, first));
        const Written written = co_await db_.write(std::move(batch));
        if (!written) continue;  // another node was first
        const std::lock_guard lock(mutex_);
        Block& b = block(series);
        if (b.end != first) b.at = first;  // else the new block goes on where the last one ends
        b.end = first + block_size;
        co_return;
    }
}

core::Task<std::int64_t> Numbers::next(Series series) { return next(series, 1); }

core::Task<std::int64_t> Numbers::next(Series series, std::int64_t count) {
    if (count < 1 || count > block_size) {
        throw std::logic_error("store: " + std::to_string(count) + " numbers at once; 1 to 1000 are possible");
    }
    for (;;) {
        const Turn mine = turn(series, count);
        if (mine.number) co_return *mine.number;
        if (mine.lead) {
            const Lead lead(*this, series);
            co_await reserve(series);
        } else {
            co_await reserved(series);
        }
    }
}

}  // namespace postern::store
