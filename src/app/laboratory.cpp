#include "app/laboratory.hpp"

#include "app/house.hpp"

namespace postern::app {

namespace {

constexpr std::string_view gate_check = "laboratory.clock";

std::string refusal(std::chrono::milliseconds ahead) {
    return "this installation is a laboratory's: its clock was set " + core::format_duration(ahead) +
           " forward by `postern clock advance`, and its certificates, CRLs and records are dated accordingly";
}

}  // namespace

core::Task<void> follow_laboratory_at_start(House& house) {
    const ra::Laboratory::Deps deps{*house.db, *house.numbers, house.clock, house.log};
    house.laboratory = std::make_unique<ra::Laboratory>(deps);
    const auto ahead = co_await ra::laboratory_ahead(*house.db);
    // A verb only looks and administers: it goes by the same clock, and no --lab is asked of it.
    const bool serves = house.config.may_create;
    if (serves && ahead.count() > 0 && !house.config.lab)
        throw std::runtime_error(refusal(ahead) + ". Start it with --lab, or start a new installation on an empty data folder and store");
    co_await house.laboratory->follow();
}

core::Task<void> follow_laboratory(House& house) {
    if (house.config.lab) {
        co_await house.laboratory->follow();
        co_return;
    }
    if (!shares_store(house.config)) co_return;  // nobody else could have set it
    const auto ahead = co_await ra::laboratory_ahead(*house.db);
    if (ahead.count() == 0) co_return;
    const auto reasons = house.gate.reasons();
    if (std::any_of(reasons.begin(), reasons.end(), [](const auto& reason) { return reason.check == gate_check; })) co_return;
    auto why = refusal(ahead) + "; this node runs without --lab and issues nothing";
    house.log.error("laboratory_clock_refused", {{"check", gate_check}, {"why", why}});
    house.gate.shut(ra::IssuingGate::Reason(std::string(gate_check), std::move(why), std::chrono::seconds(60)));
}

}  // namespace postern::app
