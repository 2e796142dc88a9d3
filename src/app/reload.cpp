#include "app/reload.hpp"

#include <system_error>

#include "app/house.hpp"
#include "core/json/writer.hpp"

namespace postern::app {

namespace {

/// Keys whose values differ, as "key: old -> new".
std::vector<std::string> differences(const Config& before, const Config& now, bool live) {
    const auto a = settings_of(before), b = settings_of(now);
    std::vector<std::string> out;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i].live == live && a[i].value != b[i].value) out.push_back(std::string(a[i].key) + ": " + a[i].value + " -> " + b[i].value);
    return out;
}

std::string joined(const std::vector<std::string>& list) {
    std::string out;
    for (const auto& item : list) out += (out.empty() ? "" : "; ") + item;
    return out;
}

}  // namespace

Reload::Reload(House& house, OwnTls& tls, http::Server& server, Config started, ReadConfig read)
    : house_(house), tls_(tls), server_(server), current_(std::move(started)), read_(std::move(read)) {}

core::Result<std::string> Reload::run() {
    auto result = attempt();
    if (!result) house_.log.error("reload_failed", {{"why", result.error().detail}, {"unchanged", true}});
    house_.metrics.counter("postern_reloads_total", "Reloads of the configuration by result", {{"result", result ? "done" : "failed"}}).add();
    return result;
}

core::Result<std::string> Reload::attempt() {
    const auto fresh = read_();
    if (!fresh) return fresh.error();
    auto certificate = tls_.read(*fresh, OwnTls::Expired::refused);
    if (!certificate) return certificate.error();
    try {
        house_.log.reopen();
    } catch (const std::system_error& e) {
        return core::Problem(core::ProblemKind::malformed, std::string("the log file cannot be opened anew: ") + e.what());
    }
    // Nothing below can fail.
    const auto changed = differences(current_, *fresh, true), restart = differences(current_, *fresh, false);
    const bool new_certificate = tls_.adopt(*fresh, std::move(*certificate));
    server_.set_limits(fresh->limits);
    const auto tell = [&] {
        house_.log.warning("reloaded", {{"changed", joined(changed)}, {"new_certificate", new_certificate}, {"needs_restart", joined(restart)}});
    };
    // At whichever level is the more talkative.
    const bool heard = house_.log.enabled(observe::Level::warning);
    if (heard) tell();
    house_.log.set_level(fresh->log_level);
    if (!heard) tell();
    current_.limits = fresh->limits;
    current_.log_level = fresh->log_level;
    current_.tls_certificate = fresh->tls_certificate;
    current_.tls_key = fresh->tls_key;

    json::Writer w;
    w.begin_object().member("newCertificate", new_certificate);
    for (const auto& [key, list] : {std::pair("changed", &changed), std::pair("restart", &restart)}) {
        w.key(key).begin_array();
        for (const auto& item : *list) w.string(item);
        w.end_array();
    }
    w.end_object();
    return w.take();
}

}  // namespace postern::app
