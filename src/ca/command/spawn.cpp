#include "ca/command/spawn.hpp"

#include <linux/close_range.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>

namespace postern::ca::command {

Descriptor input_file(const std::string& text) {
    Descriptor file(::memfd_create("postern-request", MFD_CLOEXEC));
    for (std::size_t at = 0; file.get() >= 0 && at < text.size();) {
        const auto n = ::write(file.get(), text.data() + at, text.size() - at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return Descriptor();
        at += static_cast<std::size_t>(n);
    }
    if (file.get() >= 0 && (::lseek(file.get(), 0, SEEK_SET) != 0 || !file.raise())) return Descriptor();
    return file;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> out;
    for (auto& word : words) out.push_back(word.data());
    out.push_back(nullptr);
    return out;
}

namespace {

/// The child's side. It shares the parent's memory until execve, so it only calls the kernel.
[[noreturn]] void become(const Orders& orders) noexcept {
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &usual, nullptr);
    if (orders.lasting)
        for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) ::signal(signal, SIG_IGN);
    bool good = ::setpgid(0, 0) == 0 && (orders.lasting || ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0) && ::chdir(orders.directory) == 0;
    ::umask(0077);
    good = good && ::dup2(orders.input, 0) == 0 && ::dup2(orders.output, 1) == 1 && ::dup2(orders.errors, 2) == 2;
    good = good && ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
    good = good && ::sigprocmask(SIG_SETMASK, &orders.no_signals, nullptr) == 0;
    if (good) ::execve(orders.argv.front(), orders.argv.data(), orders.environment.data());
    const int why = errno;
    const auto told = ::write(orders.report, &why, sizeof why);
    ::_exit(told == sizeof why ? 127 : 126);
}

/// No handler of ours may run in a child that shares our memory.
class SignalsBlocked {
public:
    SignalsBlocked() noexcept {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t before_{};
};

[[gnu::noinline]] pid_t fork_into(const Orders& orders) {
    const SignalsBlocked blocked;
    const pid_t pid = ::vfork();  // fork would copy the page tables of the whole server
    if (pid == 0) become(orders);
    return pid;
}

}  // namespace

int spawn(Orders orders, pid_t& pid) {
    pid = 0;
    Pipe report;
    if (!report.open()) return errno != 0 ? errno : EIO;
    orders.report = report.write.get();
    ::sigemptyset(&orders.no_signals);
    const pid_t made = fork_into(orders);
    if (made < 0) return errno;
    report.write = Descriptor();
    int why = 0;
    ssize_t told = -1;
    do told = ::read(report.read.get(), &why, sizeof why);
    while (told < 0 && errno == EINTR);
    if (told != sizeof why) {
        pid = made;
        return 0;
    }
    ::waitpid(made, nullptr, 0);
    return why;
}

}  // namespace postern::ca::command
