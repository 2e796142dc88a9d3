#include "ra/blocked_keys.hpp"

#include "tests/unit/ra/world.hpp"

BOOST_AUTO_TEST_SUITE(ra_blocked_keys)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

struct Ready : World {
    Ready() { apply_standard(); }

    core::Result<std::int64_t> block(const std::vector<core::Bytes>& digests, std::optional<std::int64_t> continues = {},
                                     ra::Principal by = administrator()) {
        ra::BlockedKeys::Order order;
        order.digests = digests;
        order.reason = "published";
        order.source = "a list";
        order.expected = static_cast<std::int64_t>(digests.size());
        order.continues = continues;
        return run(blocked_keys.block(std::move(order), std::move(by), core::RequestId("blockrequest")));
    }
    core::Result<void> revoke(const store::CertificateRow& certificate, std::int64_t reason) {
        return run(revocation.revoke(certificate, reason, ra::Actor("test", "test"), core::RequestId("revokerequest"), core::deadline_in(30s)));
    }
    void refuses(const core::Result<ra::EnrollmentOutcome>& r, std::string_view part, ProblemKind kind = ProblemKind::bad_public_key) {
        BOOST_TEST_REQUIRE(!r.has_value());
        check_problem(r.error(), kind, "key.blocked", part);
    }
};

