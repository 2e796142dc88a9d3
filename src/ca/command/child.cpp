#include "ca/command/child.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include "ca/command/group_guard.hpp"

namespace postern::ca::command {

namespace asio = boost::asio;

namespace {

/// Between SIGTERM and SIGKILL, and between SIGKILL and giving the wait up: a process that sits in the
/// kernel does not die.
constexpr std::chrono::seconds grace(2), patience(5);
constexpr std::size_t errors_kept = 2048;
/// Of 8 KiB each: twice what a pipe holds, so that the last look sees all of it.
constexpr int most_reads = 16;

}  // namespace

std::string Ended::text() const {
    switch (how) {
        case How::exited: return "exit status " + std::to_string(code);
        case How::signalled: return "killed by signal " + std::to_string(code);
        case How::late: return "not done within its time, killed";
        case How::too_much: return "printed more than its limit, killed";
        case How::not_started: return std::string("could not be started: ") + std::strerror(code);
    }
    return {};
}

namespace {

/// A running child and what it says. Lives until the kernel says that it ended, also when nobody waits
/// for it any more. Everything happens on one executor.
class Child : public std::enable_shared_from_this<Child> {
public:
    Child(const core::Executor& executor, std::size_t output_limit)
        : output_(executor), errors_(executor), process_(executor), guard_process_(executor), clock_(executor), done_(executor, core::Deadline::max()),
          output_limit_(output_limit) {}
    ~Child() {
        if (pid_ > 0) ::kill(-pid_, SIGKILL);  // the server ends: nobody would read what it says
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// Waits for execve: not for a thread that serves connections. False: result().code says why.
    bool launch(Program& program) {
        const auto failed = [&] {
            result_.code = errno != 0 ? errno : EIO;
            return false;
        };
        errno = 0;
        Pipe output, errors;
        const Descriptor input = input_file(program.input);
        if (input.get() < 0 || !output.open() || !errors.open()) return failed();
        if (result_.code = guard_.start(); result_.code != 0) return false;
        Orders orders;
        orders.argv = pointers(program.argv);
        orders.environment = pointers(program.environment);
        orders.directory = program.directory.c_str();
        orders.input = input.get();
        orders.output = output.write.get();
        orders.errors = errors.write.get();
        // A process that stood still may come here long after its turn, when others have concluded that nothing was
        // ever started: so the clock is asked last.
        if (std::chrono::steady_clock::now() > program.latest_start) {
            result_.code = ETIMEDOUT;
            return false;
        }
        if (result_.code = spawn(std::move(orders), pid_); result_.code != 0) return false;
        guard_.watch(pid_);
        Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
        const bool watched = process.get() >= 0 && ::fcntl(output.read.get(), F_SETFL, O_NONBLOCK) == 0 &&
                             ::fcntl(errors.read.get(), F_SETFL, O_NONBLOCK) == 0;
        if (!watched) {
            failed();
            ::kill(-pid_, SIGKILL);
            guard_.release();
            ::waitpid(std::exchange(pid_, 0), nullptr, 0);
            // It ran for a moment: that is not "nothing happened".
            result_.how = Ended::How::signalled;
            return false;
        }
        output_.assign(output.read.release());
        errors_.assign(errors.read.release());
        process_.assign(process.release());
        return true;
    }

    void watch(core::Deadline deadline) {
        result_.how = Ended::How::exited;
        read_output();
        read_errors();
        const auto self = shared_from_this();
        process_.async_wait(asio::posix::stream_descriptor::wait_read, [self](const boost::system::error_code& e) {
            if (!e) self->on_end();
        });
        clock_.expires_at(deadline);
        clock_.async_wait([self](const boost::system::error_code& e) {
            if (!e) self->on_deadline();
        });
    }
    asio::steady_timer& done() noexcept { return done_; }
    [[nodiscard]] bool finished() const noexcept { return finished_; }
    Ended result() { return std::move(result_); }

private:
    /// Only waits are left to Asio: what it had read already when the process ended would come too late.
    void read_output() {
        output_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const boost::system::error_code& e) {
            if (!e && !self->finished_ && self->drain_output()) self->read_output();
        });
    }
    void read_errors() {
        errors_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const boost::system::error_code& e) {
            if (!e && !self->finished_ && self->drain_errors()) self->read_errors();
        });
    }
    /// What is there, but never so much that others wait for it; false when there will be no more.
    bool drain_output() {
        return drain(output_, [this](std::size_t n) { return take_output(n); });
    }
    bool drain_errors() {
        return drain(errors_, [this](std::size_t n) {
            take_errors(n);
            return true;
        });
    }
    template <class Take>
    bool drain(asio::posix::stream_descriptor& from, Take take) {
        for (int reads = 0; reads < most_reads; ++reads) {
            const auto n = ::read(from.native_handle(), buffer_.data(), buffer_.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return errno == EAGAIN;
            if (n == 0 || !take(static_cast<std::size_t>(n))) return false;
        }
        return true;
    }
    bool take_output(std::size_t n) {
        if (result_.how == Ended::How::too_much) return false;
        result_.output.append(buffer_.data(), n);
        if (result_.output.size() <= output_limit_) return true;
        result_.output.clear();
        result_.how = Ended::How::too_much;
        end_group(SIGKILL);
        return false;
    }
    void take_errors(std::size_t n) {
        const auto room = errors_kept - result_.errors.size();
        result_.errors.append(buffer_.data(), std::min(n, room));
    }
    void end_group(int signal) const noexcept {
        if (pid_ > 0) ::kill(-pid_, signal);
    }
    void on_deadline() {
        if (finished_) return;
        if (result_.how == Ended::How::exited) result_.how = Ended::How::late;
        const int step = steps_++;
        if (step == 2) return finish();
        end_group(step == 0 ? SIGTERM : SIGKILL);
        clock_.expires_after(step == 0 ? grace : patience);
        clock_.async_wait([self = shared_from_this()](const boost::system::error_code& e) {
            if (!e) self->on_deadline();
        });
    }
    /// The leader is a zombie until it is waited for, so its group's number is still its own: whoever it
    /// left behind dies now, and what all of them wrote is in the pipes.
    void on_end() {
        end_group(SIGKILL);
        guard_.release();
        siginfo_t about{};
        ::waitid(P_PID, static_cast<id_t>(pid_), &about, WEXITED);
        pid_ = 0;
        reap_guard();
        if (finished_) return;
        drain_output();
        drain_errors();
        if (result_.how == Ended::How::exited) {
            result_.code = about.si_status;
            if (about.si_code != CLD_EXITED) result_.how = Ended::How::signalled;
        }
        finish();
    }
    /// It ends by itself; nobody waits for that.
    void reap_guard() {
        Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, guard_.process(), 0)));
        if (process.get() < 0) return;  // its destructor reaps it
        guard_process_.assign(process.release());
        guard_process_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const boost::system::error_code& e) {
            if (!e) self->guard_.reap();
        });
    }
    void finish() {
        finished_ = true;
        boost::system::error_code ignored;
        output_.close(ignored);
        errors_.close(ignored);
        clock_.cancel();
        done_.cancel();
    }

    asio::posix::stream_descriptor output_, errors_, process_, guard_process_;
    asio::steady_timer clock_, done_;
    std::array<char, 8192> buffer_{};
    std::size_t output_limit_;
    GroupGuard guard_;
    pid_t pid_ = 0;  ///< 0: none, or waited for
    int steps_ = 0;
    bool finished_ = false;
    Ended result_;
};

}  // namespace

core::Task<Ended> run(Program program, core::CpuPool& starters) {
    const core::Executor executor = co_await asio::this_coro::executor;
    const auto child = std::make_shared<Child>(executor, program.output_limit);
    const auto deadline = program.deadline;
    auto launch = [child, started = std::make_shared<Program>(std::move(program))] { return child->launch(*started); };
    auto launching = starters.run(std::move(launch));
    const auto launched = co_await std::move(launching);
    if (!launched) {
        Ended full;
        full.code = EAGAIN;
        co_return full;
    }
    if (!*launched) co_return child->result();
    child->watch(deadline);
    while (!child->finished()) co_await child->done().async_wait(asio::as_tuple(asio::use_awaitable));
    co_return child->result();
}

}  // namespace postern::ca::command
