#include "ca/command/program.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

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

constexpr int most_links = 40;  // as the kernel's

/// Names still to be walked, the next one last.
void put_ahead(std::vector<std::string>& ahead, std::string_view path) {
    for (std::size_t end = path.size(); end > 0;) {
        const auto slash = path.rfind('/', end - 1);
        const auto begin = slash == std::string_view::npos ? 0 : slash + 1;
        if (begin < end) ahead.emplace_back(path.substr(begin, end - begin));
        end = slash == std::string_view::npos ? 0 : slash;
    }
}

std::string read_link(const std::string& path) {
    char target[PATH_MAX];
    const auto n = ::readlink(path.c_str(), target, sizeof target);
    return n > 0 ? std::string(target, static_cast<std::size_t>(n)) : std::string();
}

/// Everything that the kernel passes on the way: each folder, each link, and each folder that a link leads through.
std::string why_not_way(const std::string& path) {
    if (auto why = why_not_trusted("/"); !why.empty()) return why;
    std::vector<std::string> ahead;
    put_ahead(ahead, path);
    std::string at;  // without links; "": the root
    for (int links = 0; !ahead.empty();) {
        const auto name = std::move(ahead.back());
        ahead.pop_back();
        if (name == ".") continue;
        if (name == "..") {
            at.erase(std::min(at.size(), at.rfind('/')));
            continue;
        }
        const auto next = at + "/" + name;
        if (auto why = why_not_trusted(next); !why.empty()) return why;
        const auto target = read_link(next);
        if (target.empty()) {
            at = next;
            continue;
        }
        if (++links > most_links) return path + " leads through too many links";
        if (target.front() == '/') at.clear();
        put_ahead(ahead, target);
    }
    return {};
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
        if (auto why = why_not_way(word); !why.empty()) return why;
    }
    return {};
}

}  // namespace postern::ca::command
