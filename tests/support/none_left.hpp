#pragma once
#include <sys/resource.h>
#include <unistd.h>

namespace postern::test {

/// While it lives, this process can open no file and no socket.
class NoneLeft {
public:
    NoneLeft() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int free = ::dup(0);  // the lowest number that is free
        ::close(free);
        rlimit none = before_;
        none.rlim_cur = static_cast<rlim_t>(free);
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    NoneLeft(const NoneLeft&) = delete;
    NoneLeft& operator=(const NoneLeft&) = delete;
    ~NoneLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

}  // namespace postern::test
