#pragma once
#include "ca/command/spawn.hpp"

namespace postern::ca::command {

/// Ends a process group when this process dies, however it dies. The kernel tells only the direct child of its
/// parent's death (PR_SET_PDEATHSIG), not what that has started, and a subreaper that is dead reaps nothing: so a
/// shell waits at the other end of a socket, which closes with us. What leaves the group escapes it.
class GroupGuard {
public:
    GroupGuard() = default;
    GroupGuard(const GroupGuard&) = delete;
    GroupGuard& operator=(const GroupGuard&) = delete;
    ~GroupGuard();

    /// Before the group is there. 0, or why there is no guard.
    int start();
    void watch(pid_t group) noexcept;
    /// The group has ended, and its number is still its own: from here on nobody is killed. The shell ends by itself.
    void release() noexcept;
    /// Its process, until reap() has said that it ended.
    [[nodiscard]] pid_t process() const noexcept { return pid_; }
    void reap() noexcept;

private:
    void tell(const std::string& line) const noexcept;
    Descriptor to_;
    pid_t pid_ = 0;
};

}  // namespace postern::ca::command
