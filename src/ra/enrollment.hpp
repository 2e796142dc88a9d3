#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <variant>

#include "ca/backend.hpp"
#include "core/async/task_group.hpp"
#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/crypto/certificate.hpp"
#include "core/crypto/csr.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"
#include "ra/binding.hpp"
#include "ra/catalog.hpp"
#include "ra/clock_agreement.hpp"
#include "ra/device.hpp"
#include "ra/evidence.hpp"
#include "ra/issuing_gate.hpp"
#include "ra/open_intents.hpp"
#include "ra/outbox.hpp"
#include "ra/principals.hpp"
#include "ra/refusals.hpp"
#include "ra/single_use.hpp"
#include "ra/trace.hpp"
#include "store/nodes.hpp"
#include "store/numbers.hpp"
#include "store/tables/approval.hpp"
#include "store/tables/certificate.hpp"
#include "store/tables/enrollment.hpp"
#include "store/tables/submission.hpp"

namespace postern::validation {
class Caa;
}

/// The waist (design §3): every protocol's requests become certificates here and nowhere else.
namespace postern::ra {

class PredecessorStatus;

struct EnrollmentRequest {
    EnrollmentRequest() = default;
    core::RequestId id;
    Protocol via = Protocol::acme;
    /// The front end made the key for this one request (EST's serverkeygen): the same attempt has another key each time.
    bool made_key = false;
    core::EndpointId endpoint;
    core::AccountId account;           ///< endpoint account
    /// The same as the front end read it for this very request; nullopt: it is read. The intent's guard holds its version.
    std::optional<Account> account_read;
    /// The principal who had it asked for ("principal alice", as add_audit writes actors), where one did: it needs another one's
    /// approval.
    std::string asked_by;
    std::string requester;             ///< ACME account token, SCEP transaction, principal: who asked
    /// Where it came from (http::source_of), of protocols where somebody whom no credential makes known gets this far; else empty.
    std::string source;
    std::vector<Evidence> evidence;
    std::optional<crypto::Csr> csr;    ///< proof of possession already checked; required
    /// What the requester signed with, when that is another key than the CSR's (ACME: the account's).
    std::optional<crypto::PublicKey> requester_key;
    /// Names the protocol itself agreed on (the order's identifiers), normalized. When set, the CSR
    /// must ask for exactly these, else bad_csr.
    std::optional<std::vector<crypto::GeneralName>> agreed_names;
    std::string profile;               ///< wanted; empty: the first that endpoint and account allow
    /// The server's own requests (Protocol::system): a profile of another tenant, which the RA of an endpoint there is enrolled by.
    std::optional<core::ProfileId> ra_profile;
    std::string issuer_key_id;         ///< which of the backend's CAs is asked; empty: the one of today
    std::optional<core::TimePoint> not_before, not_after;
    std::string attempt;               ///< the protocol's own part of the attempt key (ACME: order token)
    /// How long an issued certificate is the answer to the same attempt again; nullopt: as long as it stands.
    std::optional<std::chrono::milliseconds> repeated_for;
    /// The front end's own record that the request is about ("acme_order" and its token): what a refusal,
    /// which leaves no enrollment, is recorded under.
    std::string origin_kind, origin_id;
    /// Adds the front end's own guarded statements to the intent (the order claimed for this
    /// enrollment). A missed expectation of theirs answers `conflict` and nothing is stored.
    std::function<void(store::Batch&, core::EnrollmentId)> claim;
    /// Takes the claim back in the batch that ends an enrollment for which surely nothing was signed,
    /// so that the client may ask again.
    std::function<void(store::Batch&, core::EnrollmentId)> release;
    /// The certificate goes to nobody until it is acknowledged (intune_notices.hpp): not to who asks again or polls either.
    bool withheld = false;
    /// So long after it was issued whoever handed the request in has it acknowledged, or gave up.
    std::chrono::milliseconds acknowledged_within{0};
    /// Adds to the batch that records a refusal before an intent what somebody else must hear of it. Without a `source`: every such
    /// refusal is recorded.
    std::function<void(store::Batch&, core::EnrollmentId, const core::Problem&)> refused;
    /// The credential counts once: reserved with the intent. Refused with single_use_check when another attempt has it.
    std::optional<SingleUse> single_use;
    /// What the credential was given out for; policy compares.
    std::optional<Binding> binding;
    /// Which device asks, where its account tells devices apart.
    std::optional<Device> device;
    core::Deadline deadline{};
};

struct IssuedCertificate {
    IssuedCertificate() = default;
    core::EnrollmentId enrollment;
    core::CertificateId certificate;
    std::string token;        ///< for URLs
    core::Bytes der;
    std::string issuer_key_id;
};
struct PendingEnrollment {
    PendingEnrollment() = default;
    core::EnrollmentId enrollment;
    std::string reason;       ///< for people
    std::chrono::seconds retry_after{5};
};
using EnrollmentOutcome = std::variant<IssuedCertificate, PendingEnrollment>;

/// What an officer found out at the CA.
struct Resolution {
    Resolution() = default;
    std::string certificate;  ///< PEM, leaf first; empty: nothing was issued
    bool again = false;       ///< nothing was issued: the client may ask again with the same order
    std::string why;          ///< how it is known; audited
};

class Enrollment {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        CatalogSource& catalog;
        const ca::Backends& backends;
        core::Random& random;
        const core::Clock& clock;
        observe::Log& log;
        observe::Metrics& metrics;
        const IssuingGate& gate;
        const ClockAgreement& clock_agreement;
        const Outbox& outbox;
        const store::Lives& lives;
        Refusals& refusals;
        std::string node = {};  ///< names this node over its restarts
        /// Null: nobody can be asked, and what rests on a predecessor's certificate is issued by its front end or not at all.
        PredecessorStatus* predecessors = nullptr;
        /// Null: profiles that ask for CAA issue nothing.
        validation::Caa* caa = nullptr;
        core::TaskGroup* tasks = nullptr;  ///< with `caa`: its look-ups run as theirs
    };
    explicit Enrollment(Deps deps);
    ~Enrollment();