core::Task<void> write_block(store::Database& db, store::Batch batch) {
    const auto written = co_await db.write(std::move(batch));
    static_cast<void>(written.value());
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_fingerprint_blocks_the_key_at_once) {
    for (const auto which : {&crypto::Fingerprints::spki, &crypto::Fingerprints::number}) {
        Ready w;
        w.issue({"corp.example"}, "order-1");
        BOOST_TEST(w.block({crypto::fingerprints(w.leaf_key.public_key()).*which}).has_value());
        auto request = w.request({"corp.example"}, "order-2");
        w.refuses(w.submit(std::move(request)), "the key is blocked (published)");
        BOOST_TEST(w.enrollments().size() == 1U);
        const auto audits = w.audits("enrollment.refused");
        BOOST_TEST_REQUIRE(audits.size() == 1U);
        BOOST_TEST(audits[0].text(2) == "key.blocked");
        BOOST_TEST(contains(audits[0].text(3), R"({"check":"key.blocked","input":"SPKI SHA-256 )"));
    }
}

BOOST_AUTO_TEST_CASE(a_debian_list_blocks_by_the_modulus) {
    Ready w;
    w.leaf_key = crypto::PrivateKey::generate(*crypto::KeySpec::from("rsa-2048"));
    w.issue({"corp.example"}, "order-1");
    w.block({crypto::fingerprints(w.leaf_key.public_key()).modulus}).value();
    w.refuses(w.submit(w.request({"corp.example"}, "order-2")), "blocked");
}

BOOST_AUTO_TEST_CASE(a_requesters_blocked_key_asks_for_nothing) {
    Ready w;
    const auto account = crypto::PrivateKey::generate(crypto::KeySpec()).public_key();
    auto request = w.request({"corp.example"});
    request.requester_key = account;
    BOOST_TEST(w.submit(std::move(request)).has_value());
    w.block({crypto::fingerprints(account).spki}).value();
    request = w.request({"corp.example"}, "order-2");
    request.requester_key = account;
    w.refuses(w.submit(std::move(request)), "the key that signed the request is blocked", ProblemKind::forbidden);
}

/// Judged good, and blocked at the very moment before the intent is written.
BOOST_AUTO_TEST_CASE(a_key_that_is_blocked_between_judgement_and_intent_gets_nothing) {
    for (const bool of_requester : {false, true}) {
        Ready w;
        const auto account = crypto::PrivateKey::generate(crypto::KeySpec()).public_key();
        const auto digest = crypto::fingerprints(of_requester ? account : w.leaf_key.public_key()).spki;
        store::Batch batch;
        store::BlockedKeyRow row;
        row.digest = digest;
        row.reason = row.source = "published";
        row.audit = 1;
        row.created = w.clock.now();
        batch.add(store::blocked_key_insert, row.insert_values());
        w.db.hook_at = &store::enrollment_insert;
        w.db.hook = [&]() -> core::Task<void> { return write_block(w.db, std::move(batch)); };
        auto request = w.request({"corp.example"});
        request.requester_key = account;
        const auto refused = w.submit(std::move(request));
        check_refused(refused, ProblemKind::conflict, "the key was blocked while the request was judged");
        BOOST_TEST((w.enrollments().empty() && w.certificates().empty()));
        BOOST_TEST(w.ca.asked == 0);
        BOOST_TEST(w.enrollment.intents().left(10).empty());
        // Asked again it is refused by name.
        request = w.request({"corp.example"});
        request.requester_key = account;
        w.refuses(w.submit(std::move(request)), "blocked (published)", of_requester ? ProblemKind::forbidden : ProblemKind::bad_public_key);
    }
}

BOOST_AUTO_TEST_CASE(one_audit_row_an_import_and_only_its_principal_goes_on_with_it) {
    Ready w;
    const auto import = w.block({core::Bytes(32, 1)}).value();
    BOOST_TEST(w.block({core::Bytes(32, 2), core::Bytes(10, 3)}, import).value() == import);
    BOOST_TEST(w.block({core::Bytes(32, 2)}, import).value() == import);
    BOOST_TEST(w.audits("key.blocked").size() == 1U);
    const auto rows = w.run(w.blocked_keys.page({}, 10));
    BOOST_TEST(rows.size() == 3U);
    for (const auto& row : rows) BOOST_TEST(store::BlockedKeyRow::from(row).audit == import);

    ra::Principal other = administrator();
    other.actor.name = "other";
    check_refused(w.block({core::Bytes(32, 4)}, import, other), ProblemKind::not_found, "no import");
    check_refused(w.block({core::Bytes(32, 4)}, import + 1000), ProblemKind::not_found, "no import");
    BOOST_TEST(w.run(w.blocked_keys.page({}, 10)).size() == 3U);
}

BOOST_AUTO_TEST_CASE(an_unblocked_key_is_good_again_and_audited) {
    Ready w;
    const auto prints = crypto::fingerprints(w.leaf_key.public_key());
    w.block({prints.spki, prints.number}).value();
    const auto unblock = [&](std::vector<core::Bytes> digests) {
        return w.run(w.blocked_keys.unblock(std::move(digests), administrator(), core::RequestId("unblockrequest")));
    };
    check_refused(unblock({core::Bytes(32, 1)}), ProblemKind::not_found, "not blocked");
    BOOST_TEST(unblock({prints.spki, prints.number, core::Bytes(10, 1)}).value() == 2U);
    BOOST_TEST(w.submit(w.request({"corp.example"})).has_value());
    const auto audits = w.audits("key.unblocked");
    BOOST_TEST_REQUIRE(audits.size() == 1U);
    BOOST_TEST(contains(audits[0].text(3), R"("reason":"published","source":"a list")"));
}

BOOST_AUTO_TEST_CASE(only_a_compromise_blocks_the_key) {
    for (const std::int64_t reason : {0, 3, 4, 5}) {
        Ready w;
        w.issue({"corp.example"}, "order-1");
        BOOST_TEST(w.revoke(w.certificates().at(0), reason).has_value());
        BOOST_TEST(w.run(w.blocked_keys.page({}, 10)).empty());
        BOOST_TEST(w.submit(w.request({"corp.example"}, "order-2")).has_value());
    }
    Ready w;
    w.issue({"corp.example"}, "order-1");
    BOOST_TEST(w.revoke(w.certificates().at(0), 1).has_value());
    w.refuses(w.submit(w.request({"corp.example"}, "order-2")), "blocked (keyCompromise)");
    BOOST_TEST(contains(w.audits("certificate.revoked").at(0).text(3), R"("key_blocked":true)"));
    BOOST_TEST(w.audits("key.blocked").empty());
}

BOOST_AUTO_TEST_CASE(a_compromise_told_after_another_reason_blocks_the_key_once) {
    Ready w;
    w.issue({"corp.example"}, "order-1");
    BOOST_TEST(w.revoke(w.certificates().at(0), 4).has_value());
    BOOST_TEST(w.revoke(w.certificates().at(0), 1).has_value());
    BOOST_TEST((w.certificates().at(0).revoked_reason == std::int64_t{1}));
    check_refused(w.revoke(w.certificates().at(0), 1), ProblemKind::already_revoked, "revoked already");
    w.refuses(w.submit(w.request({"corp.example"}, "order-2")), "blocked (keyCompromise)");
    BOOST_TEST((w.audits("certificate.compromised").size() == 1U && w.audits("key.blocked").empty()));
}

BOOST_AUTO_TEST_SUITE_END()
