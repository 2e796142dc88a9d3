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
    const auto rename = [this](const std::string& from, const std::string& to, unsigned how) { return ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), how) == 0; };
    // An older file takes the partial name until the new one is durable.
    const bool exchanged = replace_ && rename(partial_, path_, RENAME_EXCHANGE);
    // Not every file system exchanges.
    if (!exchanged && !rename(partial_, path_, replace_ && errno == EINVAL ? 0U : RENAME_NOREPLACE)) fail("cannot rename " + partial_ + " to " + path_);
    const auto folder = std::filesystem::path(path_).parent_path().string();
    try {
        sync_folder(folder.empty() ? "." : folder);
    } catch (...) {
        // Who reads the failure must not find a file that looks good.
        if (exchanged) static_cast<void>(rename(path_, partial_, RENAME_EXCHANGE));
        else ::unlink(path_.c_str());
        throw;
    }
    if (!exchanged) partial_.clear();
}

}  // namespace postern::app
