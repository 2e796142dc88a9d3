#include "core/base/time.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace postern::core {
namespace {

using std::chrono::milliseconds;

/// Takes exactly `digits` decimal digits from the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
    if (text.size() < digits) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) return false;
    text.remove_prefix(1);
    return true;
}

/// time-secfrac of RFC 3339: one or more digits; what is finer than a millisecond is cut off.
std::optional<int> take_fraction(std::string_view& text) {
    int value = 0;
    std::size_t digits = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        if (digits < 3) value = value * 10 + (text.front() - '0');
        ++digits;
        text.remove_prefix(1);
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 3; ++digits) value *= 10;
    return value;
}

/// time-offset of RFC 3339.
std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
    if (take(text, 'Z') || take(text, 'z')) return std::chrono::minutes{0};
    const int sign = take(text, '+') ? 1 : take(text, '-') ? -1 : 0;
    if (sign == 0) return std::nullopt;
    const auto hours = take_number(text, 2);
    if (!hours || *hours > 23 || !take(text, ':')) return std::nullopt;
    const auto minutes = take_number(text, 2);
    if (!minutes || *minutes > 59) return std::nullopt;
    return std::chrono::minutes{sign * (*hours * 60 + *minutes)};
}

struct Unit {
    std::string_view suffix;
    std::int64_t ms;
};
/// Largest first: format_duration takes the first that divides.
constexpr std::array<Unit, 5> units{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

/// A hundred thousand days: beyond any certificate, and far from overflow.
constexpr std::int64_t longest_duration_ms = 100'000LL * 86'400'000;

}  // namespace

std::string rfc3339(TimePoint t) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(t);
    const auto day = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{seconds - day};
    std::array<char, 40> out{};
    const int size = std::snprintf(out.data(), out.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                                   static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                   static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                                   static_cast<int>(clock.seconds().count()));
    return {out.data(), static_cast<std::size_t>(size)};
}

std::optional<TimePoint> from_rfc3339(std::string_view text) {
    const auto year = take_number(text, 4);
    if (!year || !take(text, '-')) return std::nullopt;
    const auto month = take_number(text, 2);
    if (!month || !take(text, '-')) return std::nullopt;
    const auto day = take_number(text, 2);
    if (!day || !(take(text, 'T') || take(text, 't'))) return std::nullopt;
    const auto hour = take_number(text, 2);
    if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
    const auto minute = take_number(text, 2);
    if (!minute || *minute > 59 || !take(text, ':')) return std::nullopt;
    const auto second = take_number(text, 2);
    // 60 is a leap second (RFC 3339 §5.6), which Unix time counts as the next second.
    if (!second || *second > 60) return std::nullopt;
    int fraction = 0;
    if (take(text, '.')) {
        const auto found = take_fraction(text);
        if (!found) return std::nullopt;
        fraction = *found;
    }
    const auto offset = take_offset(text);
    if (!offset || !text.empty()) return std::nullopt;

    const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok()) return std::nullopt;
    const TimePoint time = TimePoint{std::chrono::sys_days{date}} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
                           std::chrono::seconds{*second} + milliseconds{fraction} - *offset;
    // An offset or a leap second can lead into a year that four digits cannot write.
    const TimePoint first{std::chrono::sys_days{std::chrono::year{0} / 1 / 1}}, behind{std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1}};
    if (time < first || time >= behind) return std::nullopt;
    return time;
}

std::optional<milliseconds> parse_duration(std::string_view text) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || count <= 0) return std::nullopt;
    const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
    for (const auto& unit : units) {
        if (suffix != unit.suffix) continue;
        if (count > longest_duration_ms / unit.ms) return std::nullopt;
        return milliseconds{count * unit.ms};
    }
    return std::nullopt;
}

std::string format_duration(milliseconds d) {
    for (const auto& unit : units)
        if (d.count() != 0 && d.count() % unit.ms == 0) return std::to_string(d.count() / unit.ms) + std::string(unit.suffix);
    return "0s";
}

}  // namespace postern::core
