#include "core/base/time.hpp"

#include <boost/test/unit_test.hpp>

#include "core/base/clock.hpp"

using namespace postern;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(base_time)

BOOST_AUTO_TEST_CASE(rfc3339_is_written_in_utc_with_whole_seconds) {
    BOOST_TEST(core::rfc3339(core::from_ms(0)) == "1970-01-01T00:00:00Z");
    BOOST_TEST(core::rfc3339(core::from_ms(1795248000999)) == "2026-11-21T08:00:00Z");
    BOOST_TEST(core::rfc3339(core::from_ms(253402300799000)) == "9999-12-31T23:59:59Z");
    BOOST_TEST(core::rfc3339(core::from_ms(-1)) == "1969-12-31T23:59:59Z");
}

BOOST_AUTO_TEST_CASE(rfc3339_forms_are_read) {
    const std::pair<std::string_view, std::int64_t> forms[] = {
        {"2026-11-21T08:00:00Z", 1795248000000},      {"2026-11-21t08:00:00z", 1795248000000},
        {"2026-11-21T09:30:00+01:30", 1795248000000}, {"2026-11-20T23:00:00-09:00", 1795248000000},
        {"2026-11-21T08:00:00.5Z", 1795248000500},    {"2026-11-21T08:00:00.123456789Z", 1795248000123},
        {"2026-11-21T08:00:00-00:00", 1795248000000}, {"2016-12-31T23:59:60Z", 1483228800000},
        {"2024-02-29T00:00:00Z", 1709164800000},      {"1969-12-31T23:59:59.250Z", -750},
        {"9999-12-31T23:59:59.999Z", 253402300799999}, {"0000-01-01T00:00:00Z", -62167219200000}};
    for (const auto& [text, ms] : forms) {
        const auto read = core::from_rfc3339(text);
        BOOST_REQUIRE_MESSAGE(read.has_value(), text);
        BOOST_TEST(core::to_ms(*read) == ms, text);
    }
}

BOOST_AUTO_TEST_CASE(other_forms_are_refused) {
    const std::string_view refused[] = {
        "", "2026-11-21", "2026-11-21T08:00:00", "2026-11-21 08:00:00Z", "2026-11-21T08:00Z", "2026-11-21T08:00:00.Z",
        "2026-11-21T24:00:00Z", "2026-11-21T08:60:00Z", "2026-11-21T08:00:61Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z", "2026-11-31T00:00:00Z", "2026-11-00T00:00:00Z", "2026-1-21T08:00:00Z", "+2026-11-21T08:00:00Z",
        "2026-11-21T08:00:00+0100", "2026-11-21T08:00:00+01", "2026-11-21T08:00:00+24:00", "2026-11-21T08:00:00+01:60",
        "2026-11-21T08:00:00Z ", " 2026-11-21T08:00:00Z", "2026-11-21T08:00:00ZZ", "20261121T080000Z", "1795248000",
        // An instant in a year that four digits cannot write.
        "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:60Z", "9999-12-31T23:59:59-00:01"};
    for (const auto text : refused) BOOST_TEST(!core::from_rfc3339(text), "accepted: " << text);
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back) {
    for (std::int64_t ms = -4'000'000'000'000; ms < 40'000'000'000'000; ms += 98'765'432'000) {
        const auto t = core::from_ms(ms);
        BOOST_TEST((core::from_rfc3339(core::rfc3339(t)) == t));
    }
}

BOOST_AUTO_TEST_CASE(durations_have_a_number_and_a_unit) {
    BOOST_TEST((core::parse_duration("250ms") == 250ms));
    BOOST_TEST((core::parse_duration("30s") == 30s));
    BOOST_TEST((core::parse_duration("10m") == 10min));
    BOOST_TEST((core::parse_duration("12h") == 12h));
    BOOST_TEST((core::parse_duration("90d") == 24h * 90));
    for (const std::string_view text : {"", "30", "s", "0s", "-1s", "+1s", "1.5h", "1 s", " 1s", "1s ", "1h30m", "1w", "1S", "100001d",
                                        "99999999999999999999s", "9223372036854775807d"})
        BOOST_TEST(!core::parse_duration(text), "accepted: " << text);
}

BOOST_AUTO_TEST_CASE(durations_are_written_in_the_largest_exact_unit) {
    const std::pair<std::chrono::milliseconds, std::string_view> forms[] = {
        {250ms, "250ms"}, {1500ms, "1500ms"}, {30s, "30s"}, {90s, "90s"}, {60s, "1m"}, {1h, "1h"}, {36h, "36h"}, {48h, "2d"}, {0ms, "0s"}};
    for (const auto& [duration, text] : forms) {
        BOOST_TEST(core::format_duration(duration) == text);
        if (duration.count() != 0) {
            BOOST_TEST((core::parse_duration(text) == duration));
        }
    }
}

BOOST_AUTO_TEST_CASE(floor_seconds_goes_down_before_the_epoch_too) {
    BOOST_TEST(core::to_ms(core::floor_seconds(core::from_ms(1999))) == 1000);
    BOOST_TEST(core::to_ms(core::floor_seconds(core::from_ms(-1))) == -1000);
}

BOOST_AUTO_TEST_CASE(system_clock_is_unix_time_and_steady_never_falls) {
    const core::SystemClock clock;
    BOOST_TEST(core::to_ms(clock.now()) > 1'700'000'000'000);
    const auto first = clock.steady();
    BOOST_TEST((clock.steady() >= first));
}

BOOST_AUTO_TEST_CASE(fake_clock_moves_only_when_told) {
    core::FakeClock clock(core::from_ms(1000));
    const auto steady = clock.steady();
    BOOST_TEST(core::to_ms(clock.now()) == 1000);
    clock.advance(5s);
    BOOST_TEST(core::to_ms(clock.now()) == 6000);
    BOOST_TEST((clock.steady() - steady == 5s));
}

BOOST_AUTO_TEST_SUITE_END()
