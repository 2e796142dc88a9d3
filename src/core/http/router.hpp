#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/http/message.hpp"

namespace postern::http {

using Handler = std::function<core::Task<Response>(const Request&)>;
/// Renders an error in the words of the protocol that owns the prefix (404, 405, 408, 413, 415, 421,
/// 500, 503). A task, since what a protocol owes with every answer may have to be fetched.
using ErrorPage = std::function<core::Task<Response>(const Request&, unsigned status, std::string_view detail)>;

struct RouteLimits {
    RouteLimits() = default;
    std::size_t body_bytes = 64 * 1024;
    std::chrono::milliseconds time{30'000};  ///< deadline of the handler, from the request's head
};

/// Path patterns with typed parameters: "/acme/{endpoint:label}/order/{order:token}".
/// Types: label ([a-z0-9][a-z0-9._-]{0,63}), token (22 base64url characters), number (1..2^63-1),
/// serial (1..64 hexadecimal digits, colons and "x": as crypto::serial_from_text reads it), file (letters of both
/// cases, digits, '.', '_', '-'; "abc.cer"), segment (1..256 octets, whatever they are: for handlers that say themselves what is wrong with one).
/// A parameter is a whole segment; a literal wins over a parameter, a narrow type over a wide one.
/// A segment of the wrong type is 404; a known path with another method is 405 with Allow.
class Router {
public:
    Router();
    ~Router();
    Router(Router&&) noexcept;
    Router& operator=(Router&&) noexcept;

    /// Throws std::logic_error for a bad pattern or a second route at the same method and pattern.
    void add(Method method, std::string_view pattern, RouteLimits limits, Handler handler);
    /// Errors below `prefix` are rendered by `page`; the longest prefix wins.
    void error_page(std::string_view prefix, ErrorPage page);

    struct Match {
        Match() = default;
        const Handler* handler = nullptr;  ///< null: see status
        unsigned status = 200;             ///< 404 or 405 when there is no handler
        std::string allow;                 ///< for 405
        RouteLimits limits;
        std::string_view pattern;          ///< label of the metrics; "" when unmatched
        Params params;
        bool head_of_get = false;          ///< run the GET handler, send no body
    };
    /// HEAD falls back to GET where no HEAD route exists.
    [[nodiscard]] Match match(Method method, std::string_view path) const;
    /// `request` and `detail` must outlive the task.
    core::Task<Response> error(const Request& request, unsigned status, std::string_view detail) const;
    /// The 404 or 405 (with Allow) of a match without a handler.
    core::Task<Response> unmatched(const Match& match, const Request& request) const;

    /// Matches and runs in process, without a socket: command-line verbs and tests.
    core::Task<Response> handle(Request request) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::http
