#include "app/data_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace postern::app {

namespace {

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

void make_folder(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) fail("cannot create " + path);
}

void sync(const std::string& path, int flags) {
    const int fd = ::open(path.c_str(), flags);
    if (fd < 0) fail("cannot open " + path);
    const int synced = ::fsync(fd);
    ::close(fd);
    if (synced != 0) fail("cannot sync " + path);
}

void write_all(int fd, std::string_view content, const std::string& path) {
    while (!content.empty()) {
        const auto n = ::write(fd, content.data(), content.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail("cannot write " + path);
        content.remove_prefix(static_cast<std::size_t>(n));
    }
}

}  // namespace

DataFolder::DataFolder(std::string path) : path_(std::move(path)) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
    make_folder(path_);
    make_folder(file("keys"));
    make_folder(file("tls"));
    lock_ = ::open(file("lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_ < 0) fail("cannot open " + file("lock"));
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
        std::string holder = "another process";
        char pid[32] = {};
        if (const auto n = ::pread(lock_, pid, sizeof pid - 1, 0); n > 0) holder = "process " + std::string(pid, static_cast<std::size_t>(n));
        ::close(lock_);
        throw std::runtime_error(path_ + " is in use by " + holder + "; stop it or choose another --data");
    }
    const auto pid = std::to_string(::getpid());
    if (::ftruncate(lock_, 0) != 0 || ::pwrite(lock_, pid.data(), pid.size(), 0) < 0) fail("cannot write " + file("lock"));
}

DataFolder::~DataFolder() {
    if (lock_ < 0) return;
    // Not removed: a starter that has it open already would hold a lock nobody else sees.
    if (::ftruncate(lock_, 0) != 0) {
        // The stale pid is only ever shown to a person, and only while somebody holds the lock.
    }
    ::close(lock_);
}

bool in_use(const std::string& folder) {
    const int fd = ::open((folder + "/lock").c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const bool held = ::flock(fd, LOCK_SH | LOCK_NB) != 0;
    ::close(fd);
    return held;
}

core::SecretBytes DataFolder::master_key(const std::string& from, bool may_create, core::Random& random) const {
    const auto path = from.empty() ? file("keys/master") : from;
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) {
        if (!may_create || !from.empty())
            throw std::runtime_error("the master key " + path +
                                     " is missing: restore it from your backup; without it the CA keys and account secrets cannot be opened");
        const auto key = core::SecretBytes(random.bytes(32));
        write_file(path, core::as_text(key.expose()), 0600);
    }
    require_private(path);
    const auto text = read_file(path);
    if (text.size() != 32) throw std::runtime_error("the master key " + path + " must have exactly 32 octets");
    return core::SecretBytes(core::to_bytes(core::as_bytes(text)));
}

void sync_folder(const std::string& path) { sync(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); }

void sync_file(const std::string& path) { sync(path, O_RDONLY | O_CLOEXEC); }

void write_file(const std::string& path, std::string_view content, unsigned mode) {
    const auto temporary = path + ".new";
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) fail("cannot create " + temporary);
    try {
        if (::fchmod(fd, mode) != 0) fail("cannot protect " + temporary);
        write_all(fd, content, temporary);
        if (::fsync(fd) != 0) fail("cannot sync " + temporary);
    } catch (...) {
        ::close(fd);
        throw;
    }
    ::close(fd);
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail("cannot rename " + temporary);
    sync_folder(std::filesystem::path(path).parent_path().string());
}

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) fail("cannot read " + path);
    std::ostringstream out;
    out << in.rdbuf();
    return std::move(out).str();
}

void require_private(const std::string& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) fail("cannot look at " + path);
    if (S_ISLNK(info.st_mode)) throw std::runtime_error(path + " is a symbolic link; key files must be plain files");
    if (info.st_uid != 0 && info.st_uid != ::geteuid()) throw std::runtime_error(path + " belongs to another user; chown it to the one that runs postern");
    if ((info.st_mode & 077U) != 0) throw std::runtime_error(path + " can be read by others; run: chmod 600 " + path);
}

}  // namespace postern::app
