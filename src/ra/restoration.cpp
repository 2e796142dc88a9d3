#include "ra/restoration.hpp"

#include <charconv>
#include <set>

#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"
#include "core/json/writer.hpp"
#include "ra/blocked_keys.hpp"
#include "ra/revocation.hpp"
#include "store/tables/certificate.hpp"
#include "store/tables/approval.hpp"
#include "store/tables/enrollment.hpp"
#include "store/tables/nonce.hpp"
#include "store/tables/restoration.hpp"
#include "store/tables/setting.hpp"

namespace postern::ra {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Task;

constexpr std::string_view setting_name = "restored";
constexpr std::string_view opened = "opened";
/// Behind the time, where the database lost commits.
constexpr std::string_view lost_mark = " lost: ";
constexpr std::string_view gate_check = "restore.open";
constexpr std::int64_t shard = 0;
/// CRL numbers left out where the operator says that none was published: costs nothing, and keeps
/// numbers rising should that be wrong.
constexpr std::int64_t numbers_skipped = 1000;
constexpr std::size_t entries_a_batch = 1000;

IssuingGate::Reason gate_reason(const Closed& closed) { return {std::string(gate_check), closed.why(), std::chrono::seconds(300)}; }

/// D09: what an officer said before the backup may have been carried out, taken back or never said.
std::string unapproved_problem(core::TimePoint backup_time) {
    json::Writer w;
    w.begin_object()
        .member("kind", core::to_string(ProblemKind::unavailable))
        .member("detail", "this server was restored from a backup of " + core::rfc3339(backup_time) + " while the request waited for an officer; ask again")
        .member("check", "restore.approval")
        .end_object();
    return w.take();
}

/// As enrollment_steps.hpp writes it.
std::string unknown_problem(core::TimePoint backup_time) {
    json::Writer w;
    w.begin_object()
        .member("kind", core::to_string(ProblemKind::unavailable))
        .member("detail", "this server was restored from a backup of " + core::rfc3339(backup_time) +
                              " while the certificate was being made; nobody here knows whether it was. Make a new order")
        .member("check", "restore.unknown")
        .end_object();
    return w.take();
}

std::string name_of(const store::AuthorityRow& authority) { return authority.kind + " CA " + authority.key_id; }

/// The list must be signed by the authority and not older than what the backup has.
core::Result<void> judge(const store::AuthorityRow& authority, const crypto::RevocationList& list, const std::string& which) {
    const auto certificate = crypto::Certificate::parse(authority.certificate);
    if (!certificate) throw std::runtime_error("the certificate of CA " + authority.key_id + " in the database cannot be read");
    const auto key = crypto::PublicKey::from_spki(certificate->spki(), crypto::KeyUse::authority);
    if (!key || list.issuer_der() != certificate->subject_der() || !list.signed_by(*key))
        return Problem(ProblemKind::malformed, which + ": its signature is not that of " + name_of(authority));
    if (list.number() < authority.crl_number)
        return Problem(ProblemKind::malformed, which + ": it is number " + std::to_string(list.number()) + " of " + name_of(authority) +
                                                   ", and the backup knows number " + std::to_string(authority.crl_number) +
                                                   " already; give the last one that was published");
    return {};
}

std::string detail_of(const OpenReport& report) {
    json::Writer w;
    w.begin_object().key("crls").begin_array();
    for (const auto& crl : report.crls)
        w.begin_object().member("authority", crl.key_id).member("imported", crl.imported).member("number", crl.number)
            .member("takenOver", static_cast<std::int64_t>(crl.taken_over)).end_object();
    w.end_array().end_object();
    return w.take();
}

/// Serials that the store lists already.
Task<std::set<core::Bytes>> listed_serials(store::Database& db, std::string key_id) {
    constexpr std::int64_t page = 2000;
    std::set<core::Bytes> out;
    core::Bytes after;
    for (;;) {
        auto from = store::values(key_id, shard, after, std::int64_t{0}, page);
        const auto rows = co_await db.read(store::revocation_page, std::move(from));
        for (const auto& row : rows) {
            after = row.blob(0);
            out.insert(after);
        }
        if (rows.size() < static_cast<std::size_t>(page)) break;
    }
    co_return out;
}

}  // namespace

