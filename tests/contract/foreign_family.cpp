#include "store/tables/acme_authorization.hpp"
#include "store/tables/acme_order.hpp"
#include "store/tables/certificate.hpp"
#include "store/tables/enrollment.hpp"
#include "store/tables/revocation_request.hpp"
#include "store/tables/submission.hpp"
#include "tests/contract/store.hpp"

namespace postern::contract {

using store::values;

namespace {

constexpr store::Statement of_an_earlier_version{
    "test_issuer_chain", "INSERT INTO issuer_chain (issuer_key_id, chain, updated_ms) VALUES ($1, $2, $3)"};

store::SubmissionRow submission_of(Store& s, std::int64_t enrollment) {
    return store::SubmissionRow::from(s.one(store::submission_by_enrollment, values(enrollment)));
}

/// Enrollment 12 as it was handed over.
void hand_over(Store& s) {
    store::SubmissionRow row;
    row.enrollment = core::EnrollmentId(12);
    row.tenant = core::TenantId(1);
    row.backend = "default/lab";
    row.state = "sent";
    row.node = "node-1";
    row.content = "{}";
    row.fence = 1;
    row.sent = now;
    row.due = later;
    s.does(store::submission_insert, row.insert_values());
    s.duplicates(store::submission_insert, row.insert_values());
}

}  // namespace

void submissions(Store& s) {
    s.add_objects();
    s.add_enrollments();
    hand_over(s);
    const auto due = [&](core::TimePoint at) { return s.read(store::submission_due, values(at, 10)).size(); };
    BOOST_TEST((due(now) == 0U && due(later) == 1U));
    BOOST_TEST(s.one(store::submission_by_request, values("request000000012")).integer(0) == 12);
    BOOST_TEST(s.read(store::submission_by_request, values("request000000011")).empty());

    // Put off while its node is at work, whose fence it leaves alone.
    s.misses(store::submission_postpone, values(12, 2, later));
    s.does(store::submission_postpone, values(12, 1, later + std::chrono::seconds(1)));
    BOOST_TEST((due(later) == 0U && submission_of(s, 12).fence == 1));

    // Only what this node was handing over in an earlier life.
    s.any(store::submission_abandoned, values("node-2", now));
    BOOST_TEST(submission_of(s, 12).state == "sent");
    s.any(store::submission_abandoned, values("node-1", now));
    BOOST_TEST((submission_of(s, 12).state == "lost" && submission_of(s, 12).fence == 2));
    s.misses(store::submission_postpone, values(12, 2, later));
    BOOST_TEST(due(now) == 1U);

    // One asker a fence; what it learns counts for that fence only.
    s.misses(store::submission_take, values(12, 1, later));
    s.does(store::submission_take, values(12, 2, later));
    BOOST_TEST((submission_of(s, 12).fence == 3 && submission_of(s, 12).asked == 1 && due(now) == 0U));
    s.misses(store::submission_pending, values(12, 2, "handle", now));
    s.does(store::submission_pending, values(12, 3, "handle", now));
    BOOST_TEST((submission_of(s, 12).state == "pending" && submission_of(s, 12).handle == "handle"));
    s.misses(store::submission_lost, values(12, 2, later));
    s.does(store::submission_lost, values(12, 3, later));
    s.misses(store::submission_held, values(12, 2, nullptr));
    BOOST_TEST(s.one(store::submission_held_count).integer(0) == 0);
    s.does(store::submission_held, values(12, 3, "what came back"));
    BOOST_TEST((submission_of(s, 12).received == "what came back" && submission_of(s, 12).fence == 4));
    BOOST_TEST(s.one(store::submission_held_count).integer(0) == 1);
    BOOST_TEST(due(later) == 0U);
    s.misses(store::submission_take, values(12, 4, later));

    BOOST_TEST(s.read(store::request_page, values(0, 10, nullptr, true)).size() == 1U);
    BOOST_TEST(s.read(store::request_page, values(0, 10, 2, false)).empty());
    BOOST_TEST(s.read(store::request_page, values(12, 10, 1, false)).empty());
    BOOST_TEST(s.read(store::request_page, values(0, 10, 1, false)).at(0).text(2) == "default");

    // The states of the enrollment beside it.
    s.misses(store::enrollment_found_issued, values(12, later));
    s.misses(store::enrollment_rejected, values(11, later, "{}"));
    s.does(store::enrollment_unknown, values(12, later, "{}"));
    s.misses(store::enrollment_unknown, values(12, later, "{}"));
    s.misses(store::enrollment_rejected, values(12, later, "{}"));
    s.does(store::enrollment_found_issued, values(12, later));
    s.misses(store::enrollment_found_absent, values(12, later, "{}"));
    s.misses(store::submission_delete, values(12, 3));
    s.does(store::submission_delete, values(12, 4));

    s.any(store::issuer_chain_set, values("default/lab", "aa", "one", now));
    s.any(store::issuer_chain_set, values("default/lab", "aa", "two", later));
    s.any(store::issuer_chain_set, values("other/lab", "aa", "three", later));
    BOOST_TEST(s.one(store::issuer_chain_of, values("default/lab", "aa")).text(0) == "two");
    BOOST_TEST(s.one(store::issuer_chain_of, values("other/lab", "aa")).text(0) == "three");
    BOOST_TEST(s.read(store::issuer_chain_of, values("default/lab", "bb")).empty());
    BOOST_TEST(s.one(store::issuer_chain_newest, values("default/lab")).text(0) == "two");
    BOOST_TEST(s.read(store::issuer_chain_newest, values("default/l")).empty());
    s.any(of_an_earlier_version, values("bb", "old", now));
    BOOST_TEST(s.one(store::issuer_chain_of, values("default/lab", "bb")).text(0) == "old");
    s.any(store::issuer_chain_set, values("default/lab", "bb", "new", later));
    BOOST_TEST(s.one(store::issuer_chain_of, values("default/lab", "bb")).text(0) == "new");
}

void refused_submissions(Store& s) {
    s.add_objects();
    s.add_enrollments();
    s.does(store::enrollment_rejected, values(12, later, "{}"));
    const auto attempt = core::Bytes(32, 0x12);
    BOOST_TEST(s.read(store::enrollment_by_attempt, values(attempt)).empty());
}

void resolved_submissions(Store& s) {
    s.add_objects();
    s.add_enrollments();
    s.add_acme();
    s.does(store::enrollment_unknown, values(12, later, "{}"));
    for (const int id : {51, 52}) s.does(store::acme_authorization_valid, values(id, later, nullptr));
    s.does(store::acme_order_ready, values(52, later));
    s.does(store::acme_order_claim, values(41, 12, now));
    s.misses(store::acme_order_release_claim, values(11, later));
    s.does(store::acme_order_release_claim, values(12, later));
    s.does(store::acme_order_claim, values(41, 12, now));
    s.does(store::enrollment_found_absent, values(12, later, "{}"));
    s.misses(store::enrollment_found_absent, values(12, later, "{}"));
}

void revocation_requests(Store& s) {
    s.add_objects();
    s.add_enrollments();
    store::RevocationRequestRow row;
    row.certificate = core::CertificateId(21);
    row.reason = 4;
    row.actor_kind = "principal";
    row.actor = "officer";
    row.request = core::RequestId("request000000021");
    row.due = row.created = now;
    s.does(store::revocation_request_insert, row.insert_values());
    s.duplicates(store::revocation_request_insert, row.insert_values());
    const auto of = [&] { return store::RevocationRequestRow::from(s.one(store::revocation_request_of, values(21))); };
    BOOST_TEST((of().reason == 4 && of().actor == "officer" && of().request.get() == "request000000021"));
    const auto backend = store::CertificateRow::from(s.one(store::certificate_by_id, values(21))).backend;
    const auto due = [&](const std::string& of_backend) { return s.read(store::revocation_request_due, values(now, of_backend, 10)).size(); };
    BOOST_TEST((due(backend) == 1U && due("another") == 0U));
    BOOST_TEST(s.one(store::revocation_request_backends, values(now)).text(0) == backend);
    BOOST_TEST(s.one(store::revocation_request_count).integer(0) == 1);
    s.does(store::revocation_request_take, values(21, 0, later));
    s.misses(store::revocation_request_take, values(21, 0, later));
    BOOST_TEST((due(backend) == 0U && s.read(store::revocation_request_backends, values(now)).empty()));
    s.misses(store::revocation_request_failed, values(21, 0, now, "no"));
    s.does(store::revocation_request_failed, values(21, 1, now, "no"));
    s.misses(store::revocation_request_raise, values(21, 4, "local", "root", "request000000022"));
    s.does(store::revocation_request_raise, values(21, 1, "local", "root", "request000000022"));
    BOOST_TEST((of().reason == 1 && of().actor_kind == "local" && of().actor == "root" && of().request.get() == "request000000022"));
    s.misses(store::revocation_request_take, values(21, 1, later));
    BOOST_TEST((of().last_error == "no" && of().asked == 1));
    s.misses(store::revocation_request_delete, values(21, 1));
    s.does(store::revocation_request_delete, values(21, 2));
    s.misses(store::revocation_request_delete, values(21, 2));
}

}  // namespace postern::contract
