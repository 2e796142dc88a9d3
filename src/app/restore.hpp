#pragma once
#include <string>

#include "app/backup_manifest.hpp"
#include "app/config.hpp"
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

struct ClosedStore {
    ClosedStore() = default;
    std::string store;  ///< for people
    ra::VoidedCredentials voided;
    std::vector<std::string> crl_urls;
};

/// The same for a PostgreSQL database that its own tools put back to an earlier moment: from now on it is
/// closed. Throws std::runtime_error that says what to do: a node runs on it, a record is younger than that moment,
/// another engine.
ClosedStore close_store(const Config& config, core::TimePoint restored_to);

}  // namespace postern::app
