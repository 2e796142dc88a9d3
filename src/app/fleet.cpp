#include "app/fleet.hpp"

#include <unistd.h>

#include <filesystem>

#include "app/house.hpp"
#include "app/laboratory.hpp"
#include "ca/builtin/crl_signer.hpp"
#include "core/async/deadline.hpp"
#include "core/async/repeat.hpp"
#include "core/base/unavailable.hpp"

namespace postern::app {

namespace {

/// Half of what is promised: the reading takes its time too.
constexpr std::chrono::milliseconds poll_every{500};
constexpr int beats_between_chores = 15;
constexpr std::string_view gate_check = "node.name";

/// Of a number that the database has forgotten the others learn through the database.
core::Task<void> follow_lost_number(House& house, std::string& told) {
    const auto lost = house.builtin->lost_number();
    if (!lost) co_return;
    auto what = "it knows number " + std::to_string(lost->stored) + " of the CRLs of CA " + lost->key_id + ", and number " + std::to_string(lost->published) +
                " was published here";
    // Once: who opened it meanwhile has seen to it.
    if (what == told) co_return;
    co_await house.restoration->close_lost(what);
    told = std::move(what);
    house.metrics.counter("postern_alarms_total", "What somebody must look at", {{"alarm", "commits_lost"}}).add();
}

core::Task<void> follow_restoration(House& house) {
    const auto change = co_await house.restoration->follow();
    if (change == ra::Restoration::Change::closed) house.builtin->halt_crls();
    if (change != ra::Restoration::Change::opened) co_return;
    const auto published = co_await house.builtin->release_crls(core::deadline_in(std::chrono::seconds(10)));
    if (!published) house.log.error("crl_late", {{"why", published.error().detail}});
}

core::Task<void> attempt_once(House& house) { static_cast<void>(co_await house.acme->attempt_due()); }

core::Task<void> follow_once(House& house, std::string& lost_told) {
    co_await follow_laboratory(house);
    co_await house.catalog->refresh();  // first: a hierarchy that does not load keeps nobody from the configuration that mends it
    co_await house.builtin->follow();
    if (house.fleet_nonces) co_await house.fleet_nonces->refresh();
    co_await follow_lost_number(house, lost_told);
    co_await follow_restoration(house);
}

/// Two that believe to be one node: a data folder that was copied.
void tell_of_name(House& house, store::NodeRegistry::Beat beat) {
    using Beat = store::NodeRegistry::Beat;
    constexpr std::string_view why =
        "another process has joined under this node's name: its data folder is a copy of this one; stop one of the two, and take "
        "the file node out of its data folder";
    if (beat == Beat::reborn) house.log.warning("node_reborn", {{"why", "this node's row in the store was gone; it goes on as a new life, and what its earlier one worked on is taken over"}});
    const auto reasons = house.gate.reasons();
    const bool told = std::any_of(reasons.begin(), reasons.end(), [](const auto& r) { return r.check == gate_check; });
    const bool mine = beat != Beat::replaced;
    if (mine == !told) return;
    if (mine) {
        house.gate.open(gate_check);
    } else {
        house.gate.shut(ra::IssuingGate::Reason(std::string(gate_check), std::string(why), std::chrono::seconds(60)));
        house.log.error("node_replaced", {{"why", why}});
    }
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
    std::string lost_told;
    core::Repeated how(poll_every, [&](const std::exception& fault) {
        if (dynamic_cast<const core::Unavailable*>(&fault) == nullptr) house.log.error("background_failed", {{"task", "follow_changes"}, {"why", fault.what()}});
        else if (!std::exchange(stale, true)) house.log.warning("catalog_stale", {{"why", fault.what()}});
    });
    how.succeeded = [&] {
        if (std::exchange(stale, false)) house.log.info("catalog_fresh", {});
    };
    auto rounds = core::repeat(std::move(how), [&] { return follow_once(house, lost_told); });
    co_await std::move(rounds);
}

core::Task<void> keep_attempting(House& house) {
    bool away = false;
    core::Repeated how(poll_every, [&](const std::exception& fault) {
        if (dynamic_cast<const core::Unavailable*>(&fault) == nullptr) house.log.error("background_failed", {{"task", "keep_attempting"}, {"why", fault.what()}});
        else if (!std::exchange(away, true)) house.log.warning("validations_wait", {{"why", fault.what()}});
    });
    how.succeeded = [&] { away = false; };
    auto rounds = core::repeat(std::move(how), [&] { return attempt_once(house); });
    co_await std::move(rounds);
}

namespace {

core::Task<void> live_once(House& house, int& beats) {
    const auto beat = co_await house.registry->beat();
    tell_of_name(house, beat);
    co_await house.registry->observe();
    if (house.registry->take_ended()) house.builtin->look_for_unlisted();
    if (++beats % beats_between_chores == 0) co_await house.fleet_nonces->forget();
}

}  // namespace

core::Task<void> keep_node(House& house) {
    bool away = false;
    int beats = 0;
    core::Repeated how(store::NodeRegistry::beat_every, [&](const std::exception& fault) {
        if (dynamic_cast<const core::Unavailable*>(&fault) == nullptr) house.log.error("background_failed", {{"task", "keep_node"}, {"why", fault.what()}});
        else if (!std::exchange(away, true)) house.log.warning("node_unseen", {{"why", fault.what()}});
    });
    how.succeeded = [&] { away = false; };
    how.longest = std::chrono::seconds(4);  // silent for longer, it would be taken for gone
    auto rounds = core::repeat(std::move(how), [&] { return live_once(house, beats); });
    co_await std::move(rounds);
}

}  // namespace postern::app
