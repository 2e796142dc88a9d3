#include "ra/reports.hpp"

#include "core/base/encoding.hpp"
#include "core/json/writer.hpp"
#include "store/tables/audit.hpp"
#include "store/tables/enrollment.hpp"

namespace postern::ra {

using core::Problem;
using core::ProblemKind;

core::Task<store::Rows> list_certificates(store::Database& db, const Principal& by, std::int64_t after, std::int64_t limit) {
    return db.read(store::certificate_page, store::values(after, limit, by.tenant));
}

core::Task<core::Result<store::CertificateRow>> find_certificate(store::Database& db, const Principal& by, std::string serial_hex) {
    Problem absent(ProblemKind::not_found, "no certificate with serial " + serial_hex);
    const auto serial = core::from_hex(serial_hex);
    if (!serial) co_return absent;
    auto key = store::values(core::BytesView(*serial));
    const auto rows = co_await db.read(store::certificate_by_serial, std::move(key));
    for (const auto& raw : rows) {
        auto row = store::CertificateRow::from(raw);
        if (!by.tenant || row.tenant == *by.tenant) co_return row;
    }
    co_return absent;
}

namespace {

std::string render(const store::Rows& rows) {
    json::Writer w;
    w.begin_object().member("request", rows.front().text(3)).key("records").begin_array();
    for (const auto& r : rows) {
        w.begin_object()
            .member("at", core::rfc3339(r.time(1)))
            .member("request", r.text(3))
            .member("actor", r.text(4) + " " + r.text(5))
            .member("action", r.text(6))
            .member("object", r.text(7) + (r.text(8).empty() ? "" : " " + r.text(8)))
            .member("outcome", r.text(9))
            .member("check", r.text(10))
            .key("detail")
            .raw(r.text(11))
            .end_object();
    }
    w.end_array().end_object();
    return w.take();
}

bool all_digits(const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

core::Task<core::Result<std::string>> explain(store::Database& db, const Principal& by, std::string reference) {
    // A correlation id first: what logs, headers and refusals show.
    auto by_request = store::values(reference, by.tenant);
    auto rows = co_await db.read(store::audit_by_request, std::move(by_request));
    if (!rows.empty()) co_return render(rows);

    std::string enrollment = all_digits(reference) ? reference : "";
    if (const auto certificate = co_await find_certificate(db, by, reference)) enrollment = std::to_string(certificate->enrollment.get());
    if (!enrollment.empty()) {
        auto by_object = store::values("enrollment", enrollment, by.tenant);
        rows = co_await db.read(store::audit_by_object, std::move(by_object));
        if (!rows.empty()) co_return render(rows);
    }
    Problem absent(ProblemKind::not_found, "nothing is recorded under " + reference +
                                               "; give a request id (X-Request-Id), an enrollment number or a certificate serial");
    co_return absent;
}

}  // namespace postern::ra
