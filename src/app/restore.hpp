#pragma once
#include <string>

#include "app/backup_manifest.hpp"
#include "ra/restoration.hpp"

namespace postern::app {

struct RestoreOptions {
    RestoreOptions() = default;
    std::string backup;           ///< the folder
    std::string data;             ///< absolute path; must not exist, or be an empty folder
    std::string master_key_file;  ///< for a backup without; it stays where it is
};

struct RestoreReport {
    RestoreReport() = default;
    BackupManifest manifest;
    std::size_t keys = 0;  ///< CA keys that opened
    ra::VoidedCredentials voided;
    std::vector<std::string> crl_urls;  ///< where the lost server published
};

/// Makes a data folder of a backup: verified, under a temporary name, renamed when it is whole. What it
/// makes starts closed (ra::Restoration). Throws std::runtime_error that says what to do: damaged,
/// incomplete, newer than this binary, no master key or another one, a folder that is not empty.
RestoreReport restore(const RestoreOptions& options);

}  // namespace postern::app
