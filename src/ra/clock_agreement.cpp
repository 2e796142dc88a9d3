#include "ra/clock_agreement.hpp"

#include <algorithm>
#include <charconv>

#include "core/async/deadline.hpp"
#include "core/json/writer.hpp"
#include "store/tables/audit.hpp"
#include "store/tables/setting.hpp"

namespace postern::ra {

namespace {

constexpr std::string_view stamp_name = "clock.stamp";
constexpr std::chrono::seconds look{1};
constexpr std::chrono::minutes stamp_every{1};
constexpr std::chrono::minutes alarm_every{10};
/// When a client may ask again; a person has to act before.
constexpr std::chrono::seconds retry_after{60};

std::int64_t number(const std::string& text) {
    std::int64_t out = 0;
    const auto end = text.data() + text.size();
    const auto [at, failed] = std::from_chars(text.data(), end, out);
    if (failed != std::errc() || at != end) throw std::runtime_error("setting clock.stamp is no number: " + text);
    return out;
}

std::string reason(const ClockAgreement::State& s) {
    std::string out = "the wall clock says " + core::rfc3339(s.wall) + ", the monotonic clock makes it " + core::rfc3339(s.expected);
    if (s.store > core::TimePoint{}) out += ", the store holds a record of " + core::rfc3339(s.store);
    return out + "; set the wall clock right, or, where it is right, run: postern clock accept";
}

}  // namespace

ClockAgreement::ClockAgreement(Deps deps)
    : deps_(deps), base_ms_(core::to_ms(deps.clock.now()) - deps.clock.since_boot().count()),
      agree_(deps.metrics.gauge("postern_clock_agreement", "1: wall clock, monotonic clock and store agree; 0: nothing is issued")),
      apart_(deps.metrics.gauge("postern_clock_disagreement_seconds", "How far the wall clock is ahead, negative: behind")) {
    agree_.set(1);
}

core::Task<void> ClockAgreement::open() {
    auto first = store::values(stamp_name, std::to_string(core::to_ms(deps_.clock.now())));
    store::Batch batch;
    batch.add(store::setting_insert, std::move(first), store::Expect::any);
    const auto written = co_await deps_.db.write(std::move(batch));
    written.value();
    co_await read_stamp();
    auto none = store::values();
    const auto newest = co_await store::read_one(deps_.db, store::audit_newest, std::move(none));
    if (newest) audit_ms_ = core::to_ms(newest->time(0));
    // Time goes on from the store's newest, so that nothing that is still signed goes back.
    if (known() > deps_.clock.now() + tolerance) base_ms_ = core::to_ms(known()) - deps_.clock.since_boot().count();
    next_stamp_ = deps_.clock.steady() + stamp_every;
    raise_alarm(deps_.clock.steady());
}

core::Task<void> ClockAgreement::read_stamp() {
    auto name = store::values(stamp_name);
    const auto row = co_await store::read_one(deps_.db, store::setting_get, std::move(name));
    if (row) stamp_ms_ = number(row->text(0));
}

/// A time that is in doubt is never stored.
core::Task<void> ClockAgreement::write_stamp() {
    const auto wall = deps_.clock.now();
    const auto value = agrees(wall) ? core::to_ms(wall) : stamp_ms_.load();
    store::Batch batch;
    batch.add(store::setting_update, store::values(stamp_name, std::to_string(value)));
    const auto written = co_await deps_.db.write(std::move(batch));
    if (written) stamp_ms_ = value;
}

core::Task<void> ClockAgreement::renew_stamp() {
    try {
        // Another node's may be ahead of ours.
        co_await read_stamp();
        co_await write_stamp();
        next_stamp_ = deps_.clock.steady() + stamp_every;
    } catch (const store::StoreUnavailable&) {
        // Readiness and metrics tell of it; the next look tries again.
    }
}

core::Task<void> ClockAgreement::keep() {
    for (;;) {
        co_await core::sleep_for(look);
        raise_alarm(deps_.clock.steady());
        const bool due = deps_.clock.steady() >= next_stamp_ || !deps_.db.trouble().empty();
        if (due) co_await renew_stamp();
    }
}

void ClockAgreement::raise_alarm(core::SteadyPoint now) {
    const auto s = state();
    agree_.set(s.agree ? 1 : 0);
    apart_.set(std::chrono::duration<double>(s.apart).count());
    if (s.agree) {
        if (alarmed_) deps_.log.info("clocks_agree", {{"wall", core::rfc3339(s.wall)}});
        alarmed_ = false;
    } else if (!alarmed_ || now >= next_alarm_) {
        deps_.log.error("clocks_disagree", {{"check", "clock.agreement"}, {"why", s.reason}, {"apart_ms", s.apart.count()}});
        alarmed_ = true;
        next_alarm_ = now + alarm_every;
    }
}

core::TimePoint ClockAgreement::expected() const noexcept {
    return core::from_ms(base_ms_.load(std::memory_order_relaxed)) + deps_.clock.since_boot();
}

core::TimePoint ClockAgreement::known() const noexcept {
    return core::from_ms(std::max(stamp_ms_.load(std::memory_order_relaxed), audit_ms_.load(std::memory_order_relaxed)));
}

/// The store knows nothing of what is to come: only a time ahead of the wall clock's says something.
bool ClockAgreement::agrees(core::TimePoint wall) const noexcept {
    return std::chrono::abs(wall - expected()) <= tolerance && known() - wall <= tolerance;
}

ClockAgreement::State ClockAgreement::state() const {
    State out;
    out.wall = deps_.clock.now();
    out.expected = expected();
    out.store = known();
    out.apart = out.wall - out.expected;
    if (out.store - out.wall > std::chrono::abs(out.apart)) out.apart = out.wall - out.store;
    out.agree = agrees(out.wall);
    if (!out.agree) out.reason = reason(out);
    return out;
}

core::Result<void> ClockAgreement::check() const {
    if (agrees(deps_.clock.now())) return {};
    core::Problem out(core::ProblemKind::unavailable,
                      "the server's clock is in doubt; nothing is issued until it is right or its administrator has accepted it",
                      "clock.agreement");
    out.retry_after = retry_after;
    return out;
}

core::TimePoint ClockAgreement::now() const noexcept {
    const auto wall = deps_.clock.now();
    return agrees(wall) ? wall : expected();
}

core::Task<ClockAgreement::State> ClockAgreement::accept(Actor by, core::RequestId request) {
    const auto before = state();
    if (before.agree) co_return before;
    const auto wall = deps_.clock.now();
    const auto base = core::to_ms(wall) - deps_.clock.since_boot().count();
    AuditRecord record;
    record.at = wall;
    record.request = std::move(request);
    record.actor = std::move(by);
    record.action = "clock.accepted";
    record.object_kind = "clock";
    json::Writer detail;
    detail.begin_object().member("wall", core::rfc3339(wall)).member("expected", core::rfc3339(before.expected));
    detail.member("store", core::rfc3339(before.store)).end_object();
    record.detail = detail.take();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    store::Batch batch;
    batch.add(store::setting_update, store::values(stamp_name, std::to_string(core::to_ms(wall))));
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    written.value();
    base_ms_ = base;
    stamp_ms_ = core::to_ms(wall);
    audit_ms_ = 0;
    deps_.log.warning("clock_accepted", {{"wall", core::rfc3339(wall)}, {"expected", core::rfc3339(before.expected)}, {"by", record.actor.name}});
    co_return state();
}

}  // namespace postern::ra
