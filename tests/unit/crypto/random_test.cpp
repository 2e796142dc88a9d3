#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include "core/crypto/random_stock.hpp"
#include "core/crypto/system_random.hpp"

using namespace postern;

namespace {

void ones(std::span<std::uint8_t> out) { std::ranges::fill(out, std::uint8_t{1}); }
void nothing(std::span<std::uint8_t>) { throw std::runtime_error("no entropy"); }

/// The octets where a stock stood, once it is gone.
std::vector<std::uint8_t> left_by(void (*use)(crypto::RandomStock&)) {
    alignas(crypto::RandomStock) std::uint8_t place[sizeof(crypto::RandomStock)] = {};
    auto* stock = std::construct_at(reinterpret_cast<crypto::RandomStock*>(place), &ones);
    use(*stock);
    std::destroy_at(stock);
    std::vector<std::uint8_t> out(sizeof place);
    std::memcpy(out.data(), place, sizeof place);
    return out;
}

void take_a_few(crypto::RandomStock& stock) {
    std::uint8_t few[8];
    stock.take(few);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(crypto_random)

BOOST_AUTO_TEST_CASE(what_was_not_taken_is_wiped_at_the_end) {
    const auto left = left_by(&take_a_few);
    // The pointer to `ones` and the count are no secrets: no run of ones as long as the shortest token is left.
    const std::vector<std::uint8_t> run(8, 1);
    BOOST_TEST((std::ranges::search(left, run).empty()));
}

BOOST_AUTO_TEST_CASE(a_draw_that_failed_gives_out_nothing) {
    crypto::RandomStock stock(&nothing);
    std::uint8_t few[8];
    BOOST_CHECK_THROW(stock.take(few), std::runtime_error);
    BOOST_CHECK_THROW(stock.take(few), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(tokens_differ_and_begin_with_no_hyphen) {
    crypto::SystemRandom random;
    std::vector<std::string> tokens;
    for (int i = 0; i < 2000; ++i) tokens.push_back(random.token());
    BOOST_TEST(std::ranges::none_of(tokens, [](const auto& token) { return token.size() != 22 || token.starts_with('-'); }));
    std::ranges::sort(tokens);
    BOOST_TEST((std::ranges::adjacent_find(tokens) == tokens.end()));
}

BOOST_AUTO_TEST_SUITE_END()
