#include "store/tables/credential_use.hpp"
#include "store/tables/objects.hpp"
#include "store/tables/open_account.hpp"
#include "store/tables/scep_challenge.hpp"
#include "tests/contract/store.hpp"

namespace postern::contract {

using store::values;

namespace {

store::CredentialUseRow use_of(std::uint8_t credential, std::int64_t enrollment, core::TimePoint kept_until = later) {
    store::CredentialUseRow row;
    row.endpoint = core::EndpointId(6);
    row.digest = core::Bytes(32, credential);
    row.spki_sha256 = core::Bytes(32, 0x55);
    row.enrollment = core::EnrollmentId(enrollment);
    row.state = "reserved";
    row.kept_until = kept_until;
    return row;
}

store::ScepChallengeRow challenge_of(std::int64_t id, bool bound, core::TimePoint expires = later) {
    store::ScepChallengeRow row;
    row.id = id;
    row.token = "challenge-token-" + std::to_string(id);
    row.tenant = core::TenantId(1);
    row.endpoint = core::EndpointId(6);
    row.account = core::AccountId(7);
    row.digest = core::Bytes(32, static_cast<std::uint8_t>(id));
    row.bound = bound;
    row.profile = "server";
    row.subject = R"([["CN","phone"]])";
    row.names = R"(["dns:phone.corp.example"])";
    row.key_type = "rsa-2048";
    row.status = "open";
    row.created = now;
    row.expires = expires;
    row.actor_kind = "principal";
    row.actor = "mdm";
    return row;
}

}  // namespace

void credential_uses(Store& s) {
    s.add_objects();
    s.add_enrollments();
    const auto find = [&](std::uint8_t credential) { return s.read(store::credential_use_find, values(6, core::Bytes(32, credential))); };
    s.does(store::credential_use_reserve, use_of(1, 12).insert_values());
    s.duplicates(store::credential_use_reserve, use_of(1, 11).insert_values());  // whoever comes second
    const auto row = store::CredentialUseRow::from(find(1).at(0));
    BOOST_TEST((row.endpoint == core::EndpointId(6) && row.enrollment == core::EnrollmentId(12) && row.state == "reserved"));
    BOOST_TEST((row.spki_sha256 == core::Bytes(32, 0x55) && row.kept_until == later));
    BOOST_TEST(find(2).empty());

    // Given back, it may be presented again; what became a certificate may not.
    s.does(store::credential_use_release, values(12));
    s.misses(store::credential_use_release, values(12));
    s.does(store::credential_use_reserve, use_of(1, 12).insert_values());
    s.does(store::credential_use_consume, values(12));
    s.misses(store::credential_use_consume, values(12));
    s.misses(store::credential_use_release, values(12));
    BOOST_TEST(store::CredentialUseRow::from(find(1).at(0)).state == "consumed");
    s.duplicates(store::credential_use_reserve, use_of(1, 11).insert_values());

    // Forgotten once nobody could present it; never while an intent rests on it.
    s.does(store::credential_use_reserve, use_of(2, 11).insert_values());
    s.misses(store::credential_use_prune, values(later));
    s.does(store::credential_use_prune, values(later + std::chrono::milliseconds(1)));
    BOOST_TEST((find(1).empty() && find(2).size() == 1U));
}

void scep_challenges(Store& s) {
    s.add_objects();
    s.add_enrollments();
    s.does(store::scep_challenge_insert, challenge_of(1, true).insert_values());
    s.duplicates(store::scep_challenge_insert, challenge_of(1, true).insert_values());
    const auto row = store::ScepChallengeRow::from(s.one(store::scep_challenge_find, values(6, core::Bytes(32, 1))));
    const auto want = challenge_of(1, true);
    BOOST_TEST(bool(row.insert_values() == want.insert_values()));
    BOOST_TEST(s.read(store::scep_challenge_find, values(6, core::Bytes(32, 2))).empty());
    BOOST_TEST(s.one(store::scep_challenge_by_token, values(want.token)).integer(0) == 1);
    BOOST_TEST(s.read(store::scep_challenge_by_token, values("another")).empty());

    // Room is for unbound ones that somebody may still use.
    s.does(store::scep_challenge_turn, values(7));
    s.misses(store::scep_challenge_turn, values(99));
    s.does(store::scep_challenge_room, values(7, now, 1));
    s.does(store::scep_challenge_insert, challenge_of(2, false).insert_values());
    s.does(store::scep_challenge_insert, challenge_of(3, false).insert_values());
    s.misses(store::scep_challenge_room, values(7, now, 2));
    s.does(store::scep_challenge_room, values(7, later, 1));  // they are over by then
    auto used = use_of(2, 12);
    s.does(store::credential_use_reserve, used.insert_values());
    s.does(store::scep_challenge_room, values(7, now, 2));

    const auto page = s.read(store::scep_challenge_page, values(0, 10, nullptr, nullptr));
    BOOST_TEST_REQUIRE(page.size() == 3U);
    BOOST_TEST((page[0].null(16) && page[0].null(17) && page[1].text(16) == "reserved" && page[1].integer(17) == 12));
    BOOST_TEST(s.one(store::scep_challenge_page, values(0, 1, 1, 6)).integer(0) == 1);
    BOOST_TEST(s.one(store::scep_challenge_page, values(2, 10, 1, 6)).integer(0) == 3);
    BOOST_TEST(s.read(store::scep_challenge_page, values(0, 10, 2, nullptr)).empty());
    BOOST_TEST(s.read(store::scep_challenge_page, values(0, 10, nullptr, 99)).empty());

    s.does(store::scep_challenge_guard, values(1));
    s.does(store::scep_challenge_withdraw, values(1));
    s.misses(store::scep_challenge_withdraw, values(1));
    s.misses(store::scep_challenge_guard, values(1));
    s.misses(store::scep_challenge_withdraw, values(2));  // an intent has it
    BOOST_TEST(store::ScepChallengeRow::from(s.one(store::scep_challenge_by_token, values(want.token))).status == "withdrawn");
    s.does(store::scep_challenge_withdraw, values(3));
    s.does(store::scep_challenge_room, values(7, now, 1));
    s.is_referenced(store::account_remove, values(7, 1));

    s.misses(store::scep_challenge_prune, values(later));
    s.any(store::scep_challenge_prune, values(later + std::chrono::milliseconds(1)));
    BOOST_TEST(s.read(store::scep_challenge_page, values(0, 10, nullptr, nullptr)).empty());
    // By the kind of account.
    s.does(store::account_insert, values(71, 1, "minted", "active", 1, "{}", now, now, "test", 6, 2, 3, "one_time", nullptr, nullptr));
    s.does(store::account_insert, values(72, 1, "minted-too", "active", 1, "{}", now, now, "test", 6, 2, 3, "one_time", nullptr, nullptr));
    s.does(store::account_insert, values(73, 1, "asked", "active", 1, "{}", now, now, "test", 6, 2, 3, "webhook", nullptr, core::Bytes(40, 1)));
    s.does(store::account_insert, values(74, 1, "found", "active", 1, "{}", now, now, "test", 6, 2, 3, "access_code", "code-1", nullptr));
    s.does(store::account_insert, values(75, 1, "chosen", "active", 1, "{}", now, now, "test", 6, 2, 3, "access_code", nullptr, core::Bytes(40, 1)));
    s.does(store::account_insert, values(76, 1, "chosen-off", "disabled", 1, "{}", now, now, "test", 6, 2, 3, "access_code", nullptr, core::Bytes(40, 1)));
    BOOST_TEST(s.read(store::account_minting, values(6, nullptr)).size() == 2U);
    BOOST_TEST(s.one(store::account_minting, values(6, "minted-too")).integer(0) == 72);
    BOOST_TEST(s.read(store::account_minting, values(6, "asked")).empty());
    const auto judging = s.read(store::account_judging, values(6));
    BOOST_TEST_REQUIRE(judging.size() == 2U);
    BOOST_TEST((judging[0].integer(0) == 73 && judging[1].integer(0) == 75));

    s.does(store::endpoint_insert, values(61, 1, "lab", "active", 1, "{}", now, now, "test", "scep"));
    s.does(store::account_insert, values(77, 1, "anybody-acme", "active", 1, "{}", now, now, "test", 6, 2, 3, "open", nullptr, nullptr));
    BOOST_TEST(s.read(store::account_open_devices).empty());  // ACME's has proofs of its own
    s.does(store::account_insert, values(78, 1, "anybody", "active", 1, "{}", now, now, "test", 61, 2, 3, "open", nullptr, nullptr));
    const auto open = s.one(store::account_open_devices);
    BOOST_TEST((open.text(0) == "default" && open.text(1) == "lab" && open.text(2) == "anybody" && open.text(3) == "scep"));
    s.does(store::endpoint_insert, values(62, 1, "est-lab", "active", 1, "{}", now, now, "test", "est"));
    s.does(store::account_insert, values(79, 1, "anybody-est", "active", 1, "{}", now, now, "test", 62, 2, 3, "open", nullptr, nullptr));
    BOOST_TEST(s.read(store::account_open_devices).at(1).text(3) == "est");

    s.does(store::scep_challenge_insert, challenge_of(4, true).insert_values());
    s.does(store::scep_challenge_prune, values(later + std::chrono::milliseconds(1)));
}

}  // namespace postern::contract
