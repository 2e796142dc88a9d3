#include "api/call.hpp"
#include "core/json/writer.hpp"

namespace postern::api {

namespace {

std::string rendered(const ra::ClockAgreement::State& s) {
    json::Writer w;
    w.begin_object().member("agree", s.agree).member("wall", core::rfc3339(s.wall)).member("expected", core::rfc3339(s.expected));
    if (s.database > core::TimePoint{}) w.member("database", core::rfc3339(s.database));
    w.member("store", core::rfc3339(s.store)).member("apart_seconds", std::chrono::round<std::chrono::seconds>(s.apart).count());
    if (!s.agree) w.member("reason", s.reason);
    return w.end_object().take();
}

}  // namespace

/// -> {"agree", "wall", "expected", "database"?, "store", "apart_seconds", "reason"?}
core::Task<Answer> show_clock(Call call) { co_return json_response(200, rendered(call.deps.clock_agreement.state())); }

/// The wall clock is right from now on -> as above
core::Task<Answer> accept_clock(Call call) {
    if (call.principal.tenant)
        co_return core::Problem(core::ProblemKind::forbidden, "the clock is the whole installation's; ask an administrator of every tenant");
    auto actor = call.principal.actor;
    const auto state = co_await call.deps.clock_agreement.accept(std::move(actor), call.request.id);
    co_return json_response(200, rendered(state));
}

}  // namespace postern::api
