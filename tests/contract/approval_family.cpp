#include "store/tables/approval.hpp"
#include "store/tables/certificate.hpp"
#include "store/tables/enrollment.hpp"
#include "tests/contract/store.hpp"

namespace postern::contract {

using store::values;

namespace {

constexpr store::Statement as_waiting{
    "test_enrollment_waits", "UPDATE enrollment SET status = 'pending_approval', issuer_key_id = '', serial = $2, tbs_sha256 = $2 WHERE id = $1"};
const core::Bytes none, hash(32, 0x66), other(32, 0x67);

store::EnrollmentRow enrollment_of(Store& s) { return store::EnrollmentRow::from(s.one(store::enrollment_by_id, values(12))); }
store::ApprovalRow approval_of(Store& s) { return store::ApprovalRow::from(s.one(store::approval_of, values(12))); }

/// Enrollment 12 waits for an officer until `later`.
void ask(Store& s) {
    s.add_objects();
    s.add_enrollments();
    s.does(as_waiting, values(12, none));
    store::ApprovalRow row;
    row.enrollment = core::EnrollmentId(12);
    row.tenant = core::TenantId(1);
    row.asked_by = "principal alice";
    row.content = R"({"subject":"CN=a"})";
    row.trace = "[]";
    row.wished_until = later;
    row.asked = now;
    row.limit = later;
    row.issuer_key_id = "0bad";
    s.does(store::approval_put, row.put_values());
}

auto decided(std::string_view what, core::TimePoint at, core::TimePoint due) { return values(12, what, "principal bob", at, "fine", hash, due); }

}  // namespace

void approvals(Store& s) {
    ask(s);
    const auto first = approval_of(s);
    BOOST_TEST((first.asked_by == "principal alice" && first.content == R"({"subject":"CN=a"})" && first.trace == "[]" && first.tenant == core::TenantId(1)));
    BOOST_TEST((!first.wished_from && first.wished_until == later && first.asked == now && first.limit == later && first.due == later));
    BOOST_TEST((!first.decision && !first.decided_by && !first.decided && !first.message && first.decided_hash.empty() && !first.delivered && first.issuer_key_id == "0bad"));
    const auto listed = [&](std::optional<int> tenant, std::optional<std::string> status) { return s.read(store::approval_page, values(0, 10, tenant, status)).size(); };
    BOOST_TEST((listed({}, {}) == 1U && listed(1, {}) == 1U && listed(2, {}) == 0U && listed({}, "pending_approval") == 1U && listed({}, "declined") == 0U));
    BOOST_TEST(s.read(store::approval_page, values(12, 10, nullptr, nullptr)).empty());
    const auto line = s.one(store::approval_page, values(0, 10, nullptr, nullptr));
    BOOST_TEST((line.integer(0) == 12 && line.text(2) == "default" && line.text(3) == "pending_approval" && line.time(7) == later && line.text(10) == "team"));
    BOOST_TEST(s.one(store::approval_by_request, values("request000000012")).integer(0) == 12);
    BOOST_TEST(s.read(store::approval_by_request, values("request000000011")).empty());
    BOOST_TEST(s.one(store::approval_waiting_count).integer(0) == 1);
    BOOST_TEST((s.read(store::approval_due, values(now, 10)).empty() && s.one(store::approval_due, values(later, 10)).text(1) == "pending_approval"));

    // Declined, and approved after all; for what the officer saw only, and not after its time.
    s.misses(store::enrollment_declined, values(12, now, "{}", other));
    s.does(store::enrollment_declined, values(12, now, R"({"detail":"no"})", hash));
    s.misses(store::enrollment_declined, values(12, now, "{}", hash));
    BOOST_TEST((enrollment_of(s).status == "declined" && enrollment_of(s).attempt_bound && enrollment_of(s).problem == R"({"detail":"no"})"));
    BOOST_TEST((listed({}, {}) == 0U && listed({}, "declined") == 1U));
    s.misses(store::approval_decided, decided("approved", later, later));
    s.does(store::approval_decided, decided("approved", now, now));
    const auto said = approval_of(s);
    BOOST_TEST((said.decision == "approved" && said.decided_by == "principal bob" && said.decided == now && said.message == "fine" && said.decided_hash == hash && said.due == now));
    s.misses(store::enrollment_approved, values(12, now, other, "declined"));
    s.misses(store::enrollment_approved, values(12, now, hash, "pending_approval"));  // somebody said no meanwhile
    s.does(store::enrollment_approved, values(12, now, hash, "declined"));
    s.misses(store::enrollment_approved, values(12, now, hash, "declined"));
    BOOST_TEST((enrollment_of(s).status == "approved" && !enrollment_of(s).problem));

    // Its intent, once.
    const core::Bytes serial(16, 0x21), tbs(32, 0x78);
    const auto intent = [&](const core::Bytes& of) { return values(12, of, "0bad", serial, tbs, now, later, later, 78); };
    s.misses(store::enrollment_approved_intent, intent(other));
    s.does(store::enrollment_approved_intent, intent(hash));
    s.misses(store::enrollment_approved_intent, intent(hash));
    BOOST_TEST((enrollment_of(s).status == "submitted" && enrollment_of(s).serial == serial && enrollment_of(s).life == 78));
    s.does(store::approval_closed, values(12));
    s.misses(store::approval_closed, values(12));
    s.misses(store::approval_decided, decided("declined", now, later));
    BOOST_TEST((s.read(store::approval_due, values(later, 10)).empty() && s.one(store::approval_waiting_count).integer(0) == 0));

    // The CA was away: approved still.
    s.misses(store::enrollment_approved_still, values(12, core::Bytes(16, 0x22), now, none));
    s.does(store::enrollment_approved_still, values(12, serial, now, none));
    s.does(store::approval_postponed, values(12, later));
    BOOST_TEST((enrollment_of(s).status == "approved" && enrollment_of(s).serial.empty() && approval_of(s).due == later));

    s.does(store::approval_delivered, values(12, now));
    s.misses(store::approval_delivered, values(12, later));
    BOOST_TEST((approval_of(s).delivered == now));
}

void void_approvals(Store& s) {
    ask(s);
    s.does(store::approval_decided, decided("approved", now, now));
    s.does(store::enrollment_approved, values(12, now, hash, "pending_approval"));
    const auto again = [&](std::string_view status, const core::Bytes& serial) {
        return values(12, status, serial, other, 2, R"(["b.example"])", "builtin", "asked again", later, none);
    };
    s.misses(store::enrollment_asked_again, again("submitted", none));
    s.misses(store::enrollment_asked_again, again("approved", core::Bytes(16, 0x21)));
    s.does(store::enrollment_asked_again, again("approved", none));
    const auto e = enrollment_of(s);
    BOOST_TEST((e.status == "pending_approval" && e.content_hash == other && e.profile_version == 2 && e.pending_reason == "asked again" && e.attempt_bound));
    auto row = approval_of(s);
    row.asked_by = "principal mallory";
    row.content = "{}";
    row.asked = later;
    row.limit = later + std::chrono::seconds(1);
    row.wished_until.reset();
    row.issuer_key_id.clear();
    s.does(store::approval_put, row.put_values());
    const auto asked = approval_of(s);
    BOOST_TEST((asked.asked_by == "principal alice" && asked.wished_until == later && asked.issuer_key_id == "0bad" && asked.content == "{}" && asked.due == row.limit));
    BOOST_TEST((!asked.decision && !asked.decided_by && asked.decided_hash.empty()));
}

void ended_approvals(Store& s) {
    ask(s);
    const core::Bytes attempt(32, 0x12);
    s.misses(store::enrollment_approval_ended, values(12, "approved", "invalid", later, "{}"));
    s.does(store::enrollment_approval_ended, values(12, "pending_approval", "rejected", later, R"({"detail":"late"})"));
    BOOST_TEST((enrollment_of(s).status == "rejected" && !enrollment_of(s).attempt_bound && enrollment_of(s).problem == R"({"detail":"late"})"));
    BOOST_TEST(s.read(store::enrollment_by_attempt, values(attempt)).empty());
    s.misses(store::enrollment_declined_unbind, values(12));
}

void restored_approvals(Store& s) {
    ask(s);
    s.any(store::enrollment_approval_void_all, values(later, R"({"detail":"restored"})"));
    s.any(store::approval_closed_all, {});
    BOOST_TEST((enrollment_of(s).status == "invalid" && !enrollment_of(s).attempt_bound && enrollment_of(s).updated == later && !approval_of(s).due));
    BOOST_TEST(store::EnrollmentRow::from(s.one(store::enrollment_by_id, values(11))).status == "issued");
}

void declined_for_good(Store& s) {
    ask(s);
    s.does(store::enrollment_declined, values(12, now, "{}", hash));
    s.does(store::enrollment_declined_unbind, values(12));
    BOOST_TEST((enrollment_of(s).status == "declined" && !enrollment_of(s).attempt_bound));
}

}  // namespace postern::contract
