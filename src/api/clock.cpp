#include "api/call.hpp"
#include "core/json/writer.hpp"

namespace postern::api {

namespace {

std::string rendered(const ra::ClockAgreement::State& s) {
    json::Writer w;
    w.begin_object().member("agree", s.agree).member("wall", core::rfc3339(s.wall)).member("expected", core::rfc3339(s.expected));
    if (s.database > core::TimePoint{}) w.member("database", core::rfc3339(s.database));
    w.member("store", core::rfc3339(s.store)).member("apart_seconds", std::chrono::round<std::chrono::seconds>(s.apart).count());
    if (s.laboratory.count() > 0) {
        w.member("laboratory_ahead_seconds", std::chrono::round<std::chrono::seconds>(s.laboratory).count());
        w.member("laboratory", core::rfc3339(s.wall + s.laboratory));
    }
    if (!s.agree) w.member("reason", s.reason);
    return w.end_object().take();
}

}  // namespace

/// -> {"agree", "wall", "expected", "database"?, "store", "apart_seconds", "laboratory_ahead_seconds"?, "laboratory"?, "reason"?}
core::Task<Answer> show_clock(Call call) { co_return json_response(200, rendered(call.deps.clock_agreement.state())); }

/// The wall clock is right from now on -> as above
core::Task<Answer> accept_clock(Call call) {
    if (call.principal.tenant)
        co_return core::Problem(core::ProblemKind::forbidden, "the clock is the whole installation's; ask an administrator of every tenant");
    auto actor = call.principal.actor;
    const auto state = co_await call.deps.clock_agreement.accept(std::move(actor), call.request.id);
    co_return json_response(200, rendered(state));
}

/// {"advance": "30d"} -> as above, once this node's clock is ahead; the others follow within a second
core::Task<Answer> advance_laboratory_clock(Call call) {
    const auto body = read_body(call.request, {"advance"});
    if (!body) co_return body.error();
    const auto wish = body->root()["advance"];
    const auto text = wish.string();
    if (!text) co_return text.error();
    const auto by = core::parse_duration(*text);
    if (!by) co_return wish.problem("expected a duration such as \"30d\", \"12h\" or \"90s\"");
    auto principal = call.principal;
    const auto done = co_await call.deps.operations.advance_laboratory_clock(*by, std::move(principal), call.request.id);
    if (!done) co_return done.error();
    co_return json_response(200, rendered(call.deps.clock_agreement.state()));
}

}  // namespace postern::api
