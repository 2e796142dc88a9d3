#pragma once
#include "ca/lint.hpp"
#include "ra/audit.hpp"
#include "ra/blocked_keys.hpp"
#include "ra/enrollment.hpp"
#include "ra/policy/policy.hpp"

namespace postern::ra {

/// A store that comes back within this time costs no answer of a foreign CA.
inline constexpr int recording_tries = 30;
inline constexpr std::chrono::seconds between_tries(2);
inline constexpr auto recording_time = recording_tries * between_tries;

/// What the steps of one issuance hand on to each other; lives in the frame of submit or settle.
struct Enrollment::Attempt {
    Attempt() = default;
    EnrollmentRequest request;
    std::shared_ptr<const Catalog> catalog;
    std::optional<Account> account;
    std::optional<KeyBlock> key_block;
    bool requester_stands = true;
    const Tenant* tenant = nullptr;
    const Endpoint* endpoint = nullptr;
    const Profile* profile = nullptr;
    ca::Backend* backend = nullptr;
    std::string backend_name;
    std::optional<ca::Foreign> foreign;
    std::int64_t fence = 0;     ///< of the submission, when foreign
    bool first_answer = true;   ///< the CA has not said "pending" before
    /// The dates that the client itself asked for.
    std::optional<core::TimePoint> wished_from, wished_until;
    /// Of a request that an officer approved: the content that was seen, and until when its issue is tried where the CA is away.
    core::Bytes approved_hash;
    std::optional<core::TimePoint> approved_until;
    Trace trace;
    core::TimePoint now{};
    core::EnrollmentId id;
    core::Bytes attempt_key;
    std::optional<ca::Authorized> authorized;
    ca::Prepared prepared;

    [[nodiscard]] Actor actor() const { return {std::string(to_string(request.via)), request.requester}; }
    [[nodiscard]] std::optional<core::TenantId> tenant_id() const {
        if (endpoint) return endpoint->tenant;
        return authorized ? std::optional(authorized->tenant()) : std::nullopt;
    }
    /// Whether its protocol has credentials that count once.
    [[nodiscard]] bool takes_credentials() const noexcept { return request.via != Protocol::acme && request.via != Protocol::system; }
    /// The endpoint under which its single-use credential is kept.
    [[nodiscard]] core::EndpointId counted_at() const;
    /// What the blocklist is asked about.
    [[nodiscard]] JudgedKeys keys() const { return JudgedKeys(request.csr->key(), request.requester_key); }
    /// Adds the proof that all that was looked at still stands, in the version that was judged.
    void guard_configuration(store::Batch& batch) const;
    /// Of what it resolved to; see content_hash() below.
    [[nodiscard]] core::Bytes resolved_hash() const;
    /// Policy asks for nobody's yes, or what an officer agreed to is what it resolves to now.
    [[nodiscard]] bool may_issue() const { return trace.needs_approval() == nullptr || approved_hash == resolved_hash(); }
    /// Its dates as far as they do not move with the clock: "2592000 s", or what the client asked for.
    [[nodiscard]] std::string term() const;
    /// An audit record of this attempt with the common fields set.
    [[nodiscard]] AuditRecord audit(std::string action, AuditRecord::Outcome outcome) const;
};

/// Where a credential counts once: at its endpoint, but one of Intune's, which any endpoint could present to it, in the
/// whole installation: under the server's own endpoint, which every installation has.
core::EndpointId counted_at(const Catalog& catalog, core::EndpointId endpoint, bool by_intune) noexcept;
/// SHA-256 over endpoint, requester, the protocol's part, SPKI, names and evidence subjects: one
/// attempt, one key (design §3).
core::Bytes attempt_key(const EnrollmentRequest& request, const std::vector<crypto::GeneralName>& names);
/// SHA-256 over everything that the request resolved to; approvals are bound to it. Nothing in it moves with the clock:
/// `term` is Attempt::term().
core::Bytes content_hash(const ca::Content& content, const std::string& backend, const std::string& requester, const std::string& term);
/// JSON array of the names' texts.
std::string names_json(const std::vector<crypto::GeneralName>& names);
/// Under which key a name's text is found (store/tables/enrollment_name.hpp).
std::string name_key(std::string text);
/// In the batch that stores what a request resolved to: explain finds it by these names.
void index_names(store::Batch& batch, core::EnrollmentId enrollment, Protocol via, const std::vector<crypto::GeneralName>& names);
/// {"kind", "detail", "check"} as stored with an enrollment and shown by an order.
std::string problem_json(const core::Problem& problem);

/// What a request is quarantined for whose key was blocked after it was judged.
core::Problem blocked_meanwhile(const std::string& why);

}  // namespace postern::ra
