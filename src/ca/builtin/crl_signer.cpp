#include "ca/builtin/crl_signer.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "core/async/run_on.hpp"
#include "core/base/unavailable.hpp"
#include "core/crypto/revocation_list.hpp"
#include "store/tables/authority.hpp"

namespace postern::ca {
namespace {

namespace asio = boost::asio;

constexpr std::int64_t shard = 0;
constexpr std::int64_t page_rows = 2000;
/// How often the clock is looked at: it may be moved by hand (laboratory), so no timer is set on it.
constexpr std::chrono::seconds look{1};
constexpr std::chrono::seconds longest_pause{30};
/// thisUpdate does not follow the clock back so far; an older one is a clock that somebody set right.
constexpr std::chrono::minutes step_back{5};
/// Between two looks for what is unlisted; and until the next one where another node holds the lease.
constexpr std::chrono::minutes unlisted_every{1};
constexpr std::chrono::seconds lease_again{10};
/// Another node may publish between our reading and our writing; more than this in a row is a fault.
constexpr int attempts = 5;

std::shared_ptr<const PublishedCrl> build(const Authority& authority, PublishedCrl crl, std::vector<crypto::CrlEntry> entries) {
    crypto::CrlFields fields;
    fields.algorithm = authority.key.default_algorithm();
    fields.issuer_der = authority.certificate.subject_der();
    fields.authority_key_id = authority.certificate.subject_key_id();
    fields.number = crl.number;
    fields.this_update = crl.this_update;
    fields.next_update = crl.next_update;
    fields.entries = std::move(entries);
    const auto tbs = crypto::crl_to_be_signed(fields);
    crl.der = crypto::assemble_signed(tbs, fields.algorithm, authority.key.sign(fields.algorithm, tbs));
    return std::make_shared<const PublishedCrl>(std::move(crl));
}

store::Batch record(const std::string& key_id, std::int64_t last_number, const PublishedCrl& crl) {
    store::Batch out;
    out.add(store::authority_use_crl_number, store::values(key_id, last_number, crl.number));
    out.add(store::crl_put, store::values(key_id, shard, crl.number, crl.this_update, crl.next_update, crl.der));
    return out;
}

}  // namespace

std::shared_ptr<CrlSigner> CrlSigner::make(const Deps& deps, const Hierarchy& hierarchy, std::chrono::hours lifetime, bool held) {
    std::shared_ptr<CrlSigner> out(new CrlSigner(deps, lifetime));
    out->held_ = held;
    for (const auto& authority : hierarchy.issuing) out->add(authority);
    for (const auto& root : hierarchy.roots) out->add(root);
    return out;
}

CrlSigner::CrlSigner(const Deps& deps, std::chrono::hours lifetime)
    : db_(deps.db), pool_(deps.pool), executor_(deps.executor), clock_(deps.clock), log_(deps.log), metrics_(deps.metrics),
      lifetime_(lifetime), lease_(deps.db, deps.clock, "crl", deps.node), next_look_(deps.clock.steady() + unlisted_every), wake_(deps.executor) {}

void CrlSigner::add(std::shared_ptr<const Authority> authority) {
    const auto key_id = authority->key_id;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& slot : slots_)
            if (slot->authority->key_id == key_id) return;
        auto slot = std::make_shared<Slot>();
        slot->on_demand = !authority->root;
        slot->authority = std::move(authority);
        slots_.push_back(std::move(slot));
    }
    const auto gauge = metrics_.gauge("postern_crl_age_seconds", "Seconds since thisUpdate of the CRL that is served.", {{"authority", key_id}});
    metrics_.before_scrape([gauge, weak = weak_from_this(), key_id] {
        const auto self = weak.lock();
        const auto crl = self ? self->newest(key_id) : nullptr;
        if (crl) gauge.set(std::chrono::duration<double>(self->clock_.now() - crl->this_update).count());
    });
}

std::vector<std::shared_ptr<CrlSigner::Slot>> CrlSigner::slots() const {
    const std::lock_guard lock(mutex_);
    return slots_;
}

std::shared_ptr<const PublishedCrl> CrlSigner::published(const Slot& slot) const {
    const std::lock_guard lock(mutex_);
    return slot.published;
}

void CrlSigner::set_published(Slot& slot, std::shared_ptr<const PublishedCrl> crl) {
    const std::lock_guard lock(mutex_);
    slot.published = std::move(crl);
}

