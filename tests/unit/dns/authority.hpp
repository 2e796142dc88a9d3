#pragma once
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace postern::test {

/// A socket on 127.0.0.1 that takes questions and never answers.
class SilentServer {
public:
    SilentServer();
    ~SilentServer();
    SilentServer(const SilentServer&) = delete;
    SilentServer& operator=(const SilentServer&) = delete;
    [[nodiscard]] std::string address() const { return "127.0.0.1@" + std::to_string(port_); }

private:
    int fd_;
    std::uint16_t port_ = 0;
};

/// Debian's unbound as the authority of tests/data/dns on a free port of 127.0.0.1, in a folder of
/// its own; refused.test is answered with REFUSED. Throws when it does not start.
class Authority {
public:
    Authority();
    ~Authority();
    Authority(const Authority&) = delete;
    Authority& operator=(const Authority&) = delete;
    [[nodiscard]] std::string address() const { return "127.0.0.1@" + std::to_string(port_); }

private:
    bool start();
    void end() noexcept;
    std::filesystem::path folder_;
    std::uint16_t port_ = 0;
    pid_t pid_ = -1;
};

}  // namespace postern::test
