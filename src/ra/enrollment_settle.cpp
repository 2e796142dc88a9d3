#include <algorithm>

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "core/json/writer.hpp"
#include "ra/caa.hpp"
#include "ra/enrollment_steps.hpp"
#include "ra/predecessor_status.hpp"
#include "ra/profile_pauses.hpp"
#include "store/tables/requester.hpp"
#include "store/tables/succession.hpp"

/// What becomes of an intent without outcome (design §4). Which ones, and when, is the sweeper's
/// matter (sweeper.hpp).
namespace postern::ra {

using core::Task;

namespace {

ca::Revoked voided(const store::EnrollmentRow& row, core::TimePoint now) {
    ca::Revoked out;
    out.issuer_key_id = row.issuer_key_id;
    out.serial = row.serial;
    out.at = now;
    out.not_after = row.not_after;
    return out;
}

/// A settled name stays agreed: the protocol had compared it with its own records before. What is granted was agreed to as what
/// is proven; both are in the order's order.
std::vector<crypto::GeneralName> proven_names(const std::vector<Evidence>& evidence) {
    std::vector<crypto::GeneralName> names;
    for (const auto& e : evidence) {
        if (!of_a_name(e.kind)) continue;
        crypto::GeneralName name(e.identifier_type == "ip" ? crypto::GeneralNameType::ip : crypto::GeneralNameType::dns, e.identifier);
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
    }
    return names;
}

/// Whether that is one of the guards on what was judged: configuration, issuing CA, keys, requester.
bool guards_judgement(const EnrollmentRequest& request, const store::Statement* missed) {
    return missed == &store::enrollment_guard || missed == &store::succession_stands || missed == &store::blocked_key_none || std::any_of(request.evidence.begin(), request.evidence.end(), [&](const Evidence& e) {
               return !e.requester.empty() && missed == store::requester(e.requester).guard;
           });
}

}  // namespace

Task<Enrollment::Settled> Enrollment::settle(core::EnrollmentId id, const store::Lease* lease) {
    // Before the take, so that the intent stays remembered.
    if (const auto agreed = deps_.clock_agreement.check(); !agreed) {
        deps_.log.debug("enrollment_left_unsettled", {{"enrollment", id.get()}, {"check", agreed.error().check}});
        co_return Settled::untouched;
    }
    auto hold = intents_.take(id);
    if (!hold) co_return Settled::untouched;
    auto by_id = store::values(id);
    const auto found = co_await store::read_one(deps_.db, store::enrollment_by_id, std::move(by_id));
    const auto row = found ? store::EnrollmentRow::from(*found) : store::EnrollmentRow();
    if (row.status != "submitted") {
        hold->conclude();
        co_return Settled::untouched;
    }
    // Another node works on it: it took over what this one had left, or this one was slow to look.
    const bool others = row.life && *row.life != deps_.lives.own() && !deps_.lives.gone(row.life);
    if (others && deps_.clock.now() - row.updated < safe_age) {
        hold->conclude();
        co_return Settled::untouched;
    }
    if (!deps_.backends.find(row.backend) || row.serial.empty()) {
        // A CA that drew the serial itself must be asked what became of it: never resubmitted blindly.
        deps_.log.debug("enrollment_left_unsettled", {{"request", row.request.get()}, {"enrollment", row.id.get()}, {"backend", row.backend}});
        hold->conclude();
        co_return Settled::untouched;
    }
    Attempt a;
    co_await take_up(a, row);
    const auto leave = co_await decide_again(a);
    // What will be possible again is no outcome: a paused profile, a backend that is away, a restored
    // installation that nobody has opened yet, name servers that do not answer for CAA.
    // A predecessor that is away is one: the serial of the lost attempt must be listed, and the device asks again by itself.
    const bool predecessors = !leave && leave.error().check == predecessor_check;
    if (!leave && may_pass(leave.error()) && !predecessors) {
        deps_.log.debug("enrollment_left_unsettled", {{"request", row.request.get()}, {"enrollment", row.id.get()}, {"check", leave.error().check}});
        co_return Settled::untouched;
    }
    const auto recorded = co_await record_settlement(a, row, leave, lease);
    if (!recorded) {
        // Settled by somebody else, or the lease is another's by now. What was judged and changed since is
        // judged anew in the next round.
        if (!guards_judgement(a.request, recorded.error().statement)) hold->conclude();
        co_return Settled::untouched;
    }
    const bool unapproved = leave && !a.may_issue();
    deps_.log.warning("enrollment_settled", {{"request", row.request.get()}, {"enrollment", row.id.get()}, {"reissued", leave.has_value() && !unapproved}});
    // A template at fault is no less so when the sweeper is the first to notice.
    if (!leave && a.profile && pauses_profile(leave.error())) co_await pause_profile(a, leave.error());
    if (!leave || unapproved) {
        hold->conclude();
        co_return Settled::voided;
    }
    const auto outcome = co_await sign_and_record(a);
    hold->conclude();
    co_return outcome ? Settled::reissued : Settled::voided;
}

Task<void> Enrollment::take_up(Attempt& a, const store::EnrollmentRow& row) {
    a.request.id = row.request;
    a.request.via = protocol_from(row.protocol).value();
    a.request.endpoint = row.endpoint;
    a.request.account = row.account;
    a.request.requester = row.requester;
    a.request.evidence = evidence_from_json(row.evidence);
    a.request.withheld = row.withheld;
    a.request.csr = crypto::Csr::parse_kept(row.csr).value();
    a.request.deadline = core::deadline_in(std::chrono::seconds(30));
    a.catalog = deps_.catalog.current();
    a.now = deps_.clock.now();
    a.id = row.id;
    a.account = co_await find_account(deps_.db, row.account);
    for (const auto& e : a.request.evidence) {
        if (!e.key.empty()) {
            auto key = crypto::PublicKey::from_spki(e.key, crypto::KeyUse::account);
            if (key)
                a.request.requester_key = std::move(*key);
            else
                a.requester_stands = false;  // a newer version refuses such keys
        }
        if (e.requester.empty()) continue;
        auto requester = store::values(e.row);
        const auto stands = co_await deps_.db.read(*store::requester(e.requester).find, std::move(requester));
        if (stands.empty()) a.requester_stands = false;
    }
    auto keys = a.keys();
    a.key_block = co_await find_block(deps_.db, std::move(keys));
    if (const auto* profile = a.catalog->profile(row.profile)) a.request.profile = profile->name;
    const auto* endpoint = a.catalog->endpoint(row.endpoint);
    if (const auto* profile = a.catalog->profile(row.profile); profile && endpoint && profile->tenant != endpoint->tenant) a.request.ra_profile = row.profile;
    a.request.issuer_key_id = row.issuer_key_id;
    // The end that was authorised stays the end: the client may have asked for it.
    a.request.not_after = row.not_after;
    if (row.not_before > a.now) a.request.not_before = row.not_before;
    auto names = proven_names(a.request.evidence);
    if (!names.empty()) a.request.agreed_names = std::move(names);
    a.wished_until = a.request.not_after;
    auto by_enrollment = store::values(row.id);
    const auto asked = co_await store::read_one(deps_.db, store::approval_of, std::move(by_enrollment));
    if (!asked) co_return;
    const auto approval = store::ApprovalRow::from(*asked);
    a.request.asked_by = approval.asked_by;
    a.wished_from = approval.wished_from;
    a.wished_until = approval.wished_until;
    if (a.request.issuer_key_id.empty()) a.request.issuer_key_id = approval.issuer_key_id;
    if (approval.decision == "approved") a.approved_hash = approval.decided_hash;
}

/// The serial of the lost attempt may be on a certificate that nobody recorded: it is revoked in the
/// same batch that records the intent for a new one. Policy ran again, on today's configuration.
/// A conflict: somebody else settled it or holds the lease, or what was judged does not stand any more.
Task<store::Written> Enrollment::record_settlement(Attempt& a, const store::EnrollmentRow& row, core::Result<void> leave,
                                         const store::Lease* lease) {
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    store::Batch batch;
    if (lease) lease->guard(batch);
    json::Writer detail;
    detail.begin_object().member("voided_serial", core::hex(row.serial)).key("trace").raw(a.trace.to_json());
    if (leave && !a.may_issue()) {
        ask_again(batch, a, row, "its certificate was lost on the way, and what it resolves to now was approved by nobody", audit_id);
        detail.member("asked_again", true);
    } else if (leave) {
        a.guard_configuration(batch);
        guard_unblocked(batch, a.keys());
        for (const auto& e : a.request.evidence)
            if (!e.requester.empty()) batch.add(*store::requester(e.requester).guard, store::values(e.row));
        const auto tbs = crypto::sha256(a.prepared.tbs);
        const auto& content = a.authorized->content();
        batch.add(store::enrollment_resubmit,
                  store::values(row.id, row.serial, a.prepared.serial, core::BytesView(tbs), a.prepared.issuer_key_id,
                                content.not_before, content.not_after, a.now, deps_.lives.own()));
        detail.member("serial", core::hex(a.prepared.serial));
    } else {
        batch.add(store::enrollment_invalid, store::values(row.id, a.now, problem_json(leave.error()), row.serial));
        announce_failure(batch, a, leave.error());
        if (a.takes_credentials()) release_credential(batch, row.id);
        detail.key("problem").raw(problem_json(leave.error()));
    }
    detail.end_object();
    deps_.backends.find(row.backend)->record_revocation(batch, voided(row, a.now));
    auto record = a.audit("enrollment.settled", leave ? AuditRecord::Outcome::done : AuditRecord::Outcome::refused);
    record.actor = Actor("system", "sweeper");
    if (!leave) record.check = leave.error().check;
    record.detail = detail.take();
    add_audit(batch, audit_id, record);
    co_return co_await deps_.db.write(std::move(batch));
}

}  // namespace postern::ra
