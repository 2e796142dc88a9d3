#pragma once
#include <string>
#include <string_view>

#include "store/postgres/libpq.hpp"

namespace postern::store::postgres {

/// A refusal by the server. The message is its primary one: details would show rows.
struct Refusal {
    Refusal() = default;
    explicit Refusal(const PGresult* result);
    std::string sqlstate;
    std::string message;
    std::size_t step = 0;  ///< of a batch
};

/// What a SQLSTATE means for a call.
enum class Meaning {
    expectation,  ///< not exactly one row
    duplicate,    ///< a row that is unique
    referenced,   ///< a foreign key
    again,        ///< lost against other transactions: nothing happened, the same may succeed
    elsewhere,    ///< this server or session is the wrong one now: nothing happened
    unavailable,  ///< the server cannot at the moment
    bug,          ///< the program or its schema is wrong
};
Meaning meaning_of(std::string_view sqlstate) noexcept;

/// Raised by the function that holds an expectation.
inline constexpr std::string_view missed_expectation = "PE001";

}  // namespace postern::store::postgres