std::shared_ptr<const PublishedCrl> CrlSigner::newest(std::string_view key_id) const {
    if (held_) return nullptr;
    const std::lock_guard lock(mutex_);
    for (const auto& slot : slots_)
        if (slot->authority->key_id == key_id) return slot->published;
    return nullptr;
}

bool CrlSigner::note_revocation(std::string_view key_id) {
    const std::lock_guard lock(mutex_);
    for (const auto& slot : slots_)
        if (slot->authority->key_id == key_id) {
            slot->on_demand = true;
            return true;
        }
    return false;
}

bool CrlSigner::due(const Slot& slot) const {
    if (held_ || halted_ || !slot.authority->can_sign()) return false;
    const auto crl = published(slot);
    if (!crl) return true;
    const auto now = clock_.now();
    // A clock that was set back would leave a CRL from the future, which clients refuse.
    return now + step_back < crl->this_update || now >= crl->this_update + (crl->next_update - crl->this_update) / 2;
}

core::Task<void> CrlSigner::read_stored(Slot& slot) {
    auto parameters = store::values(slot.authority->key_id, shard);
    const auto row = co_await store::read_one(db_, store::crl_newest, std::move(parameters));
    if (!row) throw std::runtime_error("CA " + slot.authority->key_id + " has vanished from the database");
    auto stored = store::CrlRow::from(*row);
    slot.stored_number = stored.last_number;
    if (stored.last_number < slot.last_number) co_return note_lost(slot);
    slot.last_number = stored.last_number;
    // A number above the stored CRL's was taken over when a restored installation was opened: others have
    // seen a newer one, so this one is served no more.
    if (stored.number == 0 || stored.number < stored.last_number) co_return;
    PublishedCrl crl;
    crl.number = stored.number;
    crl.this_update = stored.this_update;
    crl.next_update = stored.next_update;
    crl.der = std::move(stored.der);
    set_published(slot, std::make_shared<const PublishedCrl>(std::move(crl)));
}

/// The next CRL would have a number that others have seen on another one, and lack what that listed.
void CrlSigner::note_lost(const Slot& slot) {
    LostNumber lost;
    lost.key_id = slot.authority->key_id;
    lost.published = slot.last_number;
    lost.stored = slot.stored_number;
    const std::lock_guard lock(mutex_);
    lost_ = std::move(lost);
    halted_ = true;
}

std::optional<LostNumber> CrlSigner::lost_number() const {
    const std::lock_guard lock(mutex_);
    return lost_;
}

/// What other nodes published is served here too.
core::Task<void> CrlSigner::follow() {
    auto none = store::values();
    const store::Rows rows = co_await db_.read(store::authority_crl_numbers, std::move(none));
    const auto all = slots();
    for (const auto& row : rows)
        for (const auto& slot : all)
            if (slot->authority->key_id == row.text(0) && slot->stored_number != row.integer(1)) co_await read_stored(*slot);
}

core::Task<std::vector<crypto::CrlEntry>> CrlSigner::read_entries(const Slot& slot, core::TimePoint earliest) {
    std::vector<crypto::CrlEntry> out;
    core::Bytes after;
    for (;;) {
        auto parameters = store::values(slot.authority->key_id, shard, after, earliest, page_rows);
        const store::Rows rows = co_await db_.read(store::revocation_page, std::move(parameters));
        for (const auto& row : rows) {
            auto listed = store::RevocationRow::from(row);
            crypto::CrlEntry entry;
            after = listed.serial;
            entry.serial = std::move(listed.serial);
            entry.revoked = listed.revoked;
            entry.reason = static_cast<unsigned>(listed.reason);
            out.push_back(std::move(entry));
        }
        if (rows.size() < static_cast<std::size_t>(page_rows)) break;
    }
    co_return out;
}

