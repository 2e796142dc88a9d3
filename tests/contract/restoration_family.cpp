#include "store/tables/restoration.hpp"

#include "store/tables/acme_authorization.hpp"
#include "store/tables/acme_order.hpp"
#include "store/tables/credential_use.hpp"
#include "store/tables/enrollment.hpp"
#include "store/tables/objects.hpp"
#include "store/tables/principal.hpp"
#include "store/tables/scep_challenge.hpp"
#include "store/tables/setting.hpp"
#include "tests/contract/store.hpp"

namespace postern::contract {

using store::values;

void restorations(Store& s) {
    s.add_objects();
    s.add_enrollments();
    s.add_acme();
    const auto order = [&] { return store::AcmeOrderRow::from(s.one(store::acme_order_owned, values("acme-order-token-00041", 31))); };
    const auto authorization = [&](std::string_view token) { return s.one(store::acme_authorization_owned, values(token, 31)).text(7); };
    const auto challenge = [&](int of) { return store::AcmeChallengeRow::from(s.one(store::acme_challenges_of, values(of))); };

    const core::Bytes none;
    const auto doubtful = s.read(store::enrollment_in_doubt, values(0, none));
    BOOST_TEST_REQUIRE(doubtful.size() == 1U);
    const auto in_doubt = doubtful[0].integer(0);
    BOOST_TEST(s.read(store::enrollment_in_doubt, values(in_doubt, none)).empty());
    s.any(store::enrollment_unknown_all, values(later, R"({"detail":"lost"})", none));
    BOOST_TEST(s.read(store::enrollment_in_doubt, values(0, none)).empty());
    const auto unknown = store::EnrollmentRow::from(s.one(store::enrollment_by_id, values(in_doubt)));
    BOOST_TEST((unknown.status == "unknown" && unknown.attempt_bound && unknown.problem == R"({"detail":"lost"})" && unknown.updated == later));

    s.does(store::acme_authorization_valid, values(51, now, nullptr));
    s.does(store::acme_challenge_valid, values(61, now));
    s.any(store::acme_order_void_all, values(later, R"({"type":"void"})"));
    s.any(store::acme_authorization_void_all, values(later));
    s.any(store::acme_challenge_void_all, values(later, R"({"type":"void"})"));
    BOOST_TEST((order().status == "invalid" && order().error == R"({"type":"void"})" && order().updated == later));
    BOOST_TEST(authorization("acme-authorization-051") == "revoked");
    BOOST_TEST(authorization("acme-authorization-052") == "invalid");
    BOOST_TEST(challenge(51).status == "valid");
    BOOST_TEST((challenge(52).status == "invalid" && challenge(52).error == R"({"type":"void"})"));

    s.does(store::scep_challenge_insert, values(1, "challenge-token-1", 1, 6, 7, core::Bytes(32, 1), true, "server", "[]", "[]", "", "open", now, later, "principal", "mdm"));
    s.does(store::scep_challenge_insert, values(2, "challenge-token-2", 1, 6, 7, core::Bytes(32, 2), true, "server", "[]", "[]", "", "open", now, later, "principal", "mdm"));
    s.does(store::credential_use_reserve, values(6, core::Bytes(32, 2), core::Bytes(32, 0x55), 12, "reserved", later));
    s.does(store::credential_use_consume, values(12));
    s.any(store::scep_challenge_void_all, {});
    BOOST_TEST(store::ScepChallengeRow::from(s.one(store::scep_challenge_by_token, values("challenge-token-1"))).status == "withdrawn");
    BOOST_TEST(store::ScepChallengeRow::from(s.one(store::scep_challenge_by_token, values("challenge-token-2"))).status == "open");

    s.does(store::principal_insert, values(1, nullptr, "chief", "administrator", core::Bytes(32, 1), nullptr, now, "uid 0"));
    s.does(store::principal_insert, values(2, nullptr, "robot", "auditor", core::Bytes(32, 2), nullptr, now, "uid 0"));
    BOOST_TEST(s.read(store::principal_names, values("")).size() == 2U);
    BOOST_TEST(s.one(store::principal_names, values("chief")).text(0) == "robot");
    s.any(store::principal_remove_all, {});
    BOOST_TEST(s.read(store::principal_names, values("")).empty());

    const auto held = s.one(store::account_with_secret, values(0));
    BOOST_TEST((held.integer(0) == 7 && held.text(2) == "team"));
    BOOST_TEST(s.read(store::account_with_secret, values(7)).empty());
    s.any(store::account_void_secrets, values(later, "restore"));
    BOOST_TEST(s.read(store::account_with_secret, values(0)).empty());
    const auto account = s.one(store::account_by_id, values(7));
    BOOST_TEST(account.integer(4) == 2);

    s.does(store::setting_insert, values("restored", "17"));
    s.misses(store::setting_replace, values("restored", "18", "opened"));
    s.does(store::setting_replace, values("restored", "17", "opened"));
    s.misses(store::setting_replace, values("restored", "17", "opened"));
    BOOST_TEST(s.one(store::setting_get, values("restored")).text(0) == "opened");
}

}  // namespace postern::contract
