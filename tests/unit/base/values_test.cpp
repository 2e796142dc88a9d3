#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <type_traits>

#include "core/base/bytes.hpp"
#include "core/base/ids.hpp"
#include "core/base/random.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"

using namespace postern;

namespace {

/// Gives 0, 1, 2, …
class CountingRandom final : public core::Random {
public:
    void fill(std::span<std::uint8_t> out) override {
        for (auto& octet : out) octet = next_++;
    }

private:
    std::uint8_t next_ = 0;
};

constexpr core::ProblemKind kinds[] = {
    core::ProblemKind::malformed, core::ProblemKind::unauthenticated, core::ProblemKind::forbidden, core::ProblemKind::not_found,
    core::ProblemKind::conflict, core::ProblemKind::bad_csr, core::ProblemKind::bad_public_key, core::ProblemKind::rejected_identifier,
    core::ProblemKind::unsupported_identifier, core::ProblemKind::invalid_profile, core::ProblemKind::bad_content,
    core::ProblemKind::rate_limited, core::ProblemKind::dns, core::ProblemKind::connection, core::ProblemKind::tls,
    core::ProblemKind::incorrect_response, core::ProblemKind::caa, core::ProblemKind::already_revoked,
    core::ProblemKind::bad_revocation_reason, core::ProblemKind::unsupported, core::ProblemKind::unavailable, core::ProblemKind::internal};

struct OneOctetRandom : core::Random {
    explicit OneOctetRandom(std::uint8_t every) : octet(every) {}
    void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, octet); }
    std::uint8_t octet;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(base_values)

BOOST_AUTO_TEST_CASE(constant_time_compare_tells_contents_and_lengths_apart) {
    const core::Bytes a{1, 2, 3};
    BOOST_TEST(core::equal_constant_time(a, core::Bytes{1, 2, 3}));
    BOOST_TEST(!core::equal_constant_time(a, core::Bytes{1, 2, 4}));
    BOOST_TEST(!core::equal_constant_time(a, core::Bytes{0, 2, 3}));
    BOOST_TEST(!core::equal_constant_time(a, core::Bytes{1, 2}));
    BOOST_TEST(core::equal_constant_time({}, {}));
}

BOOST_AUTO_TEST_CASE(token_is_22_characters_of_base64url) {
    CountingRandom random;
    BOOST_TEST(random.token() == "AAECAwQFBgcICQoLDA0ODw");
}

BOOST_AUTO_TEST_CASE(token_never_begins_with_a_hyphen_which_command_lines_take_for_an_option) {
    for (unsigned octet = 0; octet < 256; ++octet) {
        OneOctetRandom random(static_cast<std::uint8_t>(octet));
        BOOST_TEST(random.token().front() != '-', octet);
    }
}

BOOST_AUTO_TEST_CASE(request_id_is_16_characters_of_base32_the_first_half_of_them_the_time) {
    CountingRandom random;
    const auto first = random.request_id().get();
    const auto second = random.request_id().get();
    BOOST_TEST(first.size() == 16U);
    BOOST_TEST(first.substr(8) == "234567ab");
    BOOST_TEST(second.substr(8) == "cdefghij");
    BOOST_TEST(first.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567") == std::string::npos);
    // In sorting order, so that an index of them grows at one end.
    const auto now = [] { return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count() & 0xffffffffff; };
    const auto before = now();
    const auto made = random.request_id().get();
    const auto after = now();
    std::int64_t time = 0;
    for (const char c : made.substr(0, 8)) time = time * 32 + static_cast<std::int64_t>(std::string_view("234567abcdefghijklmnopqrstuvwxyz").find(c));
    BOOST_TEST(before <= time);
    BOOST_TEST(time <= after);
    BOOST_TEST(random.bytes(3).size() == 3U);
}

BOOST_AUTO_TEST_CASE(secrets_move_and_leave_nothing_behind) {
    core::SecretText secret(std::string(100, 'x'));
    core::SecretText moved(std::move(secret));
    BOOST_TEST(moved.expose() == std::string(100, 'x'));
    BOOST_TEST(secret.empty());  // NOLINT(bugprone-use-after-move): that is the claim
    const core::SecretText copy = moved.clone();
    BOOST_TEST(copy.expose() == moved.expose());
    static_assert(!std::is_copy_constructible_v<core::SecretText>);
    static_assert(!std::is_copy_assignable_v<core::SecretText>);
}

BOOST_AUTO_TEST_CASE(cleanse_overwrites) {
    core::Bytes bytes(64, 0xaa);
    core::cleanse(bytes.data(), bytes.size());
    BOOST_TEST((bytes == core::Bytes(64)));
    core::cleanse(nullptr, 0);
}

BOOST_AUTO_TEST_CASE(every_kind_has_its_own_name) {
    std::set<std::string_view> names;
    for (const auto kind : kinds) names.insert(core::to_string(kind));
    BOOST_TEST(names.size() == std::size(kinds));
    BOOST_TEST(core::to_string(core::ProblemKind::bad_csr) == "bad_csr");
}

BOOST_AUTO_TEST_CASE(value_of_a_refusal_throws_with_its_detail) {
    const core::Result<int> refusal = core::Problem(core::ProblemKind::conflict, "somebody was first");
    const auto names_it = [](const std::logic_error& e) {
        const std::string_view what = e.what();
        return what.find("conflict: somebody was first") != std::string_view::npos;
    };
    BOOST_CHECK_EXCEPTION(static_cast<void>(refusal.value()), std::logic_error, names_it);
}

BOOST_AUTO_TEST_CASE(strong_ids_compare_and_hash_but_do_not_mix) {
    const core::AccountId a(7);
    BOOST_TEST((a == core::AccountId(7)));
    BOOST_TEST((a < core::AccountId(8)));
    BOOST_TEST(std::hash<core::AccountId>{}(a) == std::hash<core::AccountId>{}(core::AccountId(7)));
    static_assert(!std::is_convertible_v<core::AccountId, core::TenantId>);
    static_assert(!std::is_convertible_v<std::int64_t, core::AccountId>);
}

BOOST_AUTO_TEST_SUITE_END()