/// False: another node published meanwhile.
core::Task<bool> CrlSigner::sign_once(Slot& slot) {
    PublishedCrl next;
    next.number = slot.last_number + 1;
    next.this_update = core::floor_seconds(clock_.now());
    const auto last = published(slot);
    if (last && next.this_update < last->this_update && last->this_update - next.this_update <= step_back)
        next.this_update = last->this_update;
    next.next_update = next.this_update + lifetime_;
    // An entry stays until a CRL issued after the certificate's end has listed it (RFC 5280 §3.3):
    // within one lifetime there always is one.
    auto entries = co_await read_entries(slot, next.this_update - lifetime_);
    const std::size_t count = entries.size();
    auto job = [authority = slot.authority, next, list = std::move(entries)]() mutable {
        return build(*authority, std::move(next), std::move(list));
    };
    auto made = co_await pool_.run(std::move(job));
    if (!made) throw core::Unavailable("the signing queue is full");
    const auto& key_id = slot.authority->key_id;
    auto batch = record(key_id, slot.stored_number, **made);
    const store::Written written = co_await db_.write(std::move(batch));
    if (!written) co_return false;
    // Served only once it is stored: a number that was seen is never used again.
    slot.last_number = slot.stored_number = slot.counted_number = (*made)->number;
    slot.counted_entries = static_cast<std::int64_t>(count);
    set_published(slot, *made);
    metrics_.counter("postern_ca_signatures_total", "Signatures made with the CA keys.", {{"authority", key_id}, {"kind", "crl"}}).add();
    log_.info("crl_signed", {{"authority", key_id}, {"number", slot.last_number}, {"entries", count}});
    co_return true;
}

core::Task<void> CrlSigner::sign(Slot& slot, bool demanded) {
    for (int i = 0; i < attempts; ++i) {
        if (halted_) throw core::Unavailable("the database knows a lower number of CA " + slot.authority->key_id + " than was published");
        const bool signed_it = co_await sign_once(slot);
        if (signed_it) co_return;
        co_await read_stored(slot);
        if (!demanded && !due(slot)) co_return;  // the other node's will do
    }
    throw core::Unavailable("other nodes publish CRLs of CA " + slot.authority->key_id + " all the time");
}

core::Task<void> CrlSigner::load() {
    const auto all = slots();
    for (const auto& slot : all) {
        co_await read_stored(*slot);
        if (due(*slot)) co_await sign(*slot, false);
    }
}

/// Of several nodes one renews. An authority that has no CRL waits for nobody.
core::Task<bool> CrlSigner::may_renew(const Slot& slot) {
    if (!published(slot)) co_return true;
    co_return co_await lease_.hold();
}

/// Each minute, or sooner when a node ended: of several nodes one looks.
core::Task<bool> CrlSigner::may_look() {
    const bool soon = look_soon_.exchange(false);
    if (!soon && clock_.steady() < next_look_) co_return false;
    next_look_ = clock_.steady() + lease_again;
    const bool mine = co_await lease_.hold();
    if (mine) next_look_ = clock_.steady() + unlisted_every;
    co_return mine;
}

/// Whether there are more entries now than the newest CRL lists, by the bound that it was made with: entries only come.
core::Task<bool> CrlSigner::unlisted(Slot& slot) {
    const auto crl = published(slot);
    if (!crl) co_return false;
    if (slot.counted_number != crl->number) {
        auto job = [crl] {
            const auto list = crypto::RevocationList::parse(crl->der);
            return list ? static_cast<std::int64_t>(list->entries().size()) : std::int64_t{0};
        };
        const auto counted = co_await pool_.run(std::move(job));
        if (!counted) throw core::Unavailable("the signing queue is full");
        slot.counted_number = crl->number;
        slot.counted_entries = *counted;
    }
    const auto earliest = crl->this_update - (crl->next_update - crl->this_update);
    auto parameters = store::values(slot.authority->key_id, shard, earliest);
    const auto row = co_await store::read_one(db_, store::revocation_count, std::move(parameters));
    const bool more = row && row->integer(0) > slot.counted_entries;
    if (more) log_.warning("crl_unlisted", {{"authority", slot.authority->key_id}, {"number", crl->number}, {"entries", row->integer(0) - slot.counted_entries}});
    co_return more;
}

core::Task<bool> CrlSigner::wanted(Slot& slot, bool asked, bool looks) {
    if (!slot.authority->can_sign()) co_return false;
    if (asked) co_return true;
    if (due(slot)) co_return co_await may_renew(slot);
    if (!looks) co_return false;
    co_return co_await unlisted(slot);
}

/// Empty when all that was due is served; else what failed. One authority's fault does not keep
/// the other's CRL from being signed.
core::Task<std::string> CrlSigner::round(bool demanded) {
    std::string failure;
    if (held_) co_return failure;
    bool looks = false;
    try {
        looks = co_await may_look();
    } catch (const core::Unavailable&) {
        // The store is away: a little later.
    }
    const auto all = slots();
    for (const auto& slot : all) {
        const bool asked = demanded && slot->on_demand;
        try {
            const bool signs = co_await wanted(*slot, asked, looks);
            if (signs) co_await sign(*slot, asked);
        } catch (const boost::system::system_error& fault) {
            if (fault.code() == asio::error::operation_aborted) throw;  // the stop, not a fault
            failure = fault.what();
        } catch (const std::exception& fault) {
            failure = fault.what();
        }
    }
    co_return failure;
}

