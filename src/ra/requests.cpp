#include "ra/requests.hpp"

#include <charconv>

namespace postern::ra {

core::Task<store::Rows> list_requests(store::Database& db, const Principal& by, std::int64_t after, std::int64_t limit, bool held) {
    return db.read(store::request_page, store::values(after, limit, by.tenant, held));
}

core::Task<core::Result<RequestShown>> find_request(store::Database& db, const Principal& by, std::string reference) {
    core::Problem absent(core::ProblemKind::not_found, "there is no request " + reference + "; `postern request list` shows the open ones");
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(reference.data(), reference.data() + reference.size(), id);
    if (error != std::errc() || end != reference.data() + reference.size()) {
        auto by_request = store::values(reference);
        const auto open = co_await db.read(store::submission_by_request, std::move(by_request));
        if (open.size() != 1) co_return absent;
        id = open.front().integer(0);
    }
    auto by_id = store::values(id);
    const auto row = co_await store::read_one(db, store::enrollment_by_id, std::move(by_id));
    if (!row) co_return absent;
    RequestShown out;
    out.enrollment = store::EnrollmentRow::from(*row);
    if (by.tenant && *by.tenant != out.enrollment.tenant) co_return absent;
    auto again = store::values(id);
    const auto submission = co_await store::read_one(db, store::submission_by_enrollment, std::move(again));
    if (submission) out.submission = store::SubmissionRow::from(*submission);
    co_return out;
}

}  // namespace postern::ra
