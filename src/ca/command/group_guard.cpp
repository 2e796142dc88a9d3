#include "ca/command/group_guard.hpp"

#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>

namespace postern::ca::command {

GroupGuard::~GroupGuard() {
    release();
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    reap();
}

int GroupGuard::start() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return errno;
    Descriptor ours(ends[0]), theirs(ends[1]), nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (nothing.get() < 0 || !theirs.raise() || !nothing.raise()) return errno != 0 ? errno : EIO;
    std::vector<std::string> words{"/bin/sh", "-c", "read -r group || exit 0; read -r ended || kill -s KILL -- \"-$group\""}, none;
    Orders orders;
    orders.argv = pointers(words);
    orders.environment = pointers(none);
    orders.directory = "/";
    orders.input = theirs.get();
    orders.output = orders.errors = nothing.get();
    orders.lasting = true;
    const int why = spawn(std::move(orders), pid_);
    if (why == 0) to_ = std::move(ours);
    return why;
}

void GroupGuard::tell(const std::string& line) const noexcept {
    const auto sent = ::send(to_.get(), line.data(), line.size(), MSG_NOSIGNAL);
    static_cast<void>(sent);  // somebody ended it: then it ends nobody
}

void GroupGuard::watch(pid_t group) noexcept { tell(std::to_string(group) + "\n"); }

void GroupGuard::release() noexcept {
    if (to_.get() < 0) return;
    tell("ended\n");
    to_ = Descriptor();
}

void GroupGuard::reap() noexcept {
    if (pid_ <= 0) return;
    siginfo_t about{};
    ::waitid(P_PID, static_cast<id_t>(std::exchange(pid_, 0)), &about, WEXITED);
}

}  // namespace postern::ca::command
