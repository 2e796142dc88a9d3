#include "app/backup.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "app/data_folder.hpp"
#include "app/partial_folder.hpp"
#include "app/version.hpp"
#include "ca/builtin/key_files.hpp"
#include "core/json/escape.hpp"
#include "store/sqlite/backup.hpp"

namespace postern::app {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view key_suffix = ".key";

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

/// Regular files of DATA/NAME except those being written: relative names.
std::vector<std::string> files_below(const std::string& data, const std::string& name) {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(data + "/" + name)) {
        const auto file = entry.path().filename().string();
        if (entry.is_regular_file() && !file.ends_with(".new")) out.push_back(name + "/" + file);
    }
    std::sort(out.begin(), out.end());
    return out;
}

struct Part {
    Part(std::string f, std::string n) : from(std::move(f)), name(std::move(n)) {}
    std::string from;  ///< path
    std::string name;  ///< in the backup
};

/// Everything but the database and the master key.
std::vector<Part> small_parts(const BackupSource& source) {
    std::vector<Part> out;
    for (const auto* folder : {"keys", "tls"})
        for (const auto& name : files_below(source.data, folder))
            if (name != "keys/master") out.emplace_back(source.data + "/" + name, name);
    if (fs::exists(source.data + "/root.pem")) out.emplace_back(source.data + "/root.pem", "root.pem");
    if (!source.config_file.empty()) out.emplace_back(source.config_file, "postern.toml");
    return out;
}

}  // namespace

std::int64_t backup_size(const BackupSource& source) {
    std::int64_t total = store::sqlite_size(source.store);
    for (const auto& part : small_parts(source)) total += static_cast<std::int64_t>(fs::file_size(part.from));
    return total;
}

std::string place_of(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return {};
    return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
}

core::Result<void> check_target(const std::string& target, std::int64_t octets, const std::string& parent_seen) {
    using core::Problem;
    using core::ProblemKind;
    // It stands in the log and in the audit.
    if (json::printable(target) != target) return Problem(ProblemKind::malformed, "the backup's folder has characters that cannot be seen");
    if (!target.starts_with('/') || target.ends_with('/')) return Problem(ProblemKind::malformed, "the backup's folder must be an absolute path, got \"" + target + "\"");
    struct stat info {};
    if (::lstat(target.c_str(), &info) == 0) return Problem(ProblemKind::conflict, target + " exists; a backup never overwrites anything, name a new folder");
    const auto parent = fs::path(target).parent_path().string();
    if (!fs::is_directory(parent)) return Problem(ProblemKind::malformed, "there is no folder " + parent + " to put the backup in");
    // A unit with PrivateTmp, or a container: what is written there is never seen by who asked.
    if (!parent_seen.empty() && parent_seen != place_of(parent))
        return Problem(ProblemKind::malformed, "the server has a " + parent + " of its own (PrivateTmp, or a container), where you would not find the backup; "
                                               "name a folder that both see, such as one below the data folder");
    if (::access(parent.c_str(), W_OK | X_OK) != 0) return Problem(ProblemKind::malformed, parent + " is not writable for the user that Postern runs as");
    struct statvfs space {};
    if (::statvfs(parent.c_str(), &space) != 0) fail("cannot ask for the space of " + parent);
    const auto available = static_cast<double>(space.f_bavail) * static_cast<double>(space.f_frsize);
    if (available < static_cast<double>(octets))
        return Problem(ProblemKind::unavailable, "not enough space in " + parent + ": the backup takes " + std::to_string(octets) + " octets, " +
                                                     std::to_string(static_cast<std::int64_t>(available)) + " are free");
    return {};
}

std::size_t open_keys(const std::string& keys_folder, const crypto::Sealer& sealer) {
    const ca::KeyFiles keys(keys_folder, sealer);
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(keys_folder)) {
        const auto name = entry.path().filename().string();
        if (!name.ends_with(key_suffix)) continue;
        static_cast<void>(keys.load(name.substr(0, name.size() - key_suffix.size())));
        ++count;
    }
    return count;
}

BackupManifest make_backup(const BackupSource& source, const std::string& target, bool with_master_key, const crypto::Sealer& sealer,
                           const core::Clock& clock, const std::function<void(std::int64_t, std::int64_t)>& progress) {
    PartialFolder copy(target);
    for (const auto* folder : {"keys", "tls"})
        if (::mkdir((copy.path() + "/" + folder).c_str(), 0700) != 0) fail("cannot create " + copy.path() + "/" + folder);

    BackupManifest manifest;
    manifest.postern = version();
    manifest.created = clock.now();
    manifest.master_key = with_master_key;
    store::copy_sqlite(source.store, copy.path() + "/postern.db", progress);
    std::vector<std::string> names{"postern.db"};
    auto parts = small_parts(source);
    if (with_master_key) {
        require_private(source.master_key);
        parts.emplace_back(source.master_key, "keys/master");
    }
    for (const auto& part : parts) {
        if (!BackupManifest::is_part(part.name)) throw std::runtime_error(part.from + " is none of Postern's, and a restore would refuse it; move it elsewhere");
        write_file(copy.path() + "/" + part.name, read_file(part.from), 0600);
        names.push_back(part.name);
    }
    manifest.schema = store::check_sqlite_copy(copy.path() + "/postern.db");
    open_keys(copy.path() + "/keys", sealer);
    for (const auto& name : names) manifest.files.push_back(describe_file(copy.path(), name));
    write_file(copy.path() + "/manifest.json", manifest.to_json() + "\n", 0600);
    for (const auto* folder : {"/keys", "/tls", ""}) sync_folder(copy.path() + folder);
    copy.keep_as(target);
    return manifest;
}

}  // namespace postern::app
