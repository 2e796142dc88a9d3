#include "ra/clock_agreement.hpp"

#include <algorithm>
#include <charconv>

#include "core/async/repeat.hpp"
#include "core/base/unavailable.hpp"
#include "core/json/writer.hpp"
#include "ra/laboratory.hpp"
#include "store/tables/audit.hpp"
#include "store/tables/clock.hpp"
#include "store/tables/setting.hpp"

namespace postern::ra {

namespace {

constexpr std::string_view stamp_name = "clock.stamp";
constexpr std::string_view accepted_setting = "clock.database_ahead_ms";
constexpr std::chrono::seconds look_every{1};
constexpr std::chrono::seconds ask_every{10};
constexpr std::chrono::minutes stamp_every{1};
constexpr std::chrono::minutes alarm_every{10};
/// When a client may ask again; a person has to act before.
constexpr std::chrono::seconds retry_after{60};

std::int64_t number(std::string_view name, const std::string& text) {
    std::int64_t out = 0;
    const auto end = text.data() + text.size();
    const auto [at, failed] = std::from_chars(text.data(), end, out);
    if (failed != std::errc() || at != end) throw std::runtime_error("setting " + std::string(name) + " is no number: " + text);
    return out;
}

std::string reason(const ClockAgreement::State& s) {
    std::string out = "the wall clock says " + core::rfc3339(s.wall) + ", the monotonic clock makes it " + core::rfc3339(s.expected);
    if (s.database > core::TimePoint{}) out += ", the database's clock says " + core::rfc3339(s.database);
    if (s.store > core::TimePoint{}) out += ", the store holds a record of " + core::rfc3339(s.store);
    return out + "; set the wall clock right, or, where it is right, run: postern clock accept";
}

std::string refusal(core::TimePoint wall, core::TimePoint database) {
    return "this machine's clock says " + core::rfc3339(wall) + " and the database server's says " + core::rfc3339(database) +
           ": more than five minutes apart, and one of them is wrong. Compare both with a third one, and set the wrong one right "
           "(chrony, systemd-timesyncd). Where this machine's is right and the other cannot be set now, run `postern clock accept` here "
           "with the same --data and --config, then start again";
}

}  // namespace

ClockAgreement::ClockAgreement(Deps deps)
    : deps_(deps), base_ms_(core::to_ms(deps.clock.now()) - deps.clock.since_boot().count()),
      agree_(deps.metrics.gauge("postern_clock_agreement", "1: wall clock, monotonic clock and store agree; 0: nothing is issued")),
      apart_(deps.metrics.gauge("postern_clock_disagreement_seconds", "How far the wall clock is ahead, negative: behind")) {
    agree_.set(1);
}

core::Task<void> ClockAgreement::open(Apart apart) {
    co_await read_accepted();
    co_await ask_database();
    const auto wall = deps_.clock.now();
    const bool believed = agrees_with_database(wall);
    if (!believed && apart == Apart::refuse) throw std::runtime_error(refusal(wall, core::from_ms(database_ms_) + deps_.clock.since_boot()));
    if (believed) {
        auto first = store::values(stamp_name, std::to_string(core::to_ms(latest(wall))));
        store::Batch batch;
        batch.add(store::setting_insert, std::move(first), store::Expect::any);
        const auto written = co_await deps_.db.write(std::move(batch));
        written.value();
    }
    const auto stamp = co_await read_stamp();
    if (!stamp.empty()) stamp_ms_ = number(stamp_name, stamp);
    auto none = store::values();
    const auto newest = co_await store::read_one(deps_.db, store::audit_newest, std::move(none));
    // Read after the row: whatever dated it is no farther ahead.
    const auto ahead = co_await laboratory_ahead(deps_.db);
    if (newest) audit_ms_ = core::to_ms(newest->time(0) - ahead);
    // Time goes on from the store's newest, so that nothing that is still signed goes back.
    const auto since_boot = deps_.clock.since_boot().count();
    if (!believed) base_ms_ = database_ms_.load();
    if (known() > latest(wall) + tolerance) base_ms_ = core::to_ms(known()) - since_boot;
    next_stamp_ = deps_.clock.steady() + stamp_every;
    next_question_ = deps_.clock.steady() + ask_every;
    raise_alarm(deps_.clock.steady());
}

std::string ClockAgreement::accepted_name() const { return std::string(accepted_setting) + "@" + deps_.node; }

core::Task<void> ClockAgreement::read_accepted() {
    auto name = store::values(accepted_name());
    const auto row = co_await store::read_one(deps_.db, store::setting_get, std::move(name));
    if (row) accepted_ms_ = number(accepted_setting, row->text(0));
}

/// The database's clock is right again: what was accepted would make another wrong time look right.
core::Task<void> ClockAgreement::forget_accepted() {
    const auto said = core::from_ms(database_ms_) + deps_.clock.since_boot();
    if (accepted_ms_ == 0 || std::chrono::abs(deps_.clock.now() - said) > tolerance) co_return;
    store::Batch batch;
    batch.add(store::setting_remove, store::values(accepted_name()), store::Expect::any);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (written) accepted_ms_ = 0;
}

/// It answered somewhere between the question and the answer.
core::Task<void> ClockAgreement::ask_database() {
    const auto before = deps_.clock.since_boot();
    auto none = store::values();
    const auto row = co_await store::read_one(deps_.db, store::store_clock, std::move(none));
    const auto said = row ? row->optional_integer(0) : std::nullopt;
    if (!said) co_return;
    database_ms_ = *said - (before + deps_.clock.since_boot()).count() / 2;
    has_database_ = true;
}

core::Task<std::string> ClockAgreement::read_stamp() {
    auto name = store::values(stamp_name);
    const auto row = co_await store::read_one(deps_.db, store::setting_get, std::move(name));
    co_return row ? row->text(0) : std::string();
}

/// A time that is in doubt is never stored, and no other's newer one is overwritten: unless the database's own clock says
/// that it lies in the future.
core::Task<void> ClockAgreement::renew_stamp() {
    const auto before = co_await read_stamp();
    const auto wall = deps_.clock.now();
    const auto held = before.empty() ? 0 : number(stamp_name, before);
    const auto fresh = core::to_ms(latest(wall));
    const bool beyond = core::from_ms(held) - latest(wall) > tolerance && has_database_;
    const bool writes = agrees(wall) && (fresh > held || beyond);
    // Also where nothing changes: the write finds out whether the store takes any.
    const auto value = writes ? std::to_string(fresh) : before;
    store::Batch batch;
    if (before.empty()) batch.add(store::setting_insert, store::values(stamp_name, std::to_string(fresh)));
    else batch.add(store::setting_replace, store::values(stamp_name, before, value));
    const auto written = co_await deps_.db.write(std::move(batch));
    if (written && writes) stamp_ms_ = fresh;
    if (written && beyond) deps_.log.warning("clock_stamp_reset", {{"stamp", core::rfc3339(core::from_ms(held))}, {"wall", core::rfc3339(wall)}});
    next_stamp_ = deps_.clock.steady() + stamp_every;
}

core::Task<void> ClockAgreement::look() {
    raise_alarm(deps_.clock.steady());
    if (has_database_ && deps_.clock.steady() >= next_question_) {
        co_await ask_database();
        next_question_ = deps_.clock.steady() + ask_every;
        co_await forget_accepted();
    }
    const bool due = deps_.clock.steady() >= next_stamp_ || !deps_.db.trouble().empty();
    if (due) co_await renew_stamp();
}

core::Task<void> ClockAgreement::keep() {
    const core::Repeated every(look_every, [this](const std::exception& fault) {
        // Of a store that is away readiness and metrics tell.
        if (dynamic_cast<const core::Unavailable*>(&fault) == nullptr) deps_.log.error("clock_unwatched", {{"why", fault.what()}});
    });
    auto looks = core::repeat(every, [this] { return look(); });
    co_await std::move(looks);
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

/// The database's time, less what was accepted where the wall clock follows that; the wall clock's where it has none.
core::TimePoint ClockAgreement::database(core::TimePoint wall) const noexcept {
    if (!has_database_.load(std::memory_order_relaxed)) return wall;
    const auto said = core::from_ms(database_ms_.load(std::memory_order_relaxed)) + deps_.clock.since_boot();
    const auto accepted = said - std::chrono::milliseconds(accepted_ms_.load(std::memory_order_relaxed));
    return std::chrono::abs(wall - said) <= std::chrono::abs(wall - accepted) ? said : accepted;
}

/// What no stored time may be ahead of. The stamp of other nodes is the database's time, so a clock that lags within the
/// tolerance has nothing against it.
core::TimePoint ClockAgreement::latest(core::TimePoint wall) const noexcept {
    return has_database_.load(std::memory_order_relaxed) ? database(wall) : wall;
}

bool ClockAgreement::agrees_with_database(core::TimePoint wall) const noexcept { return std::chrono::abs(wall - database(wall)) <= tolerance; }

/// The store knows nothing of what is to come: only a time ahead of the clocks says something.
bool ClockAgreement::agrees(core::TimePoint wall) const noexcept {
    return std::chrono::abs(wall - expected()) <= tolerance && agrees_with_database(wall) && known() - std::max(wall, latest(wall)) <= tolerance;
}

ClockAgreement::State ClockAgreement::state() const {
    State out;
    out.wall = deps_.clock.now();
    out.expected = expected();
    out.store = known();
    if (has_database_) out.database = core::from_ms(database_ms_) + deps_.clock.since_boot();
    out.apart = out.wall - out.expected;
    const auto from_database = out.wall - database(out.wall);
    if (std::chrono::abs(from_database) > std::chrono::abs(out.apart)) out.apart = from_database;
    if (out.store - out.wall > std::chrono::abs(out.apart)) out.apart = out.wall - out.store;
    out.agree = agrees(out.wall);
    out.laboratory = laboratory();
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
    return (agrees(wall) ? wall : expected()) + laboratory();
}

core::Task<ClockAgreement::State> ClockAgreement::accept(Actor by, core::RequestId request) {
    co_await ask_database();
    const auto before = state();
    if (before.agree) co_return before;
    const auto wall = deps_.clock.now();
    const auto base = core::to_ms(wall) - deps_.clock.since_boot().count();
    AuditRecord record;
    record.at = wall + laboratory();
    record.request = std::move(request);
    record.actor = std::move(by);
    record.action = "clock.accepted";
    record.object_kind = "clock";
    json::Writer detail;
    detail.begin_object().member("wall", core::rfc3339(wall)).member("expected", core::rfc3339(before.expected));
    if (has_database_) detail.member("database", core::rfc3339(before.database));
    detail.member("store", core::rfc3339(before.store)).end_object();
    record.detail = detail.take();
    const auto ahead = has_database_ ? (before.database - wall).count() : 0;
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    store::Batch batch;
    batch.add(store::setting_insert, store::values(stamp_name, std::to_string(core::to_ms(wall))), store::Expect::any);
    batch.add(store::setting_update, store::values(stamp_name, std::to_string(core::to_ms(wall))));
    if (has_database_) {
        const auto name = accepted_name();
        batch.add(store::setting_remove, store::values(name), store::Expect::any);
        batch.add(store::setting_insert, store::values(name, std::to_string(ahead)));
    }
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    written.value();
    base_ms_ = base;
    stamp_ms_ = core::to_ms(wall);
    audit_ms_ = 0;
    accepted_ms_ = ahead;
    deps_.log.warning("clock_accepted", {{"wall", core::rfc3339(wall)}, {"expected", core::rfc3339(before.expected)}, {"by", record.actor.name}});
    co_return state();
}

}  // namespace postern::ra
