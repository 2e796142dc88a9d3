#pragma once
#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "app/backup_manifest.hpp"
#include "core/base/clock.hpp"
#include "core/crypto/sealer.hpp"

namespace postern::app {

/// What a backup is made of: an embedded store and the data folder around it.
struct BackupSource {
    BackupSource() = default;
    std::string data;         ///< the data folder
    std::string store;        ///< path of the database
    std::string config_file;  ///< postern.toml the process was started with, or empty
    std::string master_key;   ///< path of the master key
};

/// "DEVICE:INODE" of what this process sees at a path; empty: nothing. Two processes that see different things
/// there live in different views of the disk.
std::string place_of(const std::string& path);
/// The folder BACKUP cannot be made: `malformed` (no absolute path, characters that cannot be seen, no folder
/// to put it in, or one that `parent_seen`, a place_of() of who asked, says is another), `conflict` (something
/// has that name), `unavailable` (not enough space).
core::Result<void> check_target(const std::string& target, std::int64_t octets, const std::string& parent_seen = {});
/// Octets that a backup takes at most; throws std::runtime_error for what cannot be read.
std::int64_t backup_size(const BackupSource& source);

/// Makes the folder `target` (0700, files 0600): postern.db, keys/, tls/, root.pem, postern.toml and
/// manifest.json. Written under a temporary name, read back and checked (digests, the database from end to
/// end, each CA key opened with `sealer`), fsynced, renamed. `progress` is told how far the database
/// is; what it throws ends the work. Takes as long as the disk: not for a thread that serves. Throws
/// std::runtime_error; nothing is left of a backup that failed.
BackupManifest make_backup(const BackupSource& source, const std::string& target, bool with_master_key, const crypto::Sealer& sealer,
                           const core::Clock& clock, const std::function<void(std::int64_t done, std::int64_t total)>& progress);

/// Opens each sealed CA key of a data folder or a copy of one; how many. Throws std::runtime_error
/// naming the one that does not open.
std::size_t open_keys(const std::string& keys_folder, const crypto::Sealer& sealer);

}  // namespace postern::app