    /// Decides and, if allowed, issues (design §4). Refusals are audited with their trace and name
    /// the check; what anybody can cause at will, within the bounds of `Deps::refusals`. Errors: forbidden, bad_csr, bad_public_key, rejected_identifier, invalid_profile,
    /// bad_content, conflict (claim lost), unavailable.
    core::Task<core::Result<EnrollmentOutcome>> submit(EnrollmentRequest request);

    /// Whether requests would get as far as a decision on their own merits; front ends ask before they
    /// let a client do work that leads nowhere.
    [[nodiscard]] core::Result<void> gate_open() const;

    /// The intents that this node works on, and those that it left without an outcome.
    [[nodiscard]] OpenIntents& intents() noexcept { return intents_; }

    /// Requests end within half a minute, and a settlement has as long; the rest is for stalls of
    /// the machine and clocks that differ.
    static constexpr std::chrono::minutes safe_age{5};

    enum class Settled { untouched, voided, reissued };
    /// Gives an intent without outcome its outcome: lists its serial as revoked and, when policy
    /// still allows it, issues anew under the same enrollment. Leaves alone what is settled already
    /// and what this node is working on, and everything while the clocks disagree. With a lease only
    /// while nobody else has taken it. A throw (the store is away) leaves the intent to the next try.
    core::Task<Settled> settle(core::EnrollmentId id, const store::Lease* lease);

