#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "store/postgres/job.hpp"
#include "store/postgres/libpq.hpp"
#include "store/postgres/values.hpp"

namespace postern::store::postgres {

/// The text that PostgreSQL prepares for a step of a batch. An UPDATE that finds no row is no error, and
/// what stands behind it would be committed: `one` therefore counts on the server, which raises.
std::string guarded_text(const Statement& statement);

/// One session in pipeline mode, on the thread of its io_context alone. A job is what lies between two
/// Syncs: a read, or a batch with its mark in one implicit transaction, whose expectations the server itself
/// holds, so that it needs no second round trip.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    class Owner {
    public:
        virtual ~Owner() = default;
        /// The server answered, with rows or a refusal.
        virtual void answered(Connection& connection, JobPtr job) = 0;
        /// It is over; take() what was under way. Told once.
        virtual void lost(Connection& connection, const std::string& why) = 0;
    };

    /// `handle` is in pipeline mode and does not block; `session` is its own among all nodes.
    Connection(boost::asio::io_context& context, Handle handle, std::int64_t session, Owner& owner);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void start() { receive(); }
    /// Throws std::logic_error for parameters that cannot be sent; the job is the caller's then.
    void send(JobPtr& job);
    /// Ends it now. The owner is not told.
    void close() noexcept;
    /// What was under way, in the order it was sent.
    std::deque<JobPtr> take() noexcept { return std::move(jobs_); }

    [[nodiscard]] std::size_t busy() const noexcept { return jobs_.size(); }
    [[nodiscard]] std::size_t writing() const noexcept { return writing_; }
    [[nodiscard]] bool open() const noexcept { return handle_ != nullptr; }
    /// The server made this session one that may not write, without ending it.
    [[nodiscard]] bool read_only() const noexcept;
    /// When the oldest job became what the server works on.
    [[nodiscard]] core::Deadline working_since() const noexcept { return working_since_; }
    [[nodiscard]] core::Deadline made() const noexcept { return made_; }

private:
    /// What the next result belongs to.
    struct Prepared {
        std::string name;
        std::optional<Refusal> refusal;  ///< why the server would not prepare it
    };
    struct Part {
        enum class Kind { prepare, prepare_sync, aside, step, sync };
        explicit Part(Kind k, Prepared* p = nullptr, std::size_t s = 0) : kind(k), prepared(p), step(s) {}
        Kind kind;
        Prepared* prepared;  ///< what it prepares or runs
        std::size_t step;    ///< of the batch
    };

    void send_read(const Job& job);
    void send_batch(Job& job);
    void send_settling(const Job& job);
    void forget_marks();
    void run(const Statement& statement, Expect expect, const Values& values, Part::Kind kind, std::size_t step);
    Prepared& prepared(const Statement& statement, Expect expect);
    void sync(Part::Kind kind);
    void flush();
    void receive();
    bool consume();
    void process();
    void take_result(const PGresult* result);
    void rows_of(Job& job, const PGresult* result);
    void refused(const Part& part, const PGresult* result);
    void finish_job();
    void fail(std::string why);

    Owner& owner_;
    Handle handle_;
    boost::asio::posix::stream_descriptor socket_;
    const std::int64_t session_;
    const core::Deadline made_ = std::chrono::steady_clock::now();
    std::int64_t next_mark_ = 1, settled_mark_ = 0, forgotten_mark_ = 0, forgot_ = 0;
    std::deque<JobPtr> jobs_;
    std::deque<Part> parts_;
    std::size_t writing_ = 0;
    bool flushing_ = false, broken_send_ = false;
    core::Deadline working_since_{};
    std::unordered_map<const void*, Prepared> plain_, guarded_;  ///< by the address of the text
    Parameters parameters_;
    std::string last_words_;  ///< of a server that ends the session
};

}  // namespace postern::store::postgres
