#include "app/doctor/doctor.hpp"

#include <algorithm>
#include <charconv>
#include <exception>

#include "app/fleet.hpp"
#include "core/async/deadline.hpp"
#include "store/tables/setting.hpp"

namespace postern::app::doctor {

std::string_view to_string(Verdict v) noexcept {
    switch (v) {
        case Verdict::good: return "good";
        case Verdict::notice: return "notice";
        case Verdict::failed: return "failed";
    }
    return "";
}

std::size_t Findings::count(Verdict v) const noexcept {
    return static_cast<std::size_t>(std::count_if(list_.begin(), list_.end(), [v](const Finding& f) { return f.verdict == v; }));
}

store::Rows Patient::read(const store::Statement& statement, store::Values values) const {
    return core::run_to_end(db().read(statement, std::move(values)));
}

std::string Patient::setting(std::string_view name) const {
    const auto rows = read(store::setting_get, store::values(name));
    return rows.empty() ? std::string() : rows.front().text(0);
}

namespace {

/// A port 0 was chosen once and is kept.
void fill_ports(Patient& p) {
    if (!p.database || p.options.running) return;
    const auto node = node_name(p.config, nullptr);
    const auto fill = [&](std::string_view name, Address& address) {
        const auto kept = address.port == 0 ? p.setting(own_setting("port." + std::string(name), p.config, node)) : std::string();
        std::from_chars(kept.data(), kept.data() + kept.size(), address.port);
    };
    fill("https", p.config.https);
    fill("est", p.config.est);
    fill("http", p.config.http);
    fill("management", p.config.management);
}

}  // namespace

Findings examine(const Options& options) {
    Findings findings;
    Patient p(options, findings);
    // A damaged file shows at whatever is read first; the other parts go on.
    for (const auto part : {&examine_folder, &examine_store, &fill_ports, &examine_configuration, &examine_keys, &examine_crls, &examine_network}) {
        try {
            part(p);
        } catch (const std::exception& e) {
            findings.failed("store.readable", e.what(), "stop the server and restore the newest backup; keep the damaged file for an enquiry");
        }
    }
    return findings;
}

}  // namespace postern::app::doctor
