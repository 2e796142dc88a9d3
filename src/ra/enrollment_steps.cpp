#include "ra/enrollment_steps.hpp"

#include "core/crypto/digest.hpp"
#include "core/json/writer.hpp"
#include "store/tables/authority.hpp"
#include "store/tables/enrollment.hpp"
#include "store/tables/enrollment_name.hpp"
#include "store/tables/succession.hpp"

namespace postern::ra {

void Enrollment::Attempt::guard_configuration(store::Batch& batch) const {
    batch.add(store::enrollment_guard,
              store::values(tenant->id, endpoint->id, endpoint->version, account->id, account->version, profile->id, profile->version));
    // This node may have been apart from the store when the CA that it goes by was withdrawn.
    if (!foreign) batch.add(store::succession_stands, store::values(prepared.issuer_key_id, store::never_takes_over));
}

std::string Enrollment::Attempt::term() const {
    if (!wished_from && !wished_until) return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(profile->lifetime).count()) + " s";
    std::string out = wished_from ? "from " + core::rfc3339(*wished_from) : "from its issue";
    return out + (wished_until ? " to " + core::rfc3339(*wished_until) : "");
}

core::Bytes Enrollment::Attempt::resolved_hash() const {
    return content_hash(authorized->content(), backend_name, request.requester, term());
}

AuditRecord Enrollment::Attempt::audit(std::string action, AuditRecord::Outcome outcome) const {
    AuditRecord r;
    r.at = now;
    r.tenant = tenant_id();
    r.request = request.id;
    r.actor = actor();
    r.action = std::move(action);
    r.object_kind = "enrollment";
    r.object_id = id.get() ? std::to_string(id.get()) : "";
    r.outcome = outcome;
    return r;
}

core::EndpointId Enrollment::Attempt::counted_at() const {
    return ra::counted_at(*catalog, endpoint->id, vouched_by_intune(request.evidence));
}

core::EndpointId counted_at(const Catalog& catalog, core::EndpointId endpoint, bool by_intune) noexcept {
    const auto* own = by_intune ? catalog.endpoint(Protocol::system, "system") : nullptr;
    return own ? own->id : endpoint;
}

core::Bytes attempt_key(const EnrollmentRequest& request, const std::vector<crypto::GeneralName>& names) {
    crypto::PartsDigest digest;
    digest.add(request.endpoint.get()).add(request.requester).add(request.attempt);
    if (!request.made_key) digest.add(request.csr->key().spki());
    digest.add(static_cast<std::int64_t>(names.size()));
    for (const auto& n : names) digest.add(static_cast<std::int64_t>(n.type)).add(n.value);
    // The presented credential is part of the attempt; when it was presented is not.
    for (const auto& e : request.evidence)
        if (!of_a_name(e.kind)) digest.add(to_string(e.kind)).add(e.subject);
    const auto out = digest.finish();
    return {out.begin(), out.end()};
}

core::Bytes content_hash(const ca::Content& content, const std::string& backend, const std::string& requester, const std::string& term) {
    crypto::PartsDigest digest;
    digest.add(content.profile.get()).add(content.profile_version).add(backend).add(requester);
    digest.add(content.subject.to_der()).add(crypto::general_names_der(content.names)).add(content.key.spki());
    digest.add(term).add(static_cast<std::int64_t>(content.must_staple));
    for (const auto bit : content.key_usage) digest.add(static_cast<std::int64_t>(bit));
    for (const auto& oid : content.extended_key_usage) digest.add(oid);
    for (const auto& [name, value] : content.parameters) digest.add(name).add(value);
    if (!content.security_identifier.empty()) digest.add("security_identifier").add(content.security_identifier);
    const auto out = digest.finish();
    return {out.begin(), out.end()};
}

std::string names_json(const std::vector<crypto::GeneralName>& names) {
    json::Writer w;
    w.begin_array();
    for (const auto& n : names) w.string(crypto::to_text(n));
    w.end_array();
    return w.take();
}

std::string name_key(std::string text) {
    constexpr std::size_t longest = 512;
    if (text.size() > longest) text.resize(longest);
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

void index_names(store::Batch& batch, core::EnrollmentId enrollment, Protocol via, const std::vector<crypto::GeneralName>& names) {
    for (const auto& n : names) {
        const bool host = n.type == crypto::GeneralNameType::dns || n.type == crypto::GeneralNameType::ip;
        if (host && via != Protocol::scep && via != Protocol::est) continue;  // orders have theirs, and the server knows its own
        batch.add(store::enrollment_name_put, store::values(name_key(crypto::to_text(n)), enrollment), store::Expect::any);
    }
}

std::string problem_json(const core::Problem& problem) {
    json::Writer w;
    w.begin_object().member("kind", core::to_string(problem.kind)).member("detail", problem.detail);
    if (!problem.check.empty()) w.member("check", problem.check);
    w.end_object();
    return w.take();
}

core::Problem blocked_meanwhile(const std::string& why) {
    return {core::ProblemKind::internal, "the key was blocked while the CA worked on the request: " + why, "key.blocked"};
}

}  // namespace postern::ra
