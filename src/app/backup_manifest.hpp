#pragma once
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace postern::app {

/// BACKUP/manifest.json: what a backup consists of. Written last, so that a folder with one is whole.
struct BackupManifest {
    BackupManifest() = default;
    struct File {
        File() = default;
        std::string name;    ///< "postern.db", "keys/ID.key", "tls/server.pem": relative, no other folders
        std::int64_t bytes = 0;
        std::string sha256;  ///< lower-case hex
    };
    static constexpr std::int64_t format = 1;
    std::string postern;     ///< version that made it
    int schema = 0;          ///< number of the last migration applied
    core::TimePoint created{};
    bool master_key = false; ///< whether keys/master is one of the files
    std::vector<File> files;

    /// Whether that is the name of a part: what make_backup() copies, and all that restore() takes.
    static bool is_part(std::string_view name) noexcept;
    [[nodiscard]] std::string to_json() const;
    /// `malformed` with what is wrong: a format this version does not know, another engine's database, a name
    /// that is no part's or stands twice, a figure that cannot be, no database, no CA key.
    static core::Result<BackupManifest> parse(std::string_view text);
    [[nodiscard]] const File* find(std::string_view name) const noexcept;
};

/// Size and digest of a file as it is on the disk now; throws std::runtime_error naming it.
BackupManifest::File describe_file(const std::string& folder, const std::string& name);

/// Reads every file of the manifest again; `malformed` naming the first that is missing or differs.
core::Result<void> verify_files(const BackupManifest& manifest, const std::string& folder);

}  // namespace postern::app
