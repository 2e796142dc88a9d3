#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>

#include "ca/builtin/authority.hpp"
#include "core/crypto/system_random.hpp"

using namespace postern;

BOOST_AUTO_TEST_SUITE(ca_serials)

/// X14. The top bit is clear, so that a serial takes 16 octets as a positive INTEGER; the first octet
/// is 1 to 127, drawn evenly. So the bit below is set in 64 of 127, the lowest of the last in half.
BOOST_AUTO_TEST_CASE(a_million_serials_are_16_octets_each_its_own_and_even) {
    constexpr std::size_t draws = 1'000'000;
    crypto::SystemRandom random;
    std::vector<std::array<std::uint8_t, 16>> serials(draws);
    std::array<std::size_t, 128> set_bits{};
    bool right = true;
    for (auto& kept : serials) {
        const auto serial = ca::random_serial(random);
        right = right && serial.size() == kept.size() && serial[0] >= 1 && serial[0] <= 0x7f;
        if (!right) break;
        std::copy(serial.begin(), serial.end(), kept.begin());
        for (std::size_t bit = 0; bit < 128; ++bit) set_bits[bit] += (serial[bit / 8] >> (7 - bit % 8)) & 1U;
    }
    BOOST_TEST_REQUIRE(right);
    std::sort(serials.begin(), serials.end());
    BOOST_TEST((std::adjacent_find(serials.begin(), serials.end()) == serials.end()));
    BOOST_TEST(set_bits[0] == 0U);
    // Ten standard deviations (500 each) beside the mean never happen to an even source.
    for (std::size_t bit = 1; bit < 128; ++bit) {
        const double expected = bit < 8 ? draws * 64.0 / 127 : draws / 2.0;
        BOOST_TEST(std::abs(static_cast<double>(set_bits[bit]) - expected) < 5000, "bit " << bit << ": " << set_bits[bit]);
    }
}

BOOST_AUTO_TEST_SUITE_END()
