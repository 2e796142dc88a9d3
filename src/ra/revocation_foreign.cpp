#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/base/encoding.hpp"
#include "core/base/unavailable.hpp"
#include "core/json/writer.hpp"
#include "ra/revocation.hpp"
#include "store/tables/enrollment.hpp"

/// A revocation that only a foreign CA can publish: it is asked first, and until it answers.
namespace postern::ra {

namespace asio = boost::asio;
using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

namespace {

/// While one node asks, the others leave it alone; a command lives two minutes at most, and may wait for its turn.
constexpr std::chrono::minutes asking(3);
constexpr std::chrono::seconds client_waits(10);

std::chrono::seconds pause_after(std::int64_t asked) {
    return std::min(std::chrono::seconds(5) * (std::int64_t{1} << std::min<std::int64_t>(asked, 9)), std::chrono::seconds(3600));
}

Problem unconfirmed(const std::string& why) {
    Problem out(ProblemKind::unavailable, "the CA has not confirmed the revocation yet (" + why + "); it is asked until it answers", "revocation.confirmed");
    out.retry_after = std::chrono::seconds(60);
    return out;
}

/// Shared by the work and who waits for it; both run on one executor.
struct Asking {
    Asking(const core::Executor& executor, core::Deadline until) : ended(executor, until) {}
    asio::steady_timer ended;
    std::optional<Result<void>> result;
};

}  // namespace

Task<Result<void>> Revocation::revoke_at_foreign(store::CertificateRow certificate, std::int64_t reason, Actor actor, core::RequestId request,
                                                 core::Deadline deadline) {
    store::RevocationRequestRow wish;
    wish.certificate = certificate.id;
    wish.reason = reason;
    wish.actor_kind = actor.kind;
    wish.actor = actor.name;
    wish.request = request;
    wish.created = deps_.clock.now();
    wish.due = wish.created + asking;
    const bool first = co_await write_wish(certificate, wish);
    if (!first) {  // whoever wants it now asks at once
        auto key = store::values(certificate.id);
        const auto row = co_await store::read_one(deps_.db, store::revocation_request_of, std::move(key));
        if (!row) co_return unconfirmed("the CA answered a moment ago");
        wish = store::RevocationRequestRow::from(*row);
        store::Batch take;
        take.add(store::revocation_request_take, store::values(wish.certificate, wish.fence, deps_.clock.now() + asking));
        const auto taken = co_await deps_.db.write(std::move(take));
        if (!taken) co_return unconfirmed("it is being asked");
        ++wish.fence;
    }
    // A client that cannot wait leaves the work to go on.
    const core::Executor executor = co_await asio::this_coro::executor;
    const auto until = core::earlier(deadline, core::deadline_in(client_waits));
    const auto shared = std::make_shared<Asking>(executor, until);
    const auto work = [](Revocation& self, store::RevocationRequestRow row, std::shared_ptr<Asking> to) -> Task<void> {
        to->result = co_await self.ask(std::move(row));
        to->ended.cancel();
    };
    auto task = work(*this, std::move(wish), shared);
    if (!deps_.tasks->spawn(executor, std::move(task))) throw core::Unavailable("the server is stopping");
    co_await shared->ended.async_wait(asio::as_tuple(asio::use_awaitable));
    if (shared->result) co_return *shared->result;
    co_return unconfirmed("it takes its time");
}

/// Whether nobody had asked for it before. A compromised key is blocked here and now: the CA has no say in that.
Task<bool> Revocation::write_wish(store::CertificateRow certificate, store::RevocationRequestRow wish) {
    store::Batch batch;
    batch.add(store::revocation_request_insert, wish.insert_values());
    const Actor actor(wish.actor_kind, wish.actor);
    if (wish.reason != key_compromise || !may_block_key(actor)) {
        const auto written = co_await deps_.db.write(std::move(batch));
        co_return written.has_value();
    }
    const auto written = co_await block_key(certificate, actor, wish.request, std::move(batch), store::Expect::any);
    if (written) co_return true;
    store::Batch raise;
    raise.add(store::revocation_request_raise, store::values(wish.certificate, wish.reason, wish.actor_kind, wish.actor, wish.request));
    const auto raised = co_await block_key(certificate, actor, wish.request, std::move(raise), store::Expect::any);
    // It had that reason, or was settled a moment ago: blocked with it, or now.
    if (!raised) co_await block_key(certificate, actor, wish.request, store::Batch(), store::Expect::one);
    co_return false;
}

Task<Result<void>> Revocation::ask(store::RevocationRequestRow wish) {
    auto key = store::values(wish.certificate);
    const auto found = co_await store::read_one(deps_.db, store::certificate_by_id, std::move(key));
    auto certificate = store::CertificateRow::from(found.value());
    auto by_id = store::values(certificate.enrollment);
    const auto enrollment = co_await store::read_one(deps_.db, store::enrollment_by_id, std::move(by_id));
    auto issued_by = store::EnrollmentRow::from(enrollment.value()).request;
    Result<void> answer = Problem(ProblemKind::unavailable, "backend " + certificate.backend + " is not described now", "backend.available");
    auto* backend = deps_.backends.reach(certificate.backend);
    if (backend != nullptr) {
        auto asked = backend->revoke(certificate.der, std::move(issued_by), static_cast<unsigned>(wish.reason));
        answer = co_await std::move(asked);
    }
    if (answer) co_return co_await confirm(std::move(certificate), std::move(wish));
    const Problem why = answer.error();
    if (why.kind == ProblemKind::unsupported) {
        // Declared when it was wished for, and not any more: as with a CA that never took any.
        store::Batch done;
        done.add(store::revocation_request_delete, store::values(wish.certificate, wish.fence), store::Expect::any);
        const Actor actor(wish.actor_kind, wish.actor);
        const auto recorded = co_await revoke_locally(std::move(certificate), wish.reason, actor, wish.request, std::move(done));
        if (recorded.error().kind == ProblemKind::already_revoked) co_await drop(std::move(wish));
        co_return recorded;
    }
    if (why.kind == ProblemKind::forbidden) {
        store::Batch done;
        done.add(store::revocation_request_delete, store::values(wish.certificate, wish.fence));
        const bool recorded = co_await record_answer(certificate, wish, why, std::move(done));
        // Somebody gave a graver reason meanwhile: of that the CA has not said anything.
        if (!recorded) co_return unconfirmed("it was asked for again meanwhile");
        deps_.log->warning("revocation_refused", {{"serial", core::hex(certificate.serial)}, {"backend", certificate.backend}, {"why", why.detail}});
        co_return why;
    }
    store::Batch later;
    later.add(store::revocation_request_failed, store::values(wish.certificate, wish.fence, deps_.clock.now() + pause_after(wish.asked), why.detail));
    const bool first = wish.last_error != why.detail;
    if (backend == nullptr && first) {  // nobody can be asked: an officer must see it, once
        const bool recorded = co_await record_answer(certificate, wish, why, std::move(later));
        if (recorded && deps_.unasked) deps_.unasked->add();
        if (recorded) deps_.log->error("revocation_unasked", {{"alarm", "revocation_unasked"}, {"serial", core::hex(certificate.serial)}, {"backend", certificate.backend}, {"request", wish.request.get()}});
        co_return unconfirmed(why.detail);
    }
    const auto written = co_await deps_.db.write(std::move(later));
    if (written) deps_.log->warning("revocation_unconfirmed", {{"serial", core::hex(certificate.serial)}, {"backend", certificate.backend}, {"why", why.detail}});
    co_return unconfirmed(why.detail);
}

/// The CA has revoked it. A graver wish that came meanwhile stays, and is asked for.
Task<Result<void>> Revocation::confirm(store::CertificateRow certificate, store::RevocationRequestRow wish) {
    store::Batch done;
    done.add(store::revocation_request_delete, store::values(wish.certificate, wish.fence), store::Expect::any);
    const Actor actor(wish.actor_kind, wish.actor);
    const auto recorded = co_await record_or_block(certificate, wish.reason, actor, wish.request, std::move(done));
    if (!recorded) co_await drop(std::move(wish));  // it stands in our records already, and now the CA has been told
    co_return recorded;
}

/// Nothing is left to ask for.
Task<void> Revocation::drop(store::RevocationRequestRow wish) {
    store::Batch settled;
    settled.add(store::revocation_request_delete, store::values(wish.certificate, wish.fence), store::Expect::any);
    const auto deleted = co_await deps_.db.write(std::move(settled));
    static_cast<void>(deleted);  // a graver wish came meanwhile: it is asked for
}

/// What came of it, in a batch with `batch`. False: somebody else had it by then.
Task<bool> Revocation::record_answer(store::CertificateRow certificate, store::RevocationRequestRow wish, Problem why, store::Batch batch) {
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    AuditRecord record;
    record.at = deps_.clock.now();
    record.tenant = certificate.tenant;
    record.request = wish.request;
    record.actor = Actor(wish.actor_kind, wish.actor);
    record.action = "certificate.revocation";
    record.object_kind = "enrollment";
    record.object_id = std::to_string(certificate.enrollment.get());
    record.outcome = why.kind == ProblemKind::forbidden ? AuditRecord::Outcome::refused : AuditRecord::Outcome::failed;
    record.check = why.check;
    json::Writer detail;
    detail.begin_object().member("serial", core::hex(certificate.serial)).member("reason", wish.reason).member("why", why.detail).end_object();
    record.detail = detail.take();
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    co_return written.has_value();
}

/// The CA takes none from here: our own records say it, nobody else does.
Task<Result<void>> Revocation::revoke_locally(store::CertificateRow certificate, std::int64_t reason, Actor actor, core::RequestId request,
                                              store::Batch more) {
    const auto recorded = co_await record_or_block(certificate, reason, std::move(actor), request, std::move(more));
    if (!recorded) co_return recorded;
    if (deps_.alarm) deps_.alarm->add();
    deps_.log->error("revocation_unpublished", {{"alarm", "revocation_unpublished"}, {"serial", core::hex(certificate.serial)}, {"backend", certificate.backend}, {"request", request.get()}});
    co_return Problem(ProblemKind::forbidden, "the CA of this certificate takes no revocations from here: it is recorded, and the CA's operator must publish serial " +
                                                  core::hex(certificate.serial), "revocation.backend");
}

Task<std::vector<std::string>> Revocation::backends_due() {
    auto due = store::values(deps_.clock.now());
    const auto rows = co_await deps_.db.read(store::revocation_request_backends, std::move(due));
    std::vector<std::string> out;
    for (const auto& row : rows) out.push_back(row.text(0));
    co_return out;
}

Task<std::size_t> Revocation::ask_due(std::string backend, std::int64_t limit) {
    auto due = store::values(deps_.clock.now(), backend, limit);
    const auto rows = co_await deps_.db.read(store::revocation_request_due, std::move(due));
    std::size_t asked = 0;
    for (const auto& raw : rows) {
        auto wish = store::RevocationRequestRow::from(raw);
        store::Batch take;
        take.add(store::revocation_request_take, store::values(wish.certificate, wish.fence, deps_.clock.now() + asking));
        const auto taken = co_await deps_.db.write(std::move(take));
        if (!taken) continue;
        ++wish.fence;
        ++wish.asked;
        const auto answered = co_await ask(std::move(wish));
        static_cast<void>(answered);  // it logs and records
        ++asked;
    }
    co_return asked;
}

}  // namespace postern::ra