/// Empty, or a fault. While the store is away, what is held is served on, and who follows the configuration tells of it.
core::Task<std::string> CrlSigner::follow_safely() {
    try {
        co_await follow();
    } catch (const core::Unavailable&) {
        co_return std::string();
    } catch (const boost::system::system_error& fault) {
        if (fault.code() == asio::error::operation_aborted) throw;
        co_return fault.what();
    } catch (const std::exception& fault) {
        co_return fault.what();
    }
    co_return std::string();
}

core::Task<void> CrlSigner::run(std::shared_ptr<CrlSigner> self, bool relist) {
    if (!relist) self->done_ = the_start;
    std::chrono::seconds pause{1};
    for (;;) {
        // Taken before the reading begins: who asks from now on waits for the next round.
        const auto target = self->requested_;
        auto failure = co_await self->follow_safely();
        if (self->halted_) {
            // Whoever asked waits; the house tells of it.
            self->wake_.expires_after(look);
            co_await self->wake_.async_wait(asio::as_tuple(asio::use_awaitable));
            continue;
        }
        if (failure.empty()) failure = co_await self->round(target > self->done_);
        if (self->halted_) continue;
        if (failure.empty()) {
            self->done_ = target;
            self->wake_waiters();
            pause = std::chrono::seconds(1);
            if (self->requested_ > self->done_) continue;
            self->wake_.expires_after(look);
        } else {
            self->log_.error("crl_signing_failed", {{"error", failure}, {"retry_seconds", pause.count()}});
            self->wake_.expires_after(pause);
            pause = std::min(pause * 2, longest_pause);
        }
        co_await self->wake_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

void CrlSigner::wake_waiters() {
    for (auto* waiter : waiters_)
        if (waiter->wanted <= done_) waiter->timer.cancel();
}

core::Task<core::Result<void>> CrlSigner::wait_for_round(core::Deadline deadline) {
    if (held_)
        co_return core::Problem(core::ProblemKind::unavailable,
                                "the revocation is recorded, but no CRL is published until this restored installation is opened");
    if (halted_)
        co_return core::Problem(core::ProblemKind::unavailable,
                                "the revocation is recorded, but no CRL is published: the database lost commits, and its administrator must act");
    Waiter waiter{++requested_, asio::steady_timer(executor_, deadline)};
    // After a failure the pause is kept: a flood of callers must not turn it into a busy loop.
    if (done_ + 1 >= requested_) wake_.cancel();
    struct Registration {
        std::vector<Waiter*>& list;
        Waiter* entry;
        Registration(std::vector<Waiter*>& l, Waiter* e) : list(l), entry(e) { list.push_back(e); }
        ~Registration() { std::erase(list, entry); }
    } registration(waiters_, &waiter);
    while (done_ < waiter.wanted && std::chrono::steady_clock::now() < deadline)
        co_await waiter.timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (done_ >= waiter.wanted) co_return core::Result<void>();
    core::Problem late(core::ProblemKind::unavailable,
                       "the revocation is recorded, but the CRL that lists it is not published yet; it will be as soon as it can be signed");
    late.retry_after = std::chrono::seconds(5);
    co_return late;
}

core::Task<core::Result<void>> CrlSigner::end_hold(core::Deadline deadline) {
    const bool served = !held_.exchange(false);
    halted_ = false;
    {
        const std::lock_guard lock(mutex_);
        lost_.reset();
    }
    const auto all = slots();
    for (const auto& slot : all) {
        slot->on_demand = true;
        if (!served) set_published(*slot, nullptr);  // what was stored is older than what others saw
    }
    auto result = co_await wait_for_round(deadline);
    co_return result;
}

core::Task<core::Result<void>> CrlSigner::release(std::shared_ptr<CrlSigner> self, core::Deadline deadline) {
    auto ending = self->end_hold(deadline);
    auto result = co_await core::run_on(self->executor_, std::move(ending));
    co_return result;
}

core::Task<core::Result<void>> CrlSigner::publish(std::shared_ptr<CrlSigner> self, core::Deadline deadline) {
    auto waiting = self->wait_for_round(deadline);
    auto result = co_await core::run_on(self->executor_, std::move(waiting));
    co_return result;
}

}  // namespace postern::ca
