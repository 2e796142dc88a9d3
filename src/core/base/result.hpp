#pragma once
#include <boost/system/result.hpp>
#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

/// What a client can cause or a policy decides is a Result; a broken invariant, a lost store or no
/// memory is an exception, caught once in the HTTP session.
namespace postern::core {

/// One vocabulary of refusals for all protocols. Each front end maps it with a switch that has no
/// default (acme/problem_map, later scep/fail_map and est/status_map).
enum class ProblemKind {
    malformed,            ///< the bytes are not what the protocol says
    unauthenticated,      ///< nobody, or not who they say
    forbidden,            ///< known, but not allowed this
    not_found,            ///< absent, or not theirs to know of
    conflict,             ///< somebody else was first, or the state moved on
    bad_csr,
    bad_public_key,
    rejected_identifier,  ///< a name that policy or scope refuses
    unsupported_identifier,
    invalid_profile,
    bad_content,          ///< subject, dates or extensions that the profile refuses
    rate_limited,
    dns,                  ///< validation: the look-up failed
    connection,           ///< validation: could not connect, or the peer broke off
    tls,
    incorrect_response,   ///< validation: reached, and the answer is wrong
    caa,
    already_revoked,
    bad_revocation_reason,
    unsupported,          ///< the operation does not exist here
    unavailable,          ///< full, draining or waiting for a part that is away: try again
    internal,
};
std::string_view to_string(ProblemKind kind) noexcept;

struct Subproblem {
    Subproblem() = default;
    Subproblem(ProblemKind k, std::string d, std::string type, std::string value)
        : kind(k), detail(std::move(d)), identifier_type(std::move(type)), identifier(std::move(value)) {}
    ProblemKind kind{};
    std::string detail;
    std::string identifier_type;  ///< "dns" or "ip"
    std::string identifier;
};

/// A refusal. `detail` is written for the person who reads the client's output: what is wrong and
/// what would be right. `check` names the policy check that refused ("names.scope"), or is empty.
struct Problem {
    Problem() = default;
    Problem(ProblemKind k, std::string d, std::string c = {})
        : kind(k), detail(std::move(d)), check(std::move(c)) {}
    ProblemKind kind = ProblemKind::internal;
    std::string detail;
    std::string check;
    std::vector<Subproblem> subproblems;
    std::optional<std::chrono::seconds> retry_after;
};

/// A bool that nothing but a bool becomes. A result<bool> of Boost's is made of whatever has a truth, and so of another
/// result: where that one is not to be moved from, its copy would be true, also of false and of a refusal.
class Truth {
public:
    constexpr Truth() noexcept = default;
    template <std::same_as<bool> B>
    constexpr Truth(B value) noexcept : value_(value) {}  // NOLINT(google-explicit-constructor): it is one
    constexpr operator bool() const noexcept { return value_; }  // NOLINT(google-explicit-constructor)

private:
    bool value_ = false;
};

template <class T>
using Result = boost::system::result<std::conditional_t<std::is_same_v<T, bool>, Truth, T>, Problem>;

/// The same for templates that find out what it holds; V is Truth where that is a bool.
template <class V>
using ResultOf = boost::system::result<V, Problem>;

/// ADL hook of boost::system::result: value() on a refusal is a programming error.
[[noreturn]] void throw_exception_from_error(const Problem& problem, const boost::source_location& where);

}  // namespace postern::core
