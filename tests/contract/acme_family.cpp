#include "store/tables/acme_authorization.hpp"
#include "store/tables/acme_order.hpp"
#include "store/tables/objects.hpp"
#include "tests/contract/store.hpp"

namespace postern::contract {

using store::values;

namespace {
const std::string account_token = "acme-account-token-031", order_token = "acme-order-token-00041";
}  // namespace

void acme_accounts(Store& s) {
    s.add_objects();
    s.add_acme();
    const auto get = [&] { return store::AcmeAccountRow::from(s.one(store::acme_account_by_token, values(account_token, 6))); };
    BOOST_TEST((get().id == store::AcmeAccountId(31) && get().account == core::AccountId(7)));
    BOOST_TEST(get().account_status == "active");
    BOOST_TEST((get().binding == "{}" && !get().terms));
    BOOST_TEST(s.read(store::acme_account_by_token, values(account_token, 99)).empty());
    BOOST_TEST(s.one(store::acme_account_by_key, values(6, "thumbprint")).integer(0) == 31);
    BOOST_TEST(s.read(store::acme_account_by_key, values(99, "thumbprint")).empty());
    BOOST_TEST(s.one(store::acme_account_with_key, values("thumbprint")).integer(0) == 31);
    BOOST_TEST(s.read(store::acme_account_with_key, values("another")).empty());
    auto same_key = get();
    same_key.id = store::AcmeAccountId(32);
    same_key.token = "acme-account-token-032";
    s.duplicates(store::acme_account_insert, same_key.insert_values());

    // A key id that is good for one account. Of an account that is older than the record of key ids nobody knows which it had.
    BOOST_TEST(s.one(store::acme_account_bound_by, values(7, "kid-1")).integer(0) == 31);
    s.does(store::acme_account_deactivate, values(31, now));
    for (const std::int64_t id : {33, 34}) {
        auto bound = same_key;
        bound.id = store::AcmeAccountId(id);
        bound.token = "acme-account-token-0" + std::to_string(id);
        bound.thumbprint = "thumbprint of " + std::to_string(id);
        bound.account = core::AccountId(7);
        bound.binding_kid = "kid-1";
        bound.binding_once = true;
        if (id == 33) s.does(store::acme_account_insert, bound.insert_values());
        else s.duplicates(store::acme_account_insert, bound.insert_values());
        bound.binding_once = false;  // one that is good for many
        if (id == 34) s.does(store::acme_account_insert, bound.insert_values());
    }
    const auto bound = store::AcmeAccountRow::from(s.one(store::acme_account_by_key, values(6, "thumbprint of 33")));
    BOOST_TEST((bound.binding_kid == "kid-1" && bound.binding_once && !get().binding_kid && !get().binding_once));
    BOOST_TEST(s.read(store::acme_account_bound_by, values(8, "kid-1")).empty());

    // Another key: from the one that was seen, to one that is nobody's.
    s.duplicates(store::acme_account_key, values(33, "thumbprint of 33", "thumbprint", "{}", later));
    s.misses(store::acme_account_key, values(33, "another", "new", "{}", later));
    s.misses(store::acme_account_key, values(31, "thumbprint", "new", "{}", later));  // it is deactivated
    s.does(store::acme_account_key, values(33, "thumbprint of 33", "new", R"({"kty":"EC"})", later));
    const auto changed = store::AcmeAccountRow::from(s.one(store::acme_account_by_key, values(6, "new")));
    BOOST_TEST((changed.id == store::AcmeAccountId(33) && changed.jwk == R"({"kty":"EC"})" && changed.updated == later));
    s.does(store::acme_account_terms, values(33, "https://terms.example/2", later));
    s.misses(store::acme_account_terms, values(31, "https://terms.example/2", later));
    BOOST_TEST((store::AcmeAccountRow::from(s.one(store::acme_account_by_key, values(6, "new"))).terms == "https://terms.example/2"));
}

void acme_account_life(Store& s) {
    s.add_objects();
    s.add_acme();
    const auto get = [&] { return store::AcmeAccountRow::from(s.one(store::acme_account_by_token, values(account_token, 6))); };
    BOOST_TEST(s.one(store::acme_account_traced, values(account_token)).integer(0) == 31);
    BOOST_TEST(s.read(store::acme_account_traced, values("another")).empty());
    BOOST_TEST(s.one(store::acme_accounts_by_credential, values(7)).text(1) == account_token);
    BOOST_TEST(s.read(store::acme_accounts_by_credential, values(99)).empty());
    s.does(store::acme_account_guard, values(31));
    BOOST_TEST(s.read(store::acme_account_stands, values(31)).size() == 1U);
    BOOST_TEST(s.read(store::acme_account_stands, values(99)).empty());
    s.does(store::acme_account_contacts, values(31, R"(["mailto:a@corp.example"])", later));
    BOOST_TEST((get().contacts == R"(["mailto:a@corp.example"])" && get().updated == later));
    s.does(store::account_update, values(7, 1, "disabled", "{}", later, "test", 6, 2, 3, "eab", "kid-1", nullptr));
    BOOST_TEST(get().account_status == "disabled");
    s.does(store::acme_account_deactivate, values(31, later));
    s.misses(store::acme_account_deactivate, values(31, later));
    s.misses(store::acme_account_contacts, values(31, "[]", later));
    s.misses(store::acme_account_guard, values(31));
    BOOST_TEST(s.read(store::acme_account_stands, values(31)).empty());
    BOOST_TEST(get().status == "deactivated");
}

void acme_orders(Store& s) {
    s.add_objects();
    s.add_enrollments();
    s.add_acme();
    const auto get = [&] { return store::AcmeOrderRow::from(s.one(store::acme_order_owned, values(order_token, 31))); };
    BOOST_TEST((get().status == "pending" && !get().enrollment && !get().not_before && get().not_after == later));
    BOOST_TEST(s.read(store::acme_order_owned, values(order_token, 99)).empty());
    const auto tokens = s.read(store::acme_order_authorizations, values(41));
    BOOST_TEST_REQUIRE(tokens.size() == 2U);
    BOOST_TEST((tokens[0].text(0) == "acme-authorization-051" && tokens[1].text(0) == "acme-authorization-052"));
    BOOST_TEST(s.one(store::acme_order_by_token, values(order_token)).null(2));
    BOOST_TEST(s.read(store::acme_order_by_token, values("another")).empty());
    BOOST_TEST(s.one(store::acme_orders_by_authorization, values("acme-authorization-051")).text(1) == order_token);
    BOOST_TEST(s.one(store::acme_orders_by_authorization, values("acme-challenge-tok-061")).text(1) == order_token);
    BOOST_TEST(s.read(store::acme_orders_by_authorization, values("another")).empty());
    const std::optional<std::int64_t> all;
    BOOST_TEST(s.one(store::acme_orders_by_name, values("corp.example", all)).integer(0) == 41);
    BOOST_TEST(s.one(store::acme_orders_by_name, values("corp.example", 1)).integer(0) == 41);
    BOOST_TEST(s.read(store::acme_orders_by_name, values("corp.example", 99)).empty());
    BOOST_TEST(s.read(store::acme_orders_by_name, values("example", all)).empty());
    BOOST_TEST(s.one(store::acme_orders_by_account, values(31)).integer(0) == 41);
    BOOST_TEST(s.read(store::acme_orders_by_account, values(99)).empty());
    BOOST_TEST(s.read(store::acme_order_by_enrollment, values(12)).empty());
    s.duplicates(store::acme_order_link, values(41, 0, 52));
    BOOST_TEST(s.one(store::acme_order_cursor, values(order_token, 31)).integer(0) == 41);
    BOOST_TEST(s.one(store::acme_order_page, values(31, 0, now, 10)).integer(0) == 41);
    BOOST_TEST(s.read(store::acme_order_page, values(31, 0, later, 10)).empty());
    BOOST_TEST(s.read(store::acme_order_page, values(31, 41, now, 10)).empty());

    // Ready once every authorization is.
    s.does(store::acme_authorization_valid, values(51, later, nullptr));
    s.does(store::acme_challenge_valid, values(61, later));
    s.does(store::acme_order_touch, values(51, later));
    s.misses(store::acme_order_ready, values(51, later));
    s.does(store::acme_authorization_valid, values(52, later, now));
    s.does(store::acme_challenge_valid, values(62, later));
    s.does(store::acme_order_ready, values(52, later));
    BOOST_TEST(get().status == "ready");
    const auto evidence = s.read(store::acme_order_evidence, values(41));
    BOOST_TEST_REQUIRE(evidence.size() == 2U);
    BOOST_TEST((evidence[1].text(1) == "www.corp.example" && evidence[1].boolean(2) && evidence[1].text(4) == "dns-01" && evidence[1].time(5) == later));
    BOOST_TEST((!evidence[0].optional_time(6) && evidence[1].optional_time(6) == now));

    // Claimed once, and given back to whoever asks again.
    s.misses(store::acme_order_claim, values(41, 11, later));  // expired by then
    s.does(store::acme_order_claim, values(41, 11, now));
    s.misses(store::acme_order_claim, values(41, 12, now));
    BOOST_TEST(s.one(store::acme_order_by_enrollment, values(11)).text(1) == order_token);
    s.misses(store::acme_order_release, values(41, 12, now));
    s.does(store::acme_order_release, values(41, 11, now));
    s.does(store::acme_order_claim, values(41, 11, now));
    BOOST_TEST((get().enrollment == core::EnrollmentId(11) && get().enrollment_status == "issued"));
    BOOST_TEST((get().certificate_token == "certificate-token-0021" && !get().enrollment_problem));
    BOOST_TEST(s.one(store::acme_order_of_enrollment, values(11, 31)).integer(0) == 41);
    BOOST_TEST(s.read(store::acme_order_of_enrollment, values(11, 32)).empty());
    BOOST_TEST(s.one(store::acme_order_page, values(31, 0, later, 10)).integer(0) == 41);

    // An order that was claimed fails no more; others do, by authorization or with their account.
    s.misses(store::acme_order_fail, values(51, later, "{}"));
    s.misses(store::acme_order_fail_all, values(31, later, "{}"));
    for (const std::int64_t id : {42, 43}) {
        auto order = get();
        order.id = store::AcmeOrderId(id);
        order.token = "acme-order-token-000" + std::to_string(id);
        order.status = "pending";
        order.enrollment.reset();
        s.does(store::acme_order_insert, order.insert_values());
    }
    s.does(store::acme_order_link, values(42, 0, 52));
    s.does(store::acme_order_fail, values(52, later, R"({"detail":"no"})"));
    s.does(store::acme_order_fail_all, values(31, later, R"({"detail":"gone"})"));
    const auto failed = store::AcmeOrderRow::from(s.one(store::acme_order_owned, values("acme-order-token-00042", 31)));
    BOOST_TEST((failed.status == "invalid" && failed.error == R"({"detail":"no"})"));
    const auto gone = store::AcmeOrderRow::from(s.one(store::acme_order_owned, values("acme-order-token-00043", 31)));
    BOOST_TEST((gone.status == "invalid" && gone.error == R"({"detail":"gone"})"));
}

void acme_replacements(Store& s) {
    s.add_objects();
    s.add_enrollments();
    s.add_acme();
    const auto holder = [&] { return store::AcmeOrderRow::from(s.one(store::acme_replacement_of, values(21))); };
    BOOST_TEST(s.read(store::acme_replacement_of, values(21)).empty());
    auto order = store::AcmeOrderRow::from(s.one(store::acme_order_owned, values(order_token, 31)));
    order.id = store::AcmeOrderId(42);
    order.token = "acme-order-token-00042";
    order.replaces = "key.serial";
    s.does(store::acme_order_insert, order.insert_values());
    s.does(store::acme_replacement_insert, values(21, 42));
    s.duplicates(store::acme_replacement_insert, values(21, 41));
    BOOST_TEST((holder().id == store::AcmeOrderId(42) && holder().replaces == "key.serial" && holder().status == "pending"));
    s.misses(store::acme_replacement_take, values(21, 41, 41));  // it is not the one that was seen
    s.does(store::acme_replacement_take, values(21, 42, 41));
    s.misses(store::acme_replacement_take, values(21, 42, 41));
    BOOST_TEST((holder().id == store::AcmeOrderId(41) && !holder().replaces));

    // What was ordered with a certificate, and who else has proven its names.
    BOOST_TEST(s.read(store::acme_order_identifiers, values(11, 31)).empty());
    for (const std::int64_t n : {51, 52}) {
        s.does(store::acme_authorization_valid, values(n, now, nullptr));
        s.does(store::acme_order_touch, values(n, now));
        s.any(store::acme_order_ready, values(n, now));
    }
    s.does(store::acme_order_claim, values(41, 11, now));
    BOOST_TEST(s.one(store::acme_order_identifiers, values(11, 31)).text(0) == "[]");
    BOOST_TEST(s.read(store::acme_order_identifiers, values(11, 99)).empty());
    const auto unproven = [&](core::TimePoint at) { return s.read(store::acme_order_unproven, values(11, 31, at)); };
    BOOST_TEST(unproven(now).at(0).integer(0) == 0);  // by no challenge
    s.does(store::acme_challenge_valid, values(61, now));
    BOOST_TEST(unproven(now).at(0).integer(0) == 1);
    s.does(store::acme_challenge_valid, values(62, now));
    BOOST_TEST(unproven(now).empty());
    BOOST_TEST(unproven(later).size() == 1U);  // they have ended
    BOOST_TEST(s.read(store::acme_order_unproven, values(11, 99, now)).size() == 1U);
    BOOST_TEST(s.read(store::acme_order_unproven, values(12, 31, now)).empty());  // nobody ordered it by ACME
}

void acme_authorizations(Store& s) {
    s.add_objects();
    s.add_acme();
    const auto get = [&](int n) {
        return store::AcmeAuthorizationRow::from(s.one(store::acme_authorization_owned, values("acme-authorization-05" + std::to_string(n), 31)));
    };
    BOOST_TEST((get(1).identifier == "corp.example" && !get(1).wildcard && get(2).wildcard));
    BOOST_TEST(s.read(store::acme_authorization_owned, values("acme-authorization-051", 99)).empty());
    const auto challenge = store::AcmeChallengeRow::from(s.one(store::acme_challenges_of, values(51)));
    BOOST_TEST((challenge.type == "http-01" && challenge.status == "pending" && !challenge.validated));

    // What programs from before V0020 ask, who would ask http-01 for any method: it fails on those that still run.
    static constexpr store::Statement of_old{"test_challenge_of_old", "SELECT c.id, c.type FROM acme_challenge c WHERE c.token = $1"};
    BOOST_CHECK_THROW(s.read(of_old, values("acme-challenge-tok-061")), std::exception);

    const auto work = [&](int n) {
        return store::AcmeChallengeWork::from(s.one(store::acme_challenge_work, values("acme-challenge-tok-06" + std::to_string(n))));
    };
    BOOST_TEST((work(1).endpoint == core::EndpointId(6) && work(1).thumbprint == "thumbprint"));
    BOOST_TEST((work(1).account_token == account_token && work(1).authorization.identifier == "corp.example"));
    BOOST_TEST(s.read(store::acme_challenges_due, values(0, now)).empty());
    s.does(store::acme_challenge_processing, values(61, now));
    s.misses(store::acme_challenge_processing, values(61, now));
    BOOST_TEST(s.one(store::acme_challenges_due, values(0, now)).integer(0) == 61);
    BOOST_TEST(s.read(store::acme_challenges_due, values(61, now)).empty());

    // One attempt at a time, and none before the last one ended or its time is over.
    const auto ends = now + std::chrono::seconds(10), after = now + std::chrono::seconds(20);
    s.does(store::acme_challenge_attempt, values(61, now, 0, ends));
    s.misses(store::acme_challenge_attempt, values(61, now, 0, ends));
    s.misses(store::acme_challenge_attempt, values(61, now, 1, ends));
    BOOST_TEST((work(1).challenge.attempts == 1 && work(1).challenge.begun == now && work(1).challenge.attempt_ends == ends && !work(1).challenge.retry));
    BOOST_TEST(s.read(store::acme_challenges_due, values(0, now)).empty());
    BOOST_TEST(s.one(store::acme_challenges_due, values(0, ends)).integer(0) == 61);
    s.misses(store::acme_challenge_retry, values(61, now, 1, now, ends, "{}", 0));  // of an attempt before this one
    s.does(store::acme_challenge_retry, values(61, now, 1, now, ends, R"({"detail":"not yet"})", 1));
    BOOST_TEST((work(1).challenge.status == "processing" && work(1).challenge.error == R"({"detail":"not yet"})" && work(1).challenge.retry == ends));
    BOOST_TEST(s.read(store::acme_challenges_due, values(0, now)).empty());
    BOOST_TEST(s.one(store::acme_challenges_due, values(0, ends)).integer(0) == 61);
    s.does(store::acme_challenge_attempt, values(61, now, 1, ends));  // asked for by the client, before it is due
    s.does(store::acme_challenge_attempt, values(61, ends, 2, after));  // nobody ended that one
    BOOST_TEST((work(1).challenge.attempts == 3 && work(1).challenge.begun == now));
    s.misses(store::acme_challenge_unasked, values(61, ends, 2, 2));
    s.misses(store::acme_challenge_invalid, values(61, ends, "{}", 2));
    s.does(store::acme_challenge_unasked, values(61, ends, 3, 3));
    BOOST_TEST((work(1).challenge.status == "pending" && work(1).challenge.attempts == 3 && !work(1).challenge.begun && !work(1).challenge.error));
    BOOST_TEST(s.read(store::acme_challenges_due, values(0, later)).empty());
    s.does(store::acme_challenge_valid, values(61, later));
    s.misses(store::acme_challenge_valid, values(61, later));
    s.misses(store::acme_challenge_invalid, values(61, later, "{}", 3));
    BOOST_TEST((work(1).challenge.status == "valid" && work(1).challenge.validated == later));
    s.does(store::acme_challenge_invalid, values(62, later, R"({"detail":"no"})", 0));
    BOOST_TEST((work(2).challenge.status == "invalid" && work(2).challenge.error == R"({"detail":"no"})"));

    s.does(store::acme_authorization_valid, values(51, later, now));
    s.misses(store::acme_authorization_valid, values(51, later, nullptr));
    BOOST_TEST((get(1).caa == now && !get(2).caa));
    s.misses(store::acme_authorization_invalid, values(51, later));
    // What an account has proven, for the profile it was proven for; the guard is for who builds on it.
    const auto proofs = [&](int account, std::string_view profile, core::TimePoint least, std::string_view name) {
        auto asked = values(account, profile, least, "nobody.example", name);
        asked.resize(3 + store::acme_proofs_asked, std::monostate{});
        return s.read(store::acme_authorization_proofs, std::move(asked)).size();
    };
    BOOST_TEST(proofs(31, "server", now, "corp.example") == 1U);
    BOOST_TEST(proofs(31, "server", later + std::chrono::seconds(1), "corp.example") == 0U);
    BOOST_TEST(proofs(31, "another", now, "corp.example") == 0U);
    BOOST_TEST(proofs(99, "server", now, "corp.example") == 0U);
    BOOST_TEST(proofs(31, "server", now, "www.corp.example") == 0U);
    s.does(store::acme_authorization_guard, values(51));
    s.misses(store::acme_authorization_guard, values(52));
    s.does(store::acme_authorization_deactivate, values(51, later));
    s.misses(store::acme_authorization_guard, values(51));
    BOOST_TEST(proofs(31, "server", now, "corp.example") == 0U);
    s.misses(store::acme_authorization_deactivate, values(51, later));
    s.does(store::acme_authorization_invalid, values(52, later));
    s.misses(store::acme_authorization_deactivate, values(52, later));
    BOOST_TEST((get(1).status == "deactivated" && get(2).status == "invalid"));
}

}  // namespace postern::contract
