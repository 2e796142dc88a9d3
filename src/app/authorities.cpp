#include "app/house.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"
#include "core/crypto/digest.hpp"
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

/// Of a root that comes, or goes, with an issuing CA: its row names both.
ra::AuditRecord record_of(std::string_view what, const ca::Rollover& rollover, const ra::Principal& by, const core::RequestId& request, core::TimePoint now) {
    const bool root = !rollover.new_root.empty();
    auto record = record_of((root ? "ca.root_" : "ca.successor_") + std::string(what), root ? rollover.new_root : rollover.successor.key_id, by, request, now);
    json::Writer detail;
    detail.begin_object().member("takes_over", core::rfc3339(rollover.successor.takes_over));
    if (root) detail.member("issuing", rollover.successor.key_id);
    detail.end_object();
    record.detail = detail.take();
    return record;
}

std::function<void(store::Batch&, const ca::Rollover&)> recorded(std::string_view what, std::int64_t audit_id, const ra::Principal& by, const core::RequestId& request, core::TimePoint now) {
    // All nodes look again at what they issue by, and what another is about to record by the configuration of before is judged anew; of two that
    // prepare one at a time, one waits for the other.
    return [=](store::Batch& batch, const ca::Rollover& rollover) {
        batch.add(store::configuration_turn, {}, store::Expect::any);
        batch.add(store::configuration_raise, {});
        ra::add_audit(batch, audit_id, record_of(what, rollover, by, request, now));
    };
}

void tell_authority(json::Writer& w, const ca::BuiltinCa::Known& each) {
    const auto certificate = crypto::Certificate::parse(each.certificate).value();
    w.begin_object().member("authority", each.key_id).member("role", each.role).member("issuer", each.issuer_id).member("subject", certificate.subject().to_text());
    w.member("notAfter", core::rfc3339(certificate.not_after()));
    if (each.takes_over > core::TimePoint{}) w.member("takesOver", core::rfc3339(each.takes_over));
    w.end_object();
}

void tell_crossed(json::Writer& w, const core::Bytes& der) {
    const auto certificate = crypto::Certificate::parse(der).value();
    w.begin_object().member("subject", core::hex(certificate.subject_key_id())).member("issuer", core::hex(certificate.authority_key_id()));
    w.member("serial", core::hex(certificate.serial())).member("notBefore", core::rfc3339(certificate.not_before()));
    w.member("notAfter", core::rfc3339(certificate.not_after())).end_object();
}

}  // namespace

std::string Operations::authorities() const {
    json::Writer w;
    w.begin_object().key("authorities").begin_array();
    for (const auto& each : house_.builtin->known()) tell_authority(w, each);
    w.end_array().key("crossCertificates").begin_array();
    for (const auto& each : house_.builtin->crossed()) tell_crossed(w, each);
    w.end_array().end_object();
    return w.take();
}

core::Task<core::Result<std::string>> Operations::prepare_successor(SuccessorOrder order, ra::Principal by, core::RequestId request) {
    const auto audit_id = co_await house_.numbers->next(store::Series::audit);
    auto more = recorded("prepared", audit_id, by, request, house_.clock_agreement->now());
    const auto new_root = order.new_root ? ca::NewRoot::yes : ca::NewRoot::no;
    const auto made = co_await house_.builtin->prepare_successor(core::floor_seconds(order.takes_over), new_root, std::move(more));
    if (!made) co_return made.error();
    const auto& next = made->successor;
    const auto certificate = crypto::Certificate::parse(next.chain.front()).value();
    const auto root = crypto::Certificate::parse(next.chain.back()).value();
    house_.log.info("ca_successor", {{"issuing", next.key_id}, {"root", core::hex(root.subject_key_id())}, {"takes_over", core::rfc3339(next.takes_over)}, {"by", by.name}});
    json::Writer w;
    w.begin_object().member("authority", next.key_id).member("takesOver", core::rfc3339(next.takes_over)).member("notAfter", core::rfc3339(certificate.not_after()));
    if (!made->new_root.empty()) {
        w.key("root").begin_object().member("authority", made->new_root).member("notAfter", core::rfc3339(root.not_after()));
        w.member("sha256", core::hex(crypto::sha256(root.der()))).end_object();
    }
    w.end_object();
    co_return w.take();
}

core::Task<core::Result<std::string>> Operations::withdraw_successor(ra::Principal by, core::RequestId request) {
    const auto audit_id = co_await house_.numbers->next(store::Series::audit);
    auto more = recorded("withdrawn", audit_id, by, request, house_.clock_agreement->now());
    const auto withdrawn = co_await house_.builtin->withdraw_successor(std::move(more));
    if (!withdrawn) co_return withdrawn.error();
    house_.log.info("ca_successor_withdrawn", {{"issuing", withdrawn->successor.key_id}, {"by", by.name}});
    json::Writer w;
    w.begin_object().member("authority", withdrawn->successor.key_id);
    if (!withdrawn->new_root.empty()) w.member("root", withdrawn->new_root);
    w.end_object();
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