    /// What became of a submission at a foreign CA: polls it, or looks up one whose answer was lost, and records
    /// what it learns. For whoever found it due and looked at the other lives since (poller.hpp); false: it is
    /// another node's, or the clocks disagree.
    core::Task<bool> ask(store::SubmissionRow submission);
    /// Issues what an officer approved, if policy still allows it today and it still resolves to what was approved. Otherwise
    /// the approval is void and an officer is asked anew, or the request ends. False: it was not approved, or is another's
    /// work. For approvals.hpp.
    core::Task<bool> issue_approved(core::EnrollmentId id);
    /// An officer found out what became of a request that is unknown or quarantined. Errors: not_found (another
    /// tenant's too), conflict (it does not wait for anybody), malformed (the certificate is not what was authorised).
    core::Task<core::Result<void>> resolve(core::EnrollmentId id, Resolution resolution, Principal by, core::RequestId request);

private:
    /// What the steps of one issuance pass on (enrollment_steps.hpp).
    struct Attempt;

    /// Step 1: policy, leave to issue.
    core::Result<void> authorise(Attempt& attempt);
    /// Still step 1, once policy agreed: what the owners of the names say (enrollment_caa.cpp). `caa`, `dns`, `unavailable`.
    core::Task<core::Result<void>> check_caa(Attempt& attempt);
    /// Step 1 again, where the configuration changed during the look-ups. `unavailable` too: the profile is another one by now.
    core::Result<void> judge_anew(Attempt& attempt);
    /// Step 2: to-be-signed content, linted.
    core::Result<void> prepare(Attempt& attempt);
    /// All of it, with the fail points.
    core::Task<core::Result<void>> decide_and_prepare(Attempt& attempt);
    /// The same, long after the request came (enrollment_again.cpp). `unavailable` also where a predecessor cannot be asked.
    core::Task<core::Result<void>> decide_again(Attempt& attempt);
    /// Whether step 3 is in the store, or an earlier attempt with this key is bound already.
    enum class Recorded { now, before };
    /// Step 3.
    core::Task<core::Result<Recorded>> record_intent(Attempt& attempt);
    /// Why step 3 was not recorded.
    core::Task<core::Result<Recorded>> unrecorded(Attempt& attempt, store::Conflict conflict);
    /// What an intent and a request that waits for an officer have in common.
    store::EnrollmentRow enrollment_row(const Attempt& attempt, std::string status) const;

    // An officer's yes (enrollment_approval.cpp).
    /// Instead of step 3, where policy wants an officer asked. As record_intent().
    core::Task<core::Result<Recorded>> record_awaiting(Attempt& attempt);
    store::ApprovalRow approval_row(const Attempt& attempt) const;
    /// It waits, or waits again: a message for whoever is to look at it. `audit`: number of the record beside it.
    void announce_awaiting(store::Batch& batch, const Attempt& attempt, std::int64_t audit) const;
    /// Moves an enrollment that was as `row` says back to waiting, for what it resolves to now.
    void ask_again(store::Batch& batch, const Attempt& attempt, const store::EnrollmentRow& row, const std::string& why, std::int64_t audit) const;
    core::Task<store::Written> record_approved_intent(Attempt& attempt, const store::EnrollmentRow& row);
    core::Task<void> record_void_approval(Attempt& attempt, store::EnrollmentRow row, store::ApprovalRow approval);
    core::Task<void> end_approved(Attempt& attempt, core::Problem problem);
    core::Task<void> try_approved_later(Attempt& attempt, core::Problem problem);
    /// The CA took nothing: approved still, and tried again.
    core::Task<core::Result<EnrollmentOutcome>> record_approved_still(Attempt& attempt, core::Problem problem);

    /// Steps 4 to 6, after an intent is durable.
    core::Task<core::Result<EnrollmentOutcome>> sign_and_record(Attempt& attempt);
    /// Steps 5 and 6, whenever the answer comes.
    core::Task<core::Result<EnrollmentOutcome>> take_outcome(Attempt& attempt, ca::Outcome outcome);
    /// What the outcome tells the outbox, for kinds that have a sender.
    void announce(store::Batch& batch, const Attempt& attempt, const store::CertificateRow& row) const;
    /// That nothing was issued is told too, where Intune waits for it.
    void announce_failure(store::Batch& batch, const Attempt& attempt, const core::Problem& problem) const;
    store::CertificateRow certificate_row(const Attempt& attempt, const ca::Checked& checked, std::int64_t number) const;
    core::Task<core::Result<EnrollmentOutcome>> record_outcome(Attempt& attempt, ca::Checked checked, std::string received);
    core::Task<core::Result<EnrollmentOutcome>> record_failure(Attempt& attempt, core::Problem problem, bool surely_unsigned);
    core::Task<core::Result<EnrollmentOutcome>> quarantine(Attempt& attempt, core::Problem problem, ca::Issued issued);

