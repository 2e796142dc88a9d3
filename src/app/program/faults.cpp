#include "app/program/faults.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <optional>
#include <stdexcept>

#include "core/async/deadline.hpp"
#include "core/async/fail_point.hpp"

namespace postern::app {

namespace {

constexpr std::array<std::pair<std::string_view, FaultPlan::Verb>, 4> verbs{{
    {"kill", FaultPlan::Verb::kill}, {"error", FaultPlan::Verb::error}, {"stall", FaultPlan::Verb::stall},
    {"freeze", FaultPlan::Verb::freeze}}};

std::optional<std::size_t> index_of(std::string_view point) noexcept {
    const auto found = std::find(core::fail_points.begin(), core::fail_points.end(), point);
    if (found == core::fail_points.end()) return std::nullopt;
    return static_cast<std::size_t>(found - core::fail_points.begin());
}

core::Problem wrong(std::string_view entry, std::string_view why) {
    std::string text = "POSTERN_FAIL: \"" + std::string(entry) + "\": " + std::string(why) +
                       "; expected POINT[@N]:kill|error|stall|freeze with POINT one of";
    for (const auto point : core::fail_points) text += " " + std::string(point);
    return {core::ProblemKind::malformed, std::move(text)};
}

}  // namespace

core::Result<void> FaultPlan::read(std::string_view text) {
    while (!text.empty()) {
        const auto entry = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), entry.size() + 1));
        const auto colon = entry.find(':');
        if (colon == std::string_view::npos) return wrong(entry, "it has no verb");
        const auto place = entry.substr(0, colon);
        const auto at = place.find('@');
        const auto point = index_of(place.substr(0, at));
        if (!point) return wrong(entry, "there is no such point");
        std::uint64_t passage = 0;
        if (at != std::string_view::npos) {
            const auto digits = place.substr(at + 1);
            const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), passage);
            if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || passage == 0)
                return wrong(entry, "the passage is no number from 1");
        }
        const auto verb = std::find_if(verbs.begin(), verbs.end(), [&](const auto& v) { return v.first == entry.substr(colon + 1); });
        if (verb == verbs.end()) return wrong(entry, "there is no such verb");
        entries_.push_back(Entry{*point, passage, verb->second});
    }
    return {};
}

bool FaultPlan::armed(std::string_view point) const noexcept {
    const auto index = index_of(point);
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.point == index; });
}

std::optional<FaultPlan::Verb> FaultPlan::pass(std::string_view point) noexcept {
    const auto index = index_of(point).value();
    const auto passage = passages_.at(index).fetch_add(1) + 1;
    for (const auto& e : entries_)
        if (e.point == index && (e.passage == 0 || e.passage == passage)) return e.verb;
    return std::nullopt;
}

FaultPlan& fault_plan() noexcept {
    static FaultPlan plan;
    return plan;
}

}  // namespace postern::app

namespace postern::core {

Task<void> fail_point(std::string_view name) {
    using Verb = app::FaultPlan::Verb;
    const auto verb = app::fault_plan().pass(name);
    if (!verb) co_return;
    switch (*verb) {
        case Verb::kill: std::raise(SIGKILL); break;
        case Verb::freeze: std::raise(SIGSTOP); break;
        case Verb::error: throw std::runtime_error("planned fault at " + std::string(name));
        case Verb::stall: co_await sleep_until(Deadline::max()); break;  // a stop still ends it
    }
}

bool fail_point_armed(std::string_view name) noexcept { return app::fault_plan().armed(name); }

}  // namespace postern::core
