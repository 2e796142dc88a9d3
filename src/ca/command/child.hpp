#pragma once
#include <string>
#include <vector>

#include "core/async/cpu_pool.hpp"
#include "core/async/task.hpp"

/// One program run to its end, without a shell and without a thread that waits for it.
namespace postern::ca::command {

struct Program {
    Program() = default;
    std::vector<std::string> argv;         ///< absolute path first
    std::vector<std::string> environment;  ///< "NAME=value": all of it
    std::string directory = "/";
    std::string input;                     ///< its standard input, a file
    core::Deadline latest_start = core::Deadline::max();  ///< past it nothing is started: ETIMEDOUT
    core::Deadline deadline{};             ///< then SIGTERM to its process group, two seconds later SIGKILL
    std::size_t output_limit = 65536;      ///< more is killed at once
};

struct Ended {
    Ended() = default;
    enum class How { exited, signalled, late, too_much, not_started };
    How how = How::not_started;
    int code = 0;        ///< exit status, signal, or errno of what could not be done
    std::string output;  ///< standard output
    std::string errors;  ///< the beginning of standard error, unread octets and all
    /// "exit status 3", "killed by signal 9": for people.
    [[nodiscard]] std::string text() const;
};

/// Gets: a process group of its own, which dies with it; descriptors 0 to 2 and no other; default signals;
/// umask 0077; SIGKILL for the whole group when this process dies. It is started by one of `starters`, which live as long
/// as the server (the kernel takes the end of that thread for its parent's); EAGAIN when they have no place. Resumes on
/// the caller's executor, which must run one thing at a time; not to be cancelled (core::run_on). Returns by `deadline`
/// and a few seconds.
core::Task<Ended> run(Program program, core::CpuPool& starters);

}  // namespace postern::ca::command
