#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/http/message.hpp"
#include "core/http/server.hpp"

/// Strict reading of a request's head (RFC 9112 §2–§6). What two readers could take in two ways is
/// refused, since request smuggling lives on such differences (H04, H05, H08). For core/http only.
namespace postern::http {

struct Refusal {
    Refusal() = default;
    Refusal(unsigned s, std::string_view d) noexcept : status(s), detail(d) {}
    unsigned status = 0;      ///< 0: none
    std::string_view detail;  ///< a literal
    explicit operator bool() const noexcept { return status != 0; }
};

/// Finds the end of a head in bytes that arrive piecemeal, and refuses as early as it can.
class HeadScanner {
public:
    explicit HeadScanner(const ServerLimits& limits) noexcept : limits_(&limits) {}
    /// `bytes` begins where it began at the last call and may have grown. True: the head is
    /// complete, [begin(), end()) with its blank line.
    bool scan(std::string_view bytes, Refusal& refusal) noexcept;
    [[nodiscard]] std::size_t begin() const noexcept { return begin_; }
    [[nodiscard]] std::size_t end() const noexcept { return scanned_; }

private:
    Refusal over_limit(std::size_t size) const noexcept;

    const ServerLimits* limits_;
    std::size_t scanned_ = 0;     // everything before is in complete lines
    std::size_t begin_ = 0;       // the request line
    std::size_t fields_ = 0;      // where the field lines begin, 0: not yet
    std::size_t field_lines_ = 0;
};

/// What the head says about the rest of the message.
struct Framing {
    Framing() = default;
    bool http_1_0 = false;
    bool keep_alive = true;
    bool chunked = false;
    std::uint64_t content_length = 0;
    bool expects_continue = false;
    bool encoded = false;  ///< a Content-Encoding other than identity

    [[nodiscard]] bool has_body() const noexcept { return chunked || content_length > 0; }
};

/// Fills method, target, path, query, host and headers. `head` includes the blank line.
Refusal parse_head(std::string_view head, const ServerLimits& limits, Request& request, Framing& framing);

/// Digits only, at most 2^63-1.
std::optional<std::uint64_t> parse_length(std::string_view digits) noexcept;

}  // namespace postern::http
