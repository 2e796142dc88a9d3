#include "app/doctor/catalog.hpp"

namespace postern::app::doctor {

std::shared_ptr<const ra::Catalog> read_catalog(const Patient& p) {
    observe::Log log(observe::Level::error, {}, false);
    ra::CatalogSource source(p.db(), log);
    core::run_to_end(source.refresh());
    return source.current();
}

void examine_binding(Patient& p) {
    constexpr std::string_view check = "store.channel_binding";
    std::string names;
    if (!p.config.est_proxy_certificates.empty()) {
        const auto catalog = read_catalog(p);
        for (const auto& endpoint : catalog->endpoints)
            if (endpoint.active && catalog->requires_binding(endpoint)) names += (names.empty() ? "" : ", ") + endpoint.name;
    }
    if (names.empty()) return p.findings.good(std::string(check), "no EST endpoint wants a channel binding that a proxy would keep it from");
    p.findings.notice(std::string(check), "these EST endpoints want requests bound to their TLS connection, which no device behind a proxy of [est] proxy_certificates can send: " + names,
                      "let their devices connect to the est listener themselves, or give their profiles require_binding = false");
}

}  // namespace postern::app::doctor