std::string Closed::why() const {
    if (lost.empty())
        return "this server was restored from a backup of " + core::rfc3339(since) +
               " and is not opened yet: its administrator must run postern restore open with the last published CRLs";
    return "the database lost commits, seen at " + core::rfc3339(since) + ": " + lost +
           ". It failed over to a server that lagged behind, or was set back, and what was issued and revoked since is not in it. Its administrator must save the "
           "newest CRL of each CA, which the node that said so still serves, and run postern restore open with them";
}

Task<std::optional<Closed>> restored_and_closed(store::Database& db) {
    auto key = store::values(setting_name);
    const auto row = co_await store::read_one(db, store::setting_get, std::move(key));
    if (!row || row->text(0) == opened) co_return std::nullopt;
    Closed out;
    out.value = row->text(0);
    std::int64_t ms = 0;
    // An unreadable value keeps the installation closed.
    std::from_chars(out.value.data(), out.value.data() + out.value.size(), ms);
    out.since = core::from_ms(ms);
    if (const auto mark = out.value.find(lost_mark); mark != std::string::npos) out.lost = out.value.substr(mark + lost_mark.size());
    co_return out;
}

Task<VoidedCredentials> close_restored(store::Database& db, store::Numbers& numbers, store::Batch& batch,
                                       core::TimePoint backup_time, core::TimePoint now) {
    VoidedCredentials out;
    std::string after_name;
    for (;;) {
        auto from = store::values(after_name);
        const auto rows = co_await db.read(store::principal_names, std::move(from));
        if (rows.empty()) break;
        for (const auto& row : rows) out.principals.push_back(row.text(0));
        after_name = out.principals.back();
    }
    std::int64_t after_id = 0;
    for (;;) {
        auto from = store::values(after_id);
        const auto rows = co_await db.read(store::account_with_secret, std::move(from));
        if (rows.empty()) break;
        for (const auto& row : rows) out.accounts.push_back(row.text(1) + "/" + row.text(2));
        after_id = rows.back().integer(0);
    }
    const core::Bytes none;
    core::EnrollmentId after_enrollment;
    for (;;) {
        auto from = store::values(after_enrollment, none);
        const auto rows = co_await db.read(store::enrollment_in_doubt, std::move(from));
        if (rows.empty()) break;
        for (const auto& row : rows) out.unknown.push_back(row.id<core::EnrollmentId>(0));
        after_enrollment = out.unknown.back();
    }
    AuditRecord record;
    record.at = now;
    record.actor = Actor("local", "restore");
    record.action = "installation.restored";
    record.object_kind = "installation";
    json::Writer w;
    w.begin_object().member("backup", core::rfc3339(backup_time)).key("voidTokens").begin_array();
    for (const auto& name : out.principals) w.string(name);
    w.end_array().key("voidKeys").begin_array();
    for (const auto& name : out.accounts) w.string(name);
    w.end_array().key("unknown").begin_array();
    for (const auto id : out.unknown) w.integer(id.get());
    w.end_array().end_object();
    record.detail = w.take();
    const auto audit_id = co_await numbers.next(store::Series::audit);

    const auto closed = std::to_string(core::to_ms(backup_time));
    batch.add(store::setting_insert, store::values(setting_name, closed), store::Expect::any);
    batch.add(store::setting_update, store::values(setting_name, closed));
    batch.add(store::principal_remove_all, {}, store::Expect::any);
    batch.add(store::account_void_secrets, store::values(now, "restore"), store::Expect::any);
    batch.add(store::nonce_epoch_end, {}, store::Expect::any);  // what was used since is forgotten
    batch.add(store::enrollment_unknown_all, store::values(now, unknown_problem(backup_time), none), store::Expect::any);
    batch.add(store::enrollment_approval_void_all, store::values(now, unapproved_problem(backup_time)), store::Expect::any);
    batch.add(store::approval_closed_all, {}, store::Expect::any);
    batch.add(store::scep_challenge_void_all, {}, store::Expect::any);
    add_audit(batch, audit_id, record);
    co_return out;
}

