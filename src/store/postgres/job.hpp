#pragma once
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <variant>

#include "store/database.hpp"
#include "store/postgres/fault.hpp"
#include "store/waiter.hpp"

namespace postern::store::postgres {

/// Names one try of a batch. The batch inserts it as a row; so whoever inserts the same one later learns whether
/// the batch was committed, and where it was not, makes sure that it never will be, however often it asks.
struct Mark {
    std::int64_t session = 0;  ///< of the connection, random
    std::int64_t number = 0;
};

/// A call on its way: a read of one statement, or a batch.
struct Job {
    using Read = Waiter<std::exception_ptr, Rows>;
    using Write = Waiter<std::exception_ptr, Written>;
    /// settle: the connection broke after the batch was sent, and its mark is asked for.
    enum class Stage { run, settle };

    Job(Read waiter, const Statement& statement, Values parameters) : resume(std::move(waiter)) {
        batch.add(statement, std::move(parameters), Expect::any);
    }
    Job(Write waiter, Batch b) : resume(std::move(waiter)), batch(std::move(b)) {}
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    [[nodiscard]] bool writes() const noexcept { return std::holds_alternative<Write>(resume); }

    std::variant<Read, Write> resume;
    Batch batch;
    Stage stage = Stage::run;
    int tries = 0;
    Mark mark;                         ///< of the try that was sent last
    core::Deadline until{};            ///< to be sent, and to be settled
    core::Deadline sent{};

    // What the exchange brought.
    std::optional<Refusal> refusal;
    bool never_committed = false;      ///< stage settle: the batch did not happen and never will

    // What the caller gets.
    Rows rows;
    Written written;
    std::exception_ptr failure;
};
using JobPtr = std::unique_ptr<Job>;

}  // namespace postern::store::postgres
