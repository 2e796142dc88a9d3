#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/async/task_group.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"
#include "store/lease.hpp"
#include "store/tables/outbox.hpp"

/// Messages that leave because something happened: notifications, webhooks, results that another
/// system waits for (design §4). A message is written in the batch of its change and sent afterwards,
/// at least once, always under the same id.
namespace postern::ra {

struct Message {
    Message() = default;
    std::string id;    ///< "certificate.issued/17": the same at every try, so that a receiver can tell a repeated one
    std::string kind;  ///< "certificate.issued"
    std::string body;  ///< JSON object
    std::int64_t attempt = 1;
};

class Sender {
public:
    virtual ~Sender() = default;
    /// Delivers, or says why not; it is asked again later. What it throws is a failure too. Past the
    /// deadline it is cancelled, which is a failure as well.
    virtual core::Task<core::Result<void>> send(Message message, core::Deadline deadline) = 0;
};

/// Kinds of messages and who sends them; filled by app before anything runs.
class Senders {
public:
    void add(std::string kind, std::shared_ptr<Sender> sender) { list_.emplace_back(std::move(kind), std::move(sender)); }
    [[nodiscard]] const std::vector<std::pair<std::string, std::shared_ptr<Sender>>>& list() const noexcept { return list_; }

private:
    std::vector<std::pair<std::string, std::shared_ptr<Sender>>> list_;
};

struct OutboxLimits {
    OutboxLimits() = default;
    std::chrono::milliseconds send_time{30'000};
    std::chrono::milliseconds row_lease{60'000};      ///< when another node may take a message that is being sent
    std::chrono::milliseconds first_pause{1'000};     ///< after the first failure; doubles
    std::chrono::milliseconds longest_pause{3600'000};
    std::int64_t failures = 16;                       ///< then it is parked; some four hours after the first
    std::size_t at_once = 16;                         ///< messages of one kind
    std::int64_t page = 100;
};

class Outbox {
public:
    struct Deps {
        store::Database& db;
        const core::Clock& clock;
        observe::Log& log;
        observe::Metrics& metrics;
        core::TaskGroup& tasks;
        std::string node;  ///< names this node over its restarts
    };
    Outbox(Deps deps, const Senders& senders, OutboxLimits limits = {});
    ~Outbox();
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    /// Without a sender for a kind nothing of it is written at all.
    [[nodiscard]] bool wants(std::string_view kind) const noexcept;
    /// Adds a message to the change's own batch. `object` is unique among the messages of its kind.
    void add(store::Batch& batch, std::string_view kind, std::string_view object, std::string body) const;
    /// One that is not sent before `due`: whoever adds it means to deliver it without the outbox, and takes it back.
    void add_later(store::Batch& batch, std::string_view kind, std::string_view object, std::string body, core::TimePoint due) const;
    static void take_back(store::Batch& batch, std::string_view kind, std::string_view object);

    /// Sends what is due of every kind, as tasks of the group, until that is cancelled.
    void start(const core::Executor& executor);
    /// One round of one kind; how many messages were delivered. Nothing while another node holds the lease.
    core::Task<std::size_t> deliver(std::string_view kind);

private:
    struct Channel;
    struct Round;
    Channel* find(std::string_view kind) const noexcept;
    core::Task<void> run(Channel& channel);
    core::Task<std::size_t> deliver(Channel& channel);
    core::Task<std::vector<store::OutboxRow>> claim(Channel& channel);
    core::Task<void> deliver_one(std::shared_ptr<Round> round, std::size_t index);
    core::Task<core::Result<void>> send(Channel& channel, const store::OutboxRow& row);
    core::Task<void> record_failure(Channel& channel, const store::OutboxRow& row, std::string why);
    core::Task<void> measure(Channel& channel);

    Deps deps_;
    OutboxLimits limits_;
    std::vector<std::unique_ptr<Channel>> channels_;
};

}  // namespace postern::ra
