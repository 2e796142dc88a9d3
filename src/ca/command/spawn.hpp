#pragma once
#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

/// Processes from vfork and execve, without a shell and without copying the server's page tables.
namespace postern::ca::command {

class Descriptor {
public:
    explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }
    /// The child's descriptors 0 to 2 are made from it, so it must be none of them.
    bool raise() noexcept {
        if (fd_ > 2) return true;
        Descriptor above(::fcntl(fd_, F_DUPFD_CLOEXEC, 3));
        if (above.get() < 0) return false;
        std::swap(fd_, above.fd_);
        return true;
    }

private:
    int fd_;
};

struct Pipe {
    Descriptor read, write;
    bool open() noexcept {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) return false;
        read = Descriptor(ends[0]);
        write = Descriptor(ends[1]);
        return read.raise() && write.raise();
    }
};

/// A file without a name: nobody has to feed the child, and it cannot stop reading half-way. None: errno says why.
Descriptor input_file(const std::string& text);

/// What the child needs between vfork and execve, made before: there it must not allocate. It leads a process group.
struct Orders {
    std::vector<char*> argv, environment;
    const char* directory = nullptr;
    int input = -1, output = -1, errors = -1, report = -1;  ///< the last is spawn()'s own
    bool lasting = false;  ///< outlives this process, and signals that end others do not reach it
    sigset_t no_signals{};
};

std::vector<char*> pointers(std::vector<std::string>& words);

/// 0 and the process, or why there is none: also what execve said. Waits for that.
int spawn(Orders orders, pid_t& pid);

}  // namespace postern::ca::command
