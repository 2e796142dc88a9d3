#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::core {

/// Wall time, milliseconds since the Unix epoch, UTC. What the database stores in …_ms columns.
using TimePoint = std::chrono::sys_time<std::chrono::milliseconds>;
/// Monotonic time; what deadlines are made of.
using SteadyPoint = std::chrono::steady_clock::time_point;

constexpr std::int64_t to_ms(TimePoint t) noexcept { return t.time_since_epoch().count(); }
constexpr TimePoint from_ms(std::int64_t ms) noexcept { return TimePoint{std::chrono::milliseconds{ms}}; }
constexpr TimePoint floor_seconds(TimePoint t) noexcept {
    return std::chrono::floor<std::chrono::seconds>(t);
}

/// RFC 3339 in UTC, whole seconds: "2026-11-21T08:00:00Z".
std::string rfc3339(TimePoint t);
/// Accepts fractions and offsets; nullopt for anything else.
std::optional<TimePoint> from_rfc3339(std::string_view text);
/// "30s", "10m", "12h", "90d", "250ms"; nullopt for anything else, zero and negative included.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string format_duration(std::chrono::milliseconds d);

}  // namespace postern::core