Task<bool> Restoration::load() {
    const auto since = co_await restored_and_closed(deps_.db);
    if (!since) co_return false;
    closed_ = true;
    deps_.gate.shut(gate_reason(*since));
    deps_.log.warning("restored_and_closed", {{"backup", core::rfc3339(since->since)}, {"why", since->why()}});
    co_return true;
}

Task<Restoration::Change> Restoration::follow() {
    const bool before = closed_;
    const auto since = co_await restored_and_closed(deps_.db);
    if (before == since.has_value()) co_return Change::none;
    if (since) {
        if (closed_.exchange(true)) co_return Change::none;
        deps_.gate.shut(gate_reason(*since));
        deps_.log.error("restored_and_closed", {{"backup", core::rfc3339(since->since)}, {"why", since->why()}});
        co_return Change::closed;
    }
    deps_.gate.open(gate_check);
    if (!closed_.exchange(false)) co_return Change::none;  // opened here meanwhile
    deps_.log.warning("restored_and_opened", {{"why", "by another node"}});
    co_return Change::opened;
}

Task<void> Restoration::close_lost(std::string what) {
    const auto already = co_await restored_and_closed(deps_.db);
    if (already) co_return;
    const auto now = deps_.clock.now();
    const auto value = std::to_string(core::to_ms(now)) + std::string(lost_mark) + what;
    AuditRecord record;
    record.at = now;
    record.actor = Actor("system", "crl");
    record.action = "installation.lost_commits";
    record.object_kind = "installation";
    json::Writer w;
    w.begin_object().member("lost", what).end_object();
    record.detail = w.take();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    store::Batch batch;
    batch.add(store::setting_insert, store::values(setting_name, value), store::Expect::any);
    batch.add(store::setting_update, store::values(setting_name, value));
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    written.value();
    deps_.log.error("commits_lost", {{"what", what}});
}

Task<core::Result<std::vector<Restoration::Matched>>> Restoration::match(const std::vector<core::Bytes>& crls, bool none_published) {
    std::vector<Matched> out;
    auto all = store::values();
    const auto rows = co_await deps_.db.read(store::authority_all, std::move(all));
    for (const auto& row : rows) out.emplace_back().authority = store::AuthorityRow::from(row);
    for (std::size_t i = 0; i < crls.size(); ++i) {
        const auto which = "CRL " + std::to_string(i + 1);
        auto list = crypto::RevocationList::parse(crls[i]);
        if (!list) co_return Problem(ProblemKind::malformed, which + ": " + list.error().detail);
        const auto key_id = core::hex(list->authority_key_id());
        const auto found = std::find_if(out.begin(), out.end(), [&](const Matched& m) { return m.authority.key_id == key_id; });
        if (found == out.end()) co_return Problem(ProblemKind::malformed, which + ": it was issued by CA " + key_id + ", which is none of this installation");
        if (const auto good = judge(found->authority, *list, which); !good) co_return good.error();
        if (!found->list || found->list->number() < list->number()) found->list = std::move(*list);
    }
    std::string missing;
    for (const auto& m : out)
        if (!m.list) missing += (missing.empty() ? "" : ", ") + name_of(m.authority);
    if (!missing.empty() && !none_published)
        co_return Problem(ProblemKind::malformed, "the last published CRL is missing of: " + missing +
                                                      ". Give it with --crl FILE, or say --no-crl-published-since when none was published after the backup");
    co_return std::move(out);
}

