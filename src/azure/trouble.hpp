#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "core/base/result.hpp"

/// How calls of Microsoft's services fail, before anybody else hears of it. For src/azure only.
namespace postern::azure {

enum class Trouble {
    unreachable,   ///< no connection, no answer in time, 408, 5xx
    throttled,     ///< 429
    unauthorized,  ///< 401: the token
    permission,    ///< 403
    gone,          ///< 404, 410
    rejected,      ///< another status: asking again changes nothing
    credentials,   ///< Entra knows the application or its credential not
    service,       ///< a service is not where it should be
    answer,        ///< not what the contract says
    breaker,
    disabled,
};

struct Failure {
    Failure() = default;
    Failure(Trouble t, std::string d, std::string a = {}) : trouble(t), detail(std::move(d)), advice(std::move(a)) {}
    Trouble trouble = Trouble::answer;
    std::string detail;  ///< a sentence that names the service and no secret
    std::string advice;  ///< what an administrator does about it
    std::optional<std::chrono::seconds> retry_after;
    bool at_once = false;  ///< a connection that was kept had ended: the next try needs no pause
    unsigned aadsts = 0; ///< Entra's number, if it gave one
    /// The next second may be another.
    [[nodiscard]] bool passing() const noexcept { return trouble == Trouble::unreachable || trouble == Trouble::throttled; }
};
[[noreturn]] void throw_exception_from_error(const Failure& failure, const boost::source_location& where);

template <class T>
using Attempt = boost::system::result<T, Failure>;

/// "intune.unreachable" and so on: the check of a Problem.
std::string_view check_of(Trouble trouble) noexcept;
core::Problem to_problem(const Failure& failure);

}  // namespace postern::azure
