#include "app/partial_folder.hpp"

#include <fcntl.h>
#include <stdlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "app/data_folder.hpp"

namespace postern::app {

namespace {
[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }
}  // namespace

PartialFolder::PartialFolder(const std::string& target) : path_(target + ".partial-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) fail("cannot create " + path_);
}

PartialFolder::~PartialFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

void PartialFolder::keep_as(const std::string& target) {
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) != 0) fail("cannot rename " + path_ + " to " + target);
    path_.clear();
    sync_folder(std::filesystem::path(target).parent_path().string());
}

}  // namespace postern::app
