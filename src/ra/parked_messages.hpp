#pragma once
#include <string>

#include "core/async/task.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "ra/principals.hpp"
#include "store/database.hpp"
#include "store/numbers.hpp"
#include "store/tables/outbox.hpp"

/// What the outbox gave up sending (outbox.hpp) waits for a person: to be sent again, or never.
namespace postern::ra {

class ParkedMessages {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        const core::Clock& clock;
    };
    explicit ParkedMessages(Deps deps) : deps_(deps) {}

    enum class Status { parked, waiting };
    /// Ids above `after`, rising, at most `limit`.
    core::Task<std::vector<store::OutboxEntry>> page(Status status, std::string after, std::int64_t limit);
    /// Sent again from the first try on, as soon as its sender has time. `not_found` for what is not parked.
    core::Task<core::Result<void>> retry(std::string id, Principal by, core::RequestId request);
    /// Never sent; its content stays in the audit. `not_found` for what is not parked.
    core::Task<core::Result<void>> drop(std::string id, Principal by, core::RequestId request);

private:
    core::Task<core::Result<void>> conclude(store::Batch batch, std::string id, std::string action, Principal by, core::RequestId request);
    Deps deps_;
};

}  // namespace postern::ra
