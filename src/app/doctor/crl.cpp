#include <boost/url/parse.hpp>

#include "app/doctor/doctor.hpp"
#include "app/host_lookup.hpp"
#include "ca/builtin/authority.hpp"
#include "core/http/client.hpp"
#include "store/tables/authority.hpp"

namespace postern::app::doctor {

namespace {

/// A CRL is signed anew when half of its time has passed; at three quarters nobody did.
constexpr double late = 0.75;
/// Relying parties' own clocks differ by more.
constexpr auto ahead = std::chrono::seconds(5);
/// store.restored says what to do.
constexpr std::string_view first_open = "open the restored installation; with that, CRLs are signed and served again";

void examine_age(Patient& p, const std::string& name, const store::AuthorityRow& row, const store::CrlRow& crl) {
    // Its key may be gone, and nobody trusts what it issued.
    const auto certificate = crypto::Certificate::parse(row.certificate);
    if (certificate && certificate->not_after() <= p.clock.now() && p.clock.now() > crl.next_update)
        return p.findings.good("crl.age", name + " ended at " + core::rfc3339(certificate->not_after()) + ", and its CRL " + std::to_string(crl.number) + " with it");
    if (crl.number == 0) return p.findings.failed("crl.age", name + " has no CRL", p.closed ? std::string(first_open) : "start the server, which signs one");
    const auto now = p.clock.now();
    const auto used = std::chrono::duration<double>(now - crl.this_update) / std::chrono::duration<double>(crl.next_update - crl.this_update);
    const auto about = name + ": CRL " + std::to_string(crl.number) + " of " + core::rfc3339(crl.this_update) + " is good until " + core::rfc3339(crl.next_update) +
                       ", " + std::to_string(static_cast<int>(used * 100)) + " % of its time used";
    const std::string advice = p.closed ? std::string(first_open) : p.server ? "the server's log says why it signs no new one (crl_failed); restart it" : "start the server, which signs a new one";
    if (crl.this_update > now + ahead)
        p.findings.failed("crl.age", name + ": CRL " + std::to_string(crl.number) + " begins at " + core::rfc3339(crl.this_update) + ", which is in the future: relying parties refuse it",
                          "set this machine's clock right (chrony, systemd-timesyncd); if it is right now, the CRL was signed while it was not: " +
                              std::string(p.closed ? first_open : p.server ? "the server replaces it within a minute, or its log says why not (crl_signing_failed, clocks_disagree)"
                                                                           : "start the server, which signs a new one"));
    else if (now > crl.next_update)
        p.findings.failed("crl.age", about + ": it is over, and relying parties refuse every certificate", advice);
    else if (used > late && p.server && !p.closed)
        p.findings.failed("crl.age", about + "; it should have been replaced", advice);
    else
        p.findings.good("crl.age", about);
    p.findings.judge("crl.number", crl.number > crl.last_number ? name + ": CRL " + std::to_string(crl.number) + " is newer than the last number used, " + std::to_string(crl.last_number) : "",
                     name + ": numbers rise", "restore the database from the backup: a number must never be used twice");
}

/// As a relying party would: by the URL that certificates carry.
void examine_served(Patient& p, const store::AuthorityRow& row, const store::CrlRow& stored) {
    const auto text = ca::crl_url(p.setting("public.http"), row.key_id);
    const std::string advice = "relying parties read it there: lead that name to the http listener, and see what stands between";
    const auto url = boost::urls::parse_uri(text);
    if (!url) return p.findings.failed("crl.served", text + " is no URL", advice);
    std::string wrong;
    try {
        http::Target target;
        target.address = url->host_address();
        target.host = std::string(url->encoded_host_and_port());
        target.port = url->has_port() ? url->port_number() : std::uint16_t{80};
        if (crypto::canonical_ip(target.address).empty()) target.address = resolve_host(target.address);
        http::Request request;
        request.method = http::Method::get;
        request.target = request.path = std::string(url->encoded_path());
        http::ClientLimits limits;
        limits.body_bytes = std::size_t{64} * 1024 * 1024;
        const auto answer = core::run_to_end(http::fetch(std::move(target), std::move(request), limits, core::deadline_in(std::chrono::seconds(10))));
        if (!answer)
            wrong = text + ": " + answer.error().detail;
        else if (answer->status != 200)
            wrong = text + " answers " + std::to_string(answer->status);
        else if (core::as_bytes(answer->body).size() != stored.der.size() || core::to_bytes(core::as_bytes(answer->body)) != stored.der)
            wrong = text + " gives another CRL than the newest";
    } catch (const std::runtime_error& e) {
        wrong = text + ": " + e.what();
    }
    p.findings.judge("crl.served", wrong, text, advice);
}

}  // namespace

void examine_crls(Patient& p) {
    if (!p.database) return;
    for (const auto& raw : p.read(store::authority_all)) {
        const auto row = store::AuthorityRow::from(raw);
        const auto rows = p.read(store::crl_newest, store::values(row.key_id, 0));
        if (rows.empty()) continue;
        const auto crl = store::CrlRow::from(rows.front());
        examine_age(p, row.kind + " CA " + row.key_id, row, crl);
        if (p.closed)
            p.findings.notice("crl.served", "no CRL is served while the restored installation is closed", std::string(first_open));
        else if (p.server && crl.number != 0)
            examine_served(p, row, crl);
    }
}

}  // namespace postern::app::doctor
