#include "ca/command/program.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace postern::ca::command {

namespace {

std::string why_not_trusted(const std::string& path) {
    struct stat about {};
    if (::lstat(path.c_str(), &about) != 0) return path + ": " + std::strerror(errno);
    if (about.st_uid != 0 && about.st_uid != ::geteuid()) return path + " belongs to another user";
    if (S_ISLNK(about.st_mode)) return {};  // its folder decides who may change it
    const bool sticky = S_ISDIR(about.st_mode) && (about.st_mode & S_ISVTX) != 0;
    if ((about.st_mode & 022U) != 0 && !sticky) return path + " is writable by others; run: chmod go-w " + path;
    return {};
}

/// The path and every folder above it, as written.
std::string why_not_way(const std::string& path) {
    for (std::size_t at = path.size(); at != std::string::npos; at = at == 0 ? std::string::npos : path.rfind('/', at - 1)) {
        const auto part = at == 0 ? std::string("/") : path.substr(0, at);
        if (auto why = why_not_trusted(part); !why.empty()) return why;
    }
    return {};
}

std::string real_path(const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
    return real ? std::string(real.get()) : std::string();
}

std::string why_not_file(const std::string& path) {
    const auto real = real_path(path);
    if (real.empty()) return path + ": " + std::strerror(errno);
    if (auto why = why_not_way(path); !why.empty()) return why;
    return real == path ? std::string() : why_not_way(real);
}

}  // namespace

std::string why_not_run(const std::vector<std::string>& argv) {
    if (argv.empty() || !argv.front().starts_with('/')) return "the program needs an absolute path";
    struct stat about {};
    if (::stat(argv.front().c_str(), &about) != 0) return argv.front() + ": " + std::strerror(errno);
    if (!S_ISREG(about.st_mode) || ::access(argv.front().c_str(), X_OK) != 0) return argv.front() + " is no program that this user may run";
    for (const auto& word : argv) {
        // A script that an interpreter reads is as good as the program.
        const bool file = word.starts_with('/') && ::stat(word.c_str(), &about) == 0 && S_ISREG(about.st_mode);
        if (!file) continue;
        if (auto why = why_not_file(word); !why.empty()) return why;
    }
    return {};
}

}  // namespace postern::ca::command