/// What was revoked for compromise after the backup is blocked here as it was there.
Task<void> Restoration::revoke_held(store::Batch& batch, const store::CertificateRow& held, const crypto::CrlEntry& entry,
                                    const Principal& by, const core::RequestId& request) {
    const auto now = deps_.clock.now();
    const auto reason = static_cast<std::int64_t>(entry.reason);
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    batch.add(store::certificate_revoke, store::values(held.id, entry.revoked, reason), store::Expect::any);
    batch.add(store::enrollment_revoked, store::values(held.enrollment, now), store::Expect::any);
    if (reason == key_compromise) add_compromised(batch, held, audit_id, now, store::Expect::any);
    AuditRecord record;
    record.at = now;
    record.tenant = held.tenant;
    record.request = request;
    record.actor = by.actor;
    record.action = "certificate.revoked";
    record.object_kind = "enrollment";
    record.object_id = std::to_string(held.enrollment.get());
    json::Writer detail;
    detail.begin_object().member("serial", core::hex(held.serial)).member("reason", reason).member("taken_over", true);
    if (reason == key_compromise) detail.member("key_blocked", true);
    detail.end_object();
    record.detail = detail.take();
    add_audit(batch, audit_id, record);
}

/// Batches of their own: taking over the same list again changes nothing.
Task<std::size_t> Restoration::take_over(const Matched& matched, const Principal& by, const core::RequestId& request) {
    const auto& authority = matched.authority;
    const auto certificate = crypto::Certificate::parse(authority.certificate).value();
    const auto listed = co_await listed_serials(deps_.db, authority.key_id);
    std::size_t taken = 0;
    store::Batch batch;
    std::size_t in_batch = 0;
    for (const auto& entry : matched.list->entries()) {
        if (listed.contains(entry.serial)) continue;
        auto not_after = certificate.not_after();
        auto by_serial = store::values(entry.serial);
        const auto rows = co_await deps_.db.read(store::certificate_by_serial, std::move(by_serial));
        for (const auto& row : rows) {
            const auto held = store::CertificateRow::from(row);
            if (held.issuer_key_id != authority.key_id) continue;
            not_after = held.not_after;
            co_await revoke_held(batch, held, entry, by, request);
        }
        batch.add(store::revocation_insert,
                  store::values(authority.key_id, entry.serial, shard, entry.revoked, static_cast<std::int64_t>(entry.reason), not_after),
                  store::Expect::any);
        ++taken;
        if (++in_batch < entries_a_batch) continue;
        const auto written = co_await deps_.db.write(std::exchange(batch, store::Batch()));
        written.value();
        in_batch = 0;
    }
    if (!batch.empty()) {
        const auto written = co_await deps_.db.write(std::move(batch));
        written.value();
    }
    co_return taken;
}

Task<core::Result<OpenReport>> Restoration::open(std::vector<core::Bytes> crls, bool none_published, Principal by, core::RequestId request) {
    const auto since = co_await restored_and_closed(deps_.db);
    if (!since) co_return Problem(ProblemKind::conflict, "this installation is not a closed, restored one: there is nothing to open");
    const auto matched = co_await match(crls, none_published);
    if (!matched) co_return matched.error();

    OpenReport report;
    store::Batch batch;
    for (const auto& m : *matched) {
        OpenReport::Crl done;
        done.key_id = m.authority.key_id;
        done.imported = m.list.has_value();
        if (m.list) {
            done.entries = m.list->entries().size();
            done.taken_over = co_await take_over(m, by, request);
        }
        done.number = m.list ? m.list->number() : m.authority.crl_number + numbers_skipped;
        if (done.number > m.authority.crl_number)
            batch.add(store::authority_use_crl_number, store::values(m.authority.key_id, m.authority.crl_number, done.number));
        report.crls.push_back(std::move(done));
    }
    AuditRecord record;
    record.at = deps_.clock.now();
    record.request = request;
    record.actor = by.actor;
    record.action = "installation.opened";
    record.object_kind = "installation";
    record.detail = detail_of(report);
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    batch.add(store::setting_replace, store::values(setting_name, since->value, opened));
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return Problem(ProblemKind::conflict, "somebody else opened this installation meanwhile");
    closed_ = false;
    deps_.gate.open(gate_check);
    deps_.log.warning("restored_and_opened", {{"backup", core::rfc3339(since->since)}, observe::request(request)});
    co_return std::move(report);
}

}  // namespace postern::ra
