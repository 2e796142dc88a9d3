#include "app/house.hpp"
#include "core/crypto/certificate.hpp"
#include "core/json/writer.hpp"
#include "store/tables/objects.hpp"
#include "store/tables/turn.hpp"

/// What operations.hpp offers of the built-in CA and of SCEP's registration authorities.
namespace postern::app {

namespace {

ra::AuditRecord record_of(std::string_view action, const std::string& key_id, const ra::Principal& by, const core::RequestId& request, core::TimePoint now) {
    ra::AuditRecord record;
    record.at = now;
    record.request = request;
    record.actor = by.actor;
    record.action = std::string(action);
    record.object_kind = "authority";
    record.object_id = key_id;
    return record;
}

ra::AuditRecord record_of(const ca::Successor& made, const ra::Principal& by, const core::RequestId& request, core::TimePoint now) {
    auto record = record_of("ca.successor_prepared", made.key_id, by, request, now);
    json::Writer detail;
    detail.begin_object().member("takes_over", core::rfc3339(made.takes_over)).end_object();
    record.detail = detail.take();
    return record;
}

}  // namespace

std::string Operations::authorities() const {
    json::Writer w;
    w.begin_object().key("authorities").begin_array();
    for (const auto& each : house_.builtin->known()) {
        const auto certificate = crypto::Certificate::parse(each.certificate).value();
        w.begin_object().member("authority", each.key_id).member("role", each.role).member("subject", certificate.subject().to_text());
        w.member("notAfter", core::rfc3339(certificate.not_after()));
        if (each.takes_over > core::TimePoint{}) w.member("takesOver", core::rfc3339(each.takes_over));
        w.end_object();
    }
    w.end_array().end_object();
    return w.take();
}

core::Task<core::Result<std::string>> Operations::prepare_successor(core::TimePoint takes_over, ra::Principal by, core::RequestId request) {
    const auto audit_id = co_await house_.numbers->next(store::Series::audit);
    const auto now = house_.clock_agreement->now();
    // All nodes look again at what they issue by; and of two that prepare one at a time, one waits for the other.
    std::function<void(store::Batch&, const ca::Successor&)> more = [&](store::Batch& batch, const ca::Successor& made) {
        batch.add(store::configuration_turn, {}, store::Expect::any);
        batch.add(store::configuration_raise, {});
        ra::add_audit(batch, audit_id, record_of(made, by, request, now));
    };
    const auto made = co_await house_.builtin->prepare_successor(core::floor_seconds(takes_over), std::move(more));
    if (!made) co_return made.error();
    const auto certificate = crypto::Certificate::parse(made->chain.front()).value();
    house_.log.info("ca_successor", {{"issuing", made->key_id}, {"takes_over", core::rfc3339(made->takes_over)}, {"by", by.name}});
    json::Writer w;
    w.begin_object().member("authority", made->key_id).member("takesOver", core::rfc3339(made->takes_over)).member("notAfter", core::rfc3339(certificate.not_after())).end_object();
    co_return w.take();
}

core::Task<core::Result<std::string>> Operations::withdraw_successor(ra::Principal by, core::RequestId request) {
    const auto audit_id = co_await house_.numbers->next(store::Series::audit);
    const auto now = house_.clock_agreement->now();
    // As above: what another node is about to record by the configuration of before is judged anew.
    std::function<void(store::Batch&, const std::string&)> more = [&](store::Batch& batch, const std::string& key_id) {
        batch.add(store::configuration_turn, {}, store::Expect::any);
        batch.add(store::configuration_raise, {});
        ra::add_audit(batch, audit_id, record_of("ca.successor_withdrawn", key_id, by, request, now));
    };
    const auto withdrawn = co_await house_.builtin->withdraw_successor(std::move(more));
    if (!withdrawn) co_return withdrawn.error();
    house_.log.info("ca_successor_withdrawn", {{"issuing", *withdrawn}, {"by", by.name}});
    json::Writer w;
    w.begin_object().member("authority", *withdrawn).end_object();
    co_return w.take();
}

core::Task<core::Result<std::string>> Operations::import_ra(RaImport import, ra::Principal by, core::RequestId request) {
    scep::RaCredentials::Import given;
    given.endpoint = std::move(import.endpoint);
    given.key = std::move(import.key);
    given.certificates = std::move(import.certificates);
    const auto done = co_await house_.ra_credentials->import(std::move(given), std::move(by), std::move(request));
    if (!done) co_return done.error();
    json::Writer w;
    w.begin_object().member("serial", done->serial).member("until", done->until);
    if (!done->warning.empty()) w.member("warning", done->warning);
    w.end_object();
    co_return w.take();
}

}  // namespace postern::app
