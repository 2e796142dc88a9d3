#include "app/new_file.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "app/data_folder.hpp"

namespace postern::app {

namespace {
[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }
}  // namespace

NewFile::NewFile(std::string path, bool replace) : path_(std::move(path)), partial_(path_ + ".partial-XXXXXX"), replace_(replace) {
    struct stat there {};
    if (::lstat(path_.c_str(), &there) == 0) {
        if (!replace_) throw std::runtime_error(path_ + " exists");
        if (!S_ISREG(there.st_mode)) throw std::runtime_error(path_ + " exists and is no file");
    }
    fd_ = ::mkostemp(partial_.data(), O_CLOEXEC);  // 0600
    if (fd_ < 0) fail("cannot create " + partial_);
}

NewFile::~NewFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!partial_.empty()) ::unlink(partial_.c_str());
}

void NewFile::write(std::string_view content) {
    while (!content.empty()) {
        const auto n = ::write(fd_, content.data(), content.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail("cannot write " + partial_);
        content.remove_prefix(static_cast<std::size_t>(n));
    }
}

void NewFile::keep() {
    if (::fsync(fd_) != 0) fail("cannot sync " + partial_);
    if (::renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, path_.c_str(), replace_ ? 0U : RENAME_NOREPLACE) != 0) fail("cannot rename " + partial_ + " to " + path_);
    partial_.clear();
    const auto folder = std::filesystem::path(path_).parent_path().string();
    sync_folder(folder.empty() ? "." : folder);
}

}  // namespace postern::app
