#include "tests/unit/dns/authority.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace postern::test {
namespace {

namespace fs = std::filesystem;

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/// Binds `fd` to a free port and says which.
std::uint16_t bind_free(int fd) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        throw std::runtime_error("no free port on 127.0.0.1");
    }
    return ntohs(address.sin_port);
}

std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const std::uint16_t port = bind_free(fd);
    ::close(fd);
    return port;
}

bool accepts(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    const bool open = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return open;
}

std::string configuration(std::uint16_t port, const fs::path& folder) {
    std::ostringstream out;
    out << "server:\n  interface: 127.0.0.1\n  port: " << port << "\n  do-daemonize: no\n  username: \"\"\n"
        << "  chroot: \"\"\n  directory: \"" << folder.string() << "\"\n  pidfile: \"\"\n  use-syslog: no\n"
        << "  logfile: \"" << (folder / "log").string() << "\"\n  access-control: 127.0.0.0/8 allow\n"
        << "  module-config: \"iterator\"\n  local-zone: \"test.\" nodefault\n"
        << "  local-zone: \"refused.test.\" always_refuse\nremote-control:\n  control-enable: no\n";
    for (const std::string zone : {"plain.test", "signed.test", "bogus.test"}) {
        out << "auth-zone:\n  name: \"" << zone << "\"\n  zonefile: \"" << POSTERN_TEST_DATA << "/dns/" << zone
            << ".zone\"\n  for-downstream: yes\n  for-upstream: no\n  fallback-enabled: no\n";
    }
    return out.str();
}

}  // namespace

SilentServer::SilentServer() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    port_ = bind_free(fd_);
}

SilentServer::~SilentServer() {
    ::close(fd_);
}

Authority::Authority() {
    std::string pattern = (fs::temp_directory_path() / "postern-dns-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    // Between choosing a port and taking it somebody else may: so a few tries.
    for (int attempt = 0; attempt < 5; ++attempt) {
        if (start()) return;
        end();
    }
    std::ifstream log(folder_ / "log");
    std::ostringstream text;
    text << log.rdbuf();
    fs::remove_all(folder_);
    throw std::runtime_error("unbound did not start (Debian package unbound): " + text.str());
}

Authority::~Authority() {
    end();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

bool Authority::start() {
    port_ = free_port();
    const std::string file = (folder_ / "unbound.conf").string();
    std::ofstream(file) << configuration(port_, folder_);
    pid_ = ::fork();
    if (pid_ == 0) {
        const int null = ::open("/dev/null", O_RDWR);
        ::dup2(null, STDOUT_FILENO);
        ::dup2(null, STDERR_FILENO);
        ::execl("/usr/sbin/unbound", "unbound", "-d", "-c", file.c_str(), static_cast<char*>(nullptr));
        ::_exit(127);
    }
    for (int i = 0; i < 400; ++i) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = -1;
            return false;
        }
        if (accepts(port_)) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(25));
    }
    return false;
}

void Authority::end() noexcept {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

}  // namespace postern::test
