#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>

#include "app/data_folder.hpp"
#include "app/doctor/doctor.hpp"

namespace postern::app::doctor {

namespace fs = std::filesystem;

namespace {

/// Who serves: the lock says so whatever the socket does.
void find_server(Patient& p) {
    const int fd = ::open(p.path("lock").c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return p.findings.notice("folder.lock", "there is no lock file: no server ever ran here", "start `postern serve --data " + p.config.data + "`");
    const bool held = ::flock(fd, LOCK_SH | LOCK_NB) != 0;
    ::close(fd);
    if (!held) return p.findings.good("folder.lock", "no server runs on this folder");
    const auto text = read_file(p.path("lock"));
    int pid = 0;
    std::from_chars(text.data(), text.data() + text.size(), pid);
    p.server = pid;
    p.findings.good("folder.lock", "held by process " + text);
}

struct Place {
    std::string path;
    unsigned forbidden;  ///< bits of the mode
};

std::vector<Place> places(const Patient& p) {
    std::vector<Place> out{{p.config.data, 077}, {p.path("keys"), 077}, {p.path("tls"), 077}, {p.path("lock"), 077}, {p.path("control.sock"), 077},
                           {p.path("root.pem"), 022}, {p.path("tls/server.pem"), 022}, {p.path("tls/server.key"), 077},
                           {p.path("first-account"), 077}};
    std::error_code ignored;
    for (const auto& e : fs::directory_iterator(p.path("keys"), ignored)) out.push_back({e.path().string(), 077});
    if (!is_postgres(p.config))
        for (const auto* tail : {"", "-wal", "-shm"}) out.push_back({store_path(p.config) + tail, 077});
    if (!p.config.store_password_file.empty()) out.push_back({p.config.store_password_file, 077});
    if (!p.config.master_key_file.empty()) out.push_back({p.config.master_key_file, 077});
    return out;
}

void examine_modes(Patient& p) {
    std::string wrong, mend;
    for (const auto& place : places(p)) {
        struct stat about {};
        if (::lstat(place.path.c_str(), &about) != 0) continue;  // what is missing is another finding
        std::string why;
        if (S_ISLNK(about.st_mode)) why = " is a symbolic link";
        else if (about.st_uid != 0 && about.st_uid != ::geteuid()) why = " belongs to user " + std::to_string(about.st_uid);
        else if ((about.st_mode & place.forbidden) != 0) why = place.forbidden == 077 ? " is open to others" : " can be written by others";
        if (why.empty()) continue;
        wrong += (wrong.empty() ? "" : "; ") + place.path + why;
        mend += (mend.empty() ? "chmod " : "; chmod ") + std::string(place.forbidden == 077 ? "go-rwx " : "go-w ") + place.path;
    }
    p.findings.judge("folder.modes", wrong, "only its owner reads keys and store", mend + " (a key that others could read counts as disclosed)");
}

void examine_leftovers(Patient& p) {
    std::string found;
    const auto add = [&](const std::string& path) { found += (found.empty() ? "" : ", ") + path; };
    std::error_code ignored;
    for (const auto& folder : {p.config.data, p.path("keys"), p.path("tls")})
        for (const auto& e : fs::directory_iterator(folder, ignored))
            if (e.path().extension() == ".new") add(e.path().string());
    if (!found.empty())
        p.findings.notice("folder.leftovers", found + ": of a write that was interrupted", p.server ? "remove it, unless a moment old" : "remove it");
    else
        p.findings.good("folder.leftovers", "nothing half written");
    if (p.server) return;
    const bool crashed = fs::exists(p.path("control.sock"), ignored) || (!is_postgres(p.config) && fs::exists(store_path(p.config) + "-wal", ignored));
    if (crashed)
        p.findings.notice("folder.stopped", "the last server ended without being stopped", "start it: it settles what was under way");
    else
        p.findings.good("folder.stopped", "the last server was stopped in good order");
}

void examine_space(Patient& p) {
    struct statvfs about {};
    if (::statvfs(p.config.data.c_str(), &about) != 0) return p.findings.failed("folder.space", "the file system of " + p.config.data + " cannot be asked", "see that it is mounted");
    const auto free = std::uint64_t(about.f_bavail) * about.f_frsize;
    const auto mib = [](std::uint64_t octets) { return std::to_string(octets / (1024 * 1024)) + " MiB"; };
    const bool full = about.f_files > 0 && about.f_favail == 0;
    std::string wrong;
    if (free < p.options.least_free) wrong = mib(free) + " are free, fewer than " + mib(p.options.least_free);
    if (full) wrong = "no file can be made: the file system is out of inodes";
    p.findings.judge("folder.space", wrong, mib(free) + " are free", "make room on the file system of " + p.config.data + ": a full one stops every issuance");
}

}  // namespace

void examine_folder(Patient& p) {
    find_server(p);
    examine_modes(p);
    examine_leftovers(p);
    examine_space(p);
}

}  // namespace postern::app::doctor
