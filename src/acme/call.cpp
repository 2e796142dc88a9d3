#include "acme/call.hpp"

#include "core/json/writer.hpp"

namespace postern::acme {

namespace {
constexpr std::size_t most_detail = 1000;
constexpr std::string_view validations_help = "Validations of challenges by result";
}

std::string_view as_recorded(std::string_view detail) { return detail.substr(0, most_detail); }

Parts::Parts(Deps d)
    : deps(std::move(d)),
      bad_nonces(deps.metrics.counter("postern_acme_bad_nonces_total", "Requests refused for their nonce")),
      validations_valid(deps.metrics.counter("postern_acme_validations_total", validations_help, {{"result", "valid"}})),
      validations_invalid(
          deps.metrics.counter("postern_acme_validations_total", validations_help, {{"result", "invalid"}})) {}

ra::Actor Call::actor() const {
    if (account) return {"acme_account", account->row.token};
    return {"acme_key", jwk ? jwk->thumbprint : std::string()};
}

ra::AuditRecord Call::audit(core::TimePoint at, std::string action, std::string object_kind, std::string object_id) const {
    ra::AuditRecord r;
    r.at = at;
    r.tenant = endpoint.tenant;
    r.request = request.id;
    r.actor = actor();
    r.action = std::move(action);
    r.object_kind = std::move(object_kind);
    r.object_id = std::move(object_id);
    return r;
}

Result<json::Document> payload_object(const Call& call) {
    auto document = json::Document::parse(call.payload);
    if (!document) return Error(ErrorType::malformed, "the payload: " + document.error().detail);
    if (!document->root().is_object()) return Error(ErrorType::malformed, "the payload must be a JSON object");
    return std::move(*document);
}

Result<bool> read_flag(const json::Value& object, std::string_view name) {
    if (!object.contains(name)) return false;
    const auto value = object[name].boolean();
    if (!value) return Error(ErrorType::malformed, "the payload: " + value.error().detail);
    return *value;
}

Result<void> expect_post_as_get(const Call& call) {
    if (call.payload.empty()) return {};
    return Error(ErrorType::malformed,
                 "this resource is only read: send an empty payload, not even {} (POST-as-GET, RFC 8555 section 6.3)");
}

core::Task<Error> refuse(Parts& parts, const Call& call, ra::AuditRecord record, ra::Trace trace, Error error) {
    if (error.check.empty()) error.check = default_check(error.type, error.status);
    json::Writer w;
    w.begin_object().key("problem").begin_object().member("type", to_string(error.type)).member("detail", as_recorded(error.detail)).member("check", error.check);
    w.end_object().key("trace").raw(trace.to_json()).end_object();
    record.outcome = ra::AuditRecord::Outcome::refused;
    record.check = error.check;
    record.detail = w.take();
    const std::int64_t audit_id = co_await parts.deps.numbers.next(store::Series::audit);
    store::Batch batch;
    ra::add_audit(batch, audit_id, record);
    const auto written = co_await parts.deps.db.write(std::move(batch));
    written.value();
    parts.deps.log.info("acme_refused", {{"check", error.check}, {"why", error.detail}, observe::request(call.request.id)});
    error.recorded = true;
    co_return error;
}

core::Task<Error> refuse(Parts& parts, const Call& call, ra::AuditRecord record, std::string input, Error error) {
    ra::Trace trace;
    const std::string check(error.check.empty() ? default_check(error.type, error.status) : std::string_view(error.check));
    trace.add(ra::TraceEntry(check, std::move(input), ra::Verdict::refuse, std::string(as_recorded(error.detail))));
    return refuse(parts, call, std::move(record), std::move(trace), std::move(error));
}

http::Response json_response(unsigned status, std::string body) {
    return {status, "application/json", std::move(body)};
}

}  // namespace postern::acme
