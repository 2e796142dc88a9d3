#include "ra/requests.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace postern::ra {

namespace {

RequestListed submitted(const store::Row& row) {
    RequestListed r;
    r.id = row.id<core::EnrollmentId>(0);
    r.request = row.text(1);
    r.tenant = row.text(2);
    r.status = row.text(3);
    r.names = row.text(4);
    r.backend = row.text(5);
    r.state = row.text(6);
    r.asked = row.integer(7);
    r.since = row.time(8);
    r.due = row.time(9);
    r.problem = row.optional_text(10);
    return r;
}

RequestListed awaiting(const store::Row& row) {
    RequestListed r;
    r.id = row.id<core::EnrollmentId>(0);
    r.request = row.text(1);
    r.tenant = row.text(2);
    r.status = row.text(3);
    r.names = row.text(4);
    r.backend = row.text(5);
    r.state = "approval";
    r.since = row.time(6);
    r.due = row.time(7);
    r.problem = row.optional_text(8);
    r.profile = row.text(9);
    r.account = row.text(10);
    return r;
}

}  // namespace

core::Task<std::vector<RequestListed>> list_requests(store::Database& db, Principal by, std::int64_t after, std::int64_t limit, RequestFilter filter) {
    std::vector<RequestListed> out;
    auto status = filter.status;
    if (filter.held && !status) status = "pending_approval";
    auto waiting = store::values(after, limit, by.tenant, status);
    const auto approvals = co_await db.read(store::approval_page, std::move(waiting));
    for (const auto& row : approvals) out.push_back(awaiting(row));
    store::Rows submissions;
    if (!filter.status) {
        auto open = store::values(after, limit, by.tenant, filter.held);
        submissions = co_await db.read(store::request_page, std::move(open));
    }
    for (const auto& row : submissions) out.push_back(submitted(row));
    std::ranges::sort(out, {}, &RequestListed::id);
    // Of either kind the page is complete up to its last row only.
    auto last = core::EnrollmentId(std::numeric_limits<std::int64_t>::max());
    for (const store::Rows* rows : std::initializer_list<const store::Rows*>{&approvals, &submissions})
        if (static_cast<std::int64_t>(rows->size()) == limit) last = std::min(last, rows->back().id<core::EnrollmentId>(0));
    std::erase_if(out, [&](const RequestListed& r) { return r.id > last; });
    if (static_cast<std::int64_t>(out.size()) > limit) out.resize(static_cast<std::size_t>(limit));
    co_return out;
}

core::Task<core::Result<RequestShown>> find_request(store::Database& db, const Principal& by, std::string reference) {
    core::Problem absent(core::ProblemKind::not_found, "there is no request " + reference + "; `postern request list` shows the open ones");
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(reference.data(), reference.data() + reference.size(), id);
    if (error != std::errc() || end != reference.data() + reference.size()) {
        auto by_request = store::values(reference), waiting = by_request;
        auto open = co_await db.read(store::submission_by_request, std::move(by_request));
        if (open.empty()) open = co_await db.read(store::approval_by_request, std::move(waiting));
        if (open.size() != 1) co_return absent;
        id = open.front().integer(0);
    }
    auto by_id = store::values(id);
    const auto row = co_await store::read_one(db, store::enrollment_by_id, std::move(by_id));
    if (!row) co_return absent;
    RequestShown out;
    out.enrollment = store::EnrollmentRow::from(*row);
    if (by.tenant && *by.tenant != out.enrollment.tenant) co_return absent;
    auto again = store::values(id), asked = again;
    const auto submission = co_await store::read_one(db, store::submission_by_enrollment, std::move(again));
    if (submission) out.submission = store::SubmissionRow::from(*submission);
    const auto approval = co_await store::read_one(db, store::approval_of, std::move(asked));
    if (approval) out.approval = store::ApprovalRow::from(*approval);
    co_return out;
}

}  // namespace postern::ra
