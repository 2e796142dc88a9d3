#include "app/fleet.hpp"

#include <unistd.h>

#include <filesystem>

#include "app/house.hpp"
#include "core/async/deadline.hpp"
#include "core/base/unavailable.hpp"

namespace postern::app {

namespace {

/// Half of what is promised: the reading takes its time too.
constexpr std::chrono::milliseconds poll_every{500};
constexpr int beats_between_chores = 15;
constexpr std::string_view gate_check = "node.name";

core::Task<void> follow_once(House& house) {
    co_await house.catalog->refresh();
    if (house.fleet_nonces) co_await house.fleet_nonces->refresh();
    const bool opened = co_await house.restoration->follow();
    if (!opened) co_return;
    const auto published = co_await house.builtin->release_crls(core::deadline_in(std::chrono::seconds(10)));
    if (!published) house.log.error("crl_late", {{"why", published.error().detail}});
}

/// Two that believe to be one node: a data folder that was copied.
void tell_of_name(House& house, bool mine) {
    constexpr std::string_view why =
        "another process has joined under this node's name: its data folder is a copy of this one; stop one of the two, and take "
        "the file node out of its data folder";
    const auto reasons = house.gate.reasons();
    const bool told = std::any_of(reasons.begin(), reasons.end(), [](const auto& r) { return r.check == gate_check; });
    if (mine == !told) return;
    if (mine) {
        house.gate.open(gate_check);
    } else {
        house.gate.shut(ra::IssuingGate::Reason(std::string(gate_check), std::string(why), std::chrono::seconds(60)));
        house.log.error("node_replaced", {{"why", why}});
    }
}

/// What one node at a time does, every half minute.
core::Task<void> do_chores(House& house, store::Lease& validations) {
    co_await house.fleet_nonces->forget();
    const bool held = co_await validations.hold();
    if (!held) co_return;
    const auto resumed = co_await house.acme->resume_validations(house.clock_agreement->now() - oldest_validation);
    if (resumed > 0) house.log.info("validations_resumed", {{"count", resumed}});
}

}  // namespace

std::string node_name(const Config& config, core::Random* random) {
    char host[256] = "localhost";
    ::gethostname(host, sizeof host - 1);
    if (!shares_store(config)) return std::string(host) + ":" + config.data;
    const auto path = config.data + "/node";
    if (!std::filesystem::exists(path)) {
        if (random == nullptr) return {};
        write_file(path, random->token(), 0600);
    }
    return std::string(host) + ":" + read_file(path);
}

std::string own_setting(std::string name, const Config& config, const std::string& node) {
    return shares_store(config) ? name + "@" + node : name;
}

core::Task<void> follow_changes(House& house) {
    bool stale = false;
    for (;;) {
        co_await core::sleep_for(poll_every);
        try {
            co_await follow_once(house);
            if (std::exchange(stale, false)) house.log.info("catalog_fresh", {});
        } catch (const core::Unavailable& fault) {
            if (!std::exchange(stale, true)) house.log.warning("catalog_stale", {{"why", fault.what()}});
        }
    }
}

core::Task<void> keep_node(House& house) {
    bool away = false;
    store::Lease validations(*house.db, house.clock, "validations", node_name(house.config, &house.random));
    for (int beats = 0;; ++beats) {
        co_await core::sleep_for(store::NodeRegistry::beat_every);
        try {
            const bool mine = co_await house.registry->beat();
            tell_of_name(house, mine);
            co_await house.registry->observe();
            if (beats % beats_between_chores == beats_between_chores - 1) co_await do_chores(house, validations);
            away = false;
        } catch (const core::Unavailable& fault) {
            if (!std::exchange(away, true)) house.log.warning("node_unseen", {{"why", fault.what()}});
        }
    }
}

}  // namespace postern::app
