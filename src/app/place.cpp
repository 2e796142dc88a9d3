#include "app/place.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace postern::app {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view here = "postern-data";

std::string absolute(const std::string& path) {
    auto out = fs::absolute(path).lexically_normal().string();
    while (out.size() > 1 && out.ends_with('/')) out.pop_back();
    return out;
}

bool exists(const std::string& path) {
    struct stat about {};
    return ::stat(path.c_str(), &about) == 0;
}

std::string user_name(uid_t uid) {
    const auto* entry = ::getpwuid(uid);
    return entry ? std::string(entry->pw_name) : "uid " + std::to_string(uid);
}

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

}  // namespace

std::string find_data(const std::string& named, const Installed& installed) {
    if (!named.empty()) return absolute(named);
    auto nearby = absolute(std::string(here));
    return !exists(nearby) && exists(installed.data) ? installed.data : nearby;
}

std::string find_config_file(const std::string& named, const std::string& data, const Installed& installed) {
    if (!named.empty()) return absolute(named);
    return data == installed.data && exists(installed.config_file) ? installed.config_file : std::string();
}

void require_entry(const std::string& data) {
    if (::eaccess(data.c_str(), R_OK | W_OK | X_OK) == 0 || errno != EACCES) return;
    struct stat about {};
    if (::stat(data.c_str(), &about) != 0) fail("cannot look at " + data);
    const auto owner = user_name(about.st_uid);
    throw std::runtime_error(data + " belongs to " + owner + ": run this with sudo, or as " + owner);
}

void become_owner(const std::string& data) {
    if (::geteuid() != 0) return;
    struct stat about {};
    // Whoever ran the server made the lock file; a folder may have been made for it by another.
    if (::stat((data + "/lock").c_str(), &about) != 0 && ::stat(data.c_str(), &about) != 0) return;
    if (about.st_uid == 0) return;
    auto group = about.st_gid;
    const auto* entry = ::getpwuid(about.st_uid);
    if (entry) group = entry->pw_gid;
    const int groups = entry ? ::initgroups(entry->pw_name, group) : ::setgroups(0, nullptr);
    if (groups != 0 || ::setresgid(group, group, group) != 0 || ::setresuid(about.st_uid, about.st_uid, about.st_uid) != 0)
        fail("cannot work as " + user_name(about.st_uid) + ", whose folder " + data + " is");
}

}  // namespace postern::app
