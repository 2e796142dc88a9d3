#include "ra/laboratory.hpp"

#include <charconv>

#include "core/json/writer.hpp"
#include "store/tables/setting.hpp"

namespace postern::ra {

namespace {

constexpr std::string_view setting_name = "laboratory.clock_ahead_ms";

core::Task<std::string> read_setting(store::Database& db) {
    auto name = store::values(setting_name);
    const auto row = co_await store::read_one(db, store::setting_get, std::move(name));
    co_return row ? row->text(0) : std::string();
}

std::chrono::milliseconds number(const std::string& text) {
    if (text.empty()) return {};
    std::int64_t out = 0;
    const auto end = text.data() + text.size();
    const auto [at, failed] = std::from_chars(text.data(), end, out);
    if (failed != std::errc() || at != end) throw std::runtime_error("setting " + std::string(setting_name) + " is no number: " + text);
    return std::chrono::milliseconds(out);
}

}  // namespace

core::Task<std::chrono::milliseconds> laboratory_ahead(store::Database& db) {
    const auto text = co_await read_setting(db);
    co_return number(text);
}

bool Laboratory::take(std::chrono::milliseconds ahead) {
    if (!deps_.clock.raise_to(ahead)) return false;
    deps_.log.warning("laboratory_clock", {{"ahead_seconds", std::chrono::floor<std::chrono::seconds>(ahead).count()},
                                           {"now", core::rfc3339(deps_.clock.now())},
                                           {"why", "set forward by `postern clock advance`: what is issued from now on begins in the future"}});
    return true;
}

core::Task<bool> Laboratory::follow() {
    const auto ahead = co_await laboratory_ahead(deps_.db);
    co_return take(ahead);
}

core::Task<core::Result<std::chrono::milliseconds>> Laboratory::advance(std::chrono::milliseconds by, Actor actor, core::RequestId request) {
    using core::Problem;
    using core::ProblemKind;
    if (by.count() <= 0) co_return Problem(ProblemKind::malformed, "a laboratory's clock goes forward only");
    const auto before = co_await read_setting(deps_.db);
    const auto held = number(before);
    if (by > most || held + by > most)
        co_return Problem(ProblemKind::malformed, "the laboratory's clock would be more than 50 years ahead: certificates could not outlive that");
    const auto after = held + by;
    AuditRecord record;
    record.at = deps_.clock.now();
    record.request = std::move(request);
    record.actor = std::move(actor);
    record.action = "laboratory.clock_advanced";
    record.object_kind = "clock";
    json::Writer detail;
    detail.begin_object().member("by_seconds", std::chrono::floor<std::chrono::seconds>(by).count());
    detail.member("ahead_seconds", std::chrono::floor<std::chrono::seconds>(after).count()).end_object();
    record.detail = detail.take();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    const auto text = std::to_string(after.count());
    store::Batch batch;
    if (before.empty()) batch.add(store::setting_insert, store::values(setting_name, text));
    else batch.add(store::setting_replace, store::values(setting_name, before, text));
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return Problem(ProblemKind::conflict, "somebody else has just set the laboratory's clock forward; look at `postern clock`, and ask again");
    take(after);
    co_return after;
}

}  // namespace postern::ra
