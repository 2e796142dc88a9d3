#pragma once
#include <string>

#include "core/base/random.hpp"
#include "core/base/secret.hpp"

namespace postern::app {

/// DATA: postern.db keys/ tls/ control.sock lock root.pem (design §11). Held while a server or a
/// verb works on it: one process at a time.
class DataFolder {
public:
    /// Creates what is missing (0700), takes the lock. Throws std::runtime_error with what to do:
    /// in use by another process (with its pid), not ours, key files that others can read.
    explicit DataFolder(std::string path);
    ~DataFolder();
    DataFolder(const DataFolder&) = delete;
    DataFolder& operator=(const DataFolder&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
    /// The installation's 32 octets: `from` when set, else DATA/keys/master, made at the first start
    /// only (`may_create`): sealed rows without their key are lost, so a missing one stops the start.
    core::SecretBytes master_key(const std::string& from, bool may_create, core::Random& random) const;

private:
    std::string path_;
    int lock_ = -1;
};

/// Whether a process works on the folder; false where none ever did.
bool in_use(const std::string& folder);

/// Writes a whole file with `mode`: temporary name, fsync, rename, fsync of the folder.
void write_file(const std::string& path, std::string_view content, unsigned mode);
/// Makes the names in a folder durable; throws std::runtime_error naming it.
void sync_folder(const std::string& path);
/// Makes a file's content durable; throws std::runtime_error naming it.
void sync_file(const std::string& path);
/// The whole file; throws std::runtime_error naming it.
std::string read_file(const std::string& path);
/// Refuses symbolic links, other owners and files that group or others can read (D12).
void require_private(const std::string& path);

}  // namespace postern::app
