#include "ra/outbox.hpp"

#include "core/async/crew.hpp"
#include "core/async/deadline.hpp"
#include "core/async/fail_point.hpp"

namespace postern::ra {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

namespace {

/// Between two looks at a kind of which nothing is due.
constexpr std::chrono::seconds pause(1);

Task<Result<void>> attempt(Sender& sender, Message message, core::Deadline deadline) {
    auto sending = sender.send(std::move(message), deadline);
    auto sent = co_await std::move(sending);
    if (sent) co_await core::fail_point("outbox_sent");
    co_return sent;
}

}  // namespace

/// One kind: a lease of its own, so that a receiver that hangs holds nobody else up.
struct Outbox::Channel {
    Channel(const Deps& deps, std::string k, std::shared_ptr<Sender> s)
        : kind(std::move(k)), sender(std::move(s)), lease(deps.db, deps.clock, "outbox/" + kind, deps.node),
          delivered(deps.metrics.counter("postern_outbox_delivered_total", "Messages that were delivered", {{"kind", kind}})),
          failed(deps.metrics.counter("postern_outbox_failures_total", "Tries to deliver a message that failed", {{"kind", kind}})),
          parked(deps.metrics.gauge("postern_outbox_parked", "Messages that are tried no more", {{"kind", kind}})),
          oldest(deps.metrics.gauge("postern_outbox_oldest_seconds", "Age of the oldest message that waits", {{"kind", kind}})) {}
    std::string kind;
    std::shared_ptr<Sender> sender;
    store::Lease lease;
    std::int64_t reclaimed = 0;  ///< the fence under which the rows of an earlier life were taken back
    observe::Counter delivered, failed;
    observe::Gauge parked, oldest;
};

struct Outbox::Round {
    Round(Channel& c, std::vector<store::OutboxRow> r) : channel(c), rows(std::move(r)) {}
    Channel& channel;
    std::vector<store::OutboxRow> rows;
    std::size_t delivered = 0;
};

Outbox::Outbox(Deps deps, const Senders& senders, OutboxLimits limits) : deps_(std::move(deps)), limits_(limits) {
    for (const auto& [kind, sender] : senders.list()) channels_.push_back(std::make_unique<Channel>(deps_, kind, sender));
}
Outbox::~Outbox() = default;

Outbox::Channel* Outbox::find(std::string_view kind) const noexcept {
    for (const auto& channel : channels_)
        if (channel->kind == kind) return channel.get();
    return nullptr;
}

bool Outbox::wants(std::string_view kind) const noexcept { return find(kind) != nullptr; }

void Outbox::add(store::Batch& batch, std::string_view kind, std::string_view object, std::string body) const {
    if (!wants(kind)) return;
    batch.add(store::outbox_insert,
              store::values(std::string(kind) + "/" + std::string(object), kind, std::move(body), deps_.clock.now()));
}

void Outbox::add_later(store::Batch& batch, std::string_view kind, std::string_view object, std::string body, core::TimePoint due) const {
    if (!wants(kind)) return;
    batch.add(store::outbox_insert_later,
              store::values(std::string(kind) + "/" + std::string(object), kind, std::move(body), due, deps_.clock.now()));
}

void Outbox::take_back(store::Batch& batch, std::string_view kind, std::string_view object) {
    batch.add(store::outbox_take_back, store::values(std::string(kind) + "/" + std::string(object)), store::Expect::any);
}

void Outbox::start(const core::Executor& executor) {
    for (const auto& channel : channels_) deps_.tasks.spawn(executor, run(*channel));
}

Task<void> Outbox::run(Channel& channel) {
    for (;;) {
        std::size_t delivered = 0;
        std::string failure;
        try {
            delivered = co_await deliver(channel);
        } catch (const std::exception& e) {
            failure = e.what();
        }
        if (!failure.empty()) deps_.log.warning("outbox_waits", {{"kind", channel.kind}, {"why", failure}});
        if (delivered == 0) co_await core::sleep_for(pause);
        const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
        if (cancellation.cancelled() != boost::asio::cancellation_type::none) co_return;
    }
}

Task<std::size_t> Outbox::deliver(std::string_view kind) {
    auto* channel = find(kind);
    if (!channel) co_return 0;
    co_return co_await deliver(*channel);
}

Task<std::size_t> Outbox::deliver(Channel& channel) {
    const bool held = co_await channel.lease.hold();
    if (!held) co_return 0;
    auto rows = co_await claim(channel);
    const auto round = std::make_shared<Round>(channel, std::move(rows));
    auto crew = core::run_crew(deps_.tasks, round->rows.size(), limits_.at_once,
                               [this, round](std::size_t index) { return deliver_one(round, index); });
    co_await std::move(crew);
    co_await measure(channel);
    co_return round->delivered;
}

/// Takes a page of what is due, in one batch under the lease's fence. Empty also when another node
/// took some of it meanwhile: the next round reads again.
Task<std::vector<store::OutboxRow>> Outbox::claim(Channel& channel) {
    const auto now = deps_.clock.now();
    if (channel.reclaimed != channel.lease.fence()) {
        store::Batch back;
        channel.lease.guard(back);
        back.add(store::outbox_reclaim, store::values(channel.kind, deps_.node, now), store::Expect::any);
        const auto reclaimed = co_await deps_.db.write(std::move(back));
        if (!reclaimed) co_return std::vector<store::OutboxRow>();
        channel.reclaimed = channel.lease.fence();
    }
    auto due = store::values(channel.kind, now, limits_.page);
    const auto found = co_await deps_.db.read(store::outbox_due, std::move(due));
    std::vector<store::OutboxRow> rows;
    if (found.empty()) co_return rows;
    store::Batch batch;
    channel.lease.guard(batch);
    for (const auto& raw : found) {
        auto row = store::OutboxRow::from(raw);
        batch.add(store::outbox_claim, store::values(row.id, row.fence, deps_.node, now + limits_.row_lease));
        ++row.fence;
        rows.push_back(std::move(row));
    }
    const auto claimed = co_await deps_.db.write(std::move(batch));
    if (!claimed) rows.clear();
    co_return rows;
}

Task<void> Outbox::deliver_one(std::shared_ptr<Round> round, std::size_t index) {
    const auto& row = round->rows[index];
    auto& channel = round->channel;
    const auto sent = co_await send(channel, row);
    if (!sent) {
        co_await record_failure(channel, row, sent.error().detail);
        co_return;
    }
    store::Batch batch;
    batch.add(store::outbox_delivered, store::values(row.id, row.fence));
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return;  // it took longer than the row's lease, and another node sends it again
    ++round->delivered;
    channel.delivered.add();
}

Task<Result<void>> Outbox::send(Channel& channel, const store::OutboxRow& row) {
    Message message;
    message.id = row.id;
    message.kind = row.kind;
    message.body = row.body;
    message.attempt = row.failures + 1;
    const auto deadline = core::deadline_in(limits_.send_time);
    std::string thrown;
    try {
        auto sending = attempt(*channel.sender, std::move(message), deadline);
        auto answer = co_await core::with_deadline(deadline, std::move(sending));
        if (answer) co_return std::move(*answer);
        co_return Problem(ProblemKind::unavailable, "no answer in time");
    } catch (const std::exception& e) {
        thrown = e.what();
    }
    co_return Problem(ProblemKind::internal, std::move(thrown));
}

Task<void> Outbox::record_failure(Channel& channel, const store::OutboxRow& row, std::string why) {
    channel.failed.add();
    const bool park = row.failures + 1 >= limits_.failures;
    store::Batch batch;
    if (park) {
        batch.add(store::outbox_park, store::values(row.id, row.fence, why));
    } else {
        auto wait = limits_.first_pause;
        for (std::int64_t i = 0; i < row.failures && wait < limits_.longest_pause; ++i) wait *= 2;
        wait = std::min(wait, limits_.longest_pause);
        batch.add(store::outbox_failed, store::values(row.id, row.fence, deps_.clock.now() + wait, why));
    }
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return;
    if (park)
        deps_.log.error("outbox_parked", {{"message", row.id}, {"failures", row.failures + 1}, {"why", why}});
    else
        deps_.log.warning("outbox_failed", {{"message", row.id}, {"failures", row.failures + 1}, {"why", why}});
}

Task<void> Outbox::measure(Channel& channel) {
    auto of_kind = store::values(channel.kind);
    const auto oldest = co_await store::read_one(deps_.db, store::outbox_oldest, std::move(of_kind));
    const auto age = oldest ? deps_.clock.now() - oldest->time(0) : core::TimePoint::duration(0);
    channel.oldest.set(std::chrono::duration<double>(age).count());
    auto again = store::values(channel.kind);
    const auto parked = co_await store::read_one(deps_.db, store::outbox_parked, std::move(again));
    channel.parked.set(static_cast<double>(parked->integer(0)));
}

}  // namespace postern::ra