    // A foreign CA's (enrollment_foreign.cpp, enrollment_asking.cpp).
    /// A store that is away for a moment must not cost the answer.
    core::Task<core::Result<EnrollmentOutcome>> keep_outcome(Attempt& attempt, ca::Outcome outcome);
    core::Task<core::Result<EnrollmentOutcome>> record_pending(Attempt& attempt, ca::Pending pending);
    core::Task<core::Result<EnrollmentOutcome>> record_rejection(Attempt& attempt, ca::Refused refused);
    core::Task<core::Result<EnrollmentOutcome>> record_lost(Attempt& attempt, std::string why);
    core::Task<core::Result<EnrollmentOutcome>> record_unknown(Attempt& attempt, core::Problem problem);
    core::Task<core::Result<EnrollmentOutcome>> record_absent(Attempt& attempt);
    /// Its certificate came after somebody had given it up, or names a serial that was used before.
    core::Task<core::Result<EnrollmentOutcome>> record_unplaced(Attempt& attempt, store::Conflict conflict, store::CertificateRow row, std::string received);
    core::Task<core::Result<void>> resolve_issued(store::EnrollmentRow row, store::SubmissionRow submission, Resolution resolution, Principal by,
                                                  core::RequestId request);
    core::Task<core::Result<void>> resolve_absent(store::EnrollmentRow row, std::optional<std::int64_t> fence, Resolution resolution, Principal by,
                                                  core::RequestId request);
    void begin_submission(store::Batch& batch, Attempt& attempt) const;
    bool handed_over_elsewhere(const Attempt& attempt, const store::EnrollmentRow& row, const store::SubmissionRow& submission) const;
    core::TimePoint surely_ended(const Attempt& attempt, const store::SubmissionRow& submission) const;
    core::Result<void> take_up_submission(Attempt& attempt, const store::EnrollmentRow& row, const store::SubmissionRow& submission);
    core::Task<core::Result<ca::Outcome>> ask_backend(Attempt& attempt, const store::SubmissionRow& submission);
    core::Task<void> ask_later(Attempt& attempt, const store::SubmissionRow& submission, core::TimePoint due);
    core::Task<core::Result<EnrollmentOutcome>> repeat(core::Bytes attempt_key);
    /// Whether the attempt was bound to a certificate that is no answer to it any more, and is free now.
    core::Task<bool> end_binding(const Attempt& attempt);
    core::Task<void> audit_refusal(Attempt& attempt, core::Problem problem);
    void log_refusal(const Attempt& attempt, const core::Problem& problem, bool recorded);
    /// Somebody has the attempt's single-use credential. `conflict` when that ended meanwhile.
    core::Task<core::Problem> refuse_used_credential(Attempt& attempt);
    /// The lint refused what is our own doing: no further request meets it (X17).
    core::Task<void> pause_profile(Attempt& attempt, core::Problem problem);
    /// What is known of an intent that somebody else began.
    core::Task<void> take_up(Attempt& attempt, const store::EnrollmentRow& row);
    core::Task<store::Written> record_settlement(Attempt& attempt, const store::EnrollmentRow& row, core::Result<void> leave,
                                                 const store::Lease* lease);

    Deps deps_;
    OpenIntents intents_;
    observe::Counter issued_, refused_, failed_, paused_, approvals_void_, alarm_quarantined_, alarm_unknown_, alarm_late_, challenge_reused_;
};

}  // namespace postern::ra
