#include "store/postgres/fault.hpp"

#include <algorithm>
#include <array>

namespace postern::store::postgres {

namespace {
std::string field(const PGresult* result, int which) {
    const char* text = PQresultErrorField(result, which);
    return text == nullptr ? std::string() : text;
}
}  // namespace

Refusal::Refusal(const PGresult* result)
    : sqlstate(field(result, PG_DIAG_SQLSTATE)), message(one_line(field(result, PG_DIAG_MESSAGE_PRIMARY))) {
    // What libpq itself has to say, of a connection that broke, has no fields.
    if (message.empty()) message = one_line(PQresultErrorMessage(result));
}

Meaning meaning_of(std::string_view sqlstate) noexcept {
    struct Case {
        std::string_view state;
        Meaning meaning;
    };
    static constexpr Case cases[] = {
        {missed_expectation, Meaning::expectation},
        {"23505", Meaning::duplicate},
        {"23503", Meaning::referenced},
        {"23001", Meaning::referenced},
        {"40001", Meaning::again},        // serialization_failure
        {"40P01", Meaning::again},        // deadlock_detected
        {"25006", Meaning::elsewhere},    // read_only_sql_transaction: a failover, or a switchover that begins
        {"0A000", Meaning::elsewhere},    // a prepared plan whose columns a migration changed
        {"26000", Meaning::elsewhere},    // a prepared statement that the session lost
        {"08P01", Meaning::bug},          // protocol_violation: another number of parameters
        {"42501", Meaning::unavailable},  // insufficient_privilege: for the operator, as a file's mode would be
    };
    for (const auto& c : cases)
        if (c.state == sqlstate) return c.meaning;
    // Data exceptions, constraints, syntax and access rules, RAISE, limits of the program.
    static constexpr std::array<std::string_view, 12> ours{"21", "22", "23", "24", "25", "2B", "2D", "2F", "34", "42", "54", "P0"};
    const bool bug = std::any_of(ours.begin(), ours.end(), [&](std::string_view c) { return sqlstate.starts_with(c); });
    return bug ? Meaning::bug : Meaning::unavailable;
}

}  // namespace postern::store::postgres
