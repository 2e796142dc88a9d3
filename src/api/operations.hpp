#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/async/task.hpp"
#include "core/base/bytes.hpp"
#include "core/base/ids.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/base/time.hpp"
#include "ra/principals.hpp"
#include "ra/restoration.hpp"

namespace postern::api {

/// What the process around the handlers does to itself; app implements it.
class Operations {
public:
    struct BackupOrder {
        BackupOrder() = default;
        std::string target;                   ///< absolute path of a folder to be made
        std::string parent_seen;              ///< "DEVICE:INODE" of its parent as the caller sees it; empty: not said
        std::optional<bool> with_master_key;  ///< nullopt: when the master key is kept in the data folder
    };
    struct RaImport {
        RaImport() = default;
        std::string endpoint;
        core::SecretText key;      ///< PEM
        std::string certificates;  ///< PEM, the RA's first
    };
    virtual ~Operations() = default;
    /// Of the built-in CA: {"authorities": […], "crossCertificates": […]}.
    [[nodiscard]] virtual std::string authorities() const = 0;
    struct SuccessorOrder {
        SuccessorOrder() = default;
        core::TimePoint takes_over{};
        bool new_root = false;  ///< with a root of its own
    };
    /// An issuing CA that takes over at that time: {"authority", "takesOver", "notAfter", "root"?: {"authority", "notAfter", "sha256"}}.
    /// Errors: malformed, conflict, unavailable.
    virtual core::Task<core::Result<std::string>> prepare_successor(SuccessorOrder order, ra::Principal by, core::RequestId request) = 0;
    /// scep::RaCredentials::import: {"serial", "until", "warning"?}.
    virtual core::Task<core::Result<std::string>> import_ra(RaImport import, ra::Principal by, core::RequestId request) = 0;
    /// Begins a backup. Errors: malformed, conflict (the target exists, another one is being made),
    /// unavailable (no space).
    virtual core::Result<void> start_backup(BackupOrder order, ra::Principal by, core::RequestId request) = 0;
    /// {"state": "none"|"running"|"done"|"failed", …} of the last backup that this process began.
    [[nodiscard]] virtual std::string backup_status() const = 0;
    /// ra::Restoration::open, and the CRLs published again.
    virtual core::Task<core::Result<ra::OpenReport>> open_restored(std::vector<core::Bytes> crls, bool none_published, ra::Principal by,
                                                                   core::RequestId request) = 0;
    /// {"running", and of a server "pid", "version", "lab", "configFile", "store", "listeners": {name: "HOST:PORT"}}.
    [[nodiscard]] virtual std::string server() const = 0;
    /// Sets the clock of every node forward. Errors: unsupported (no server runs), forbidden (no laboratory), and those of
    /// ra::Laboratory::advance.
    virtual core::Task<core::Result<void>> advance_laboratory_clock(std::chrono::milliseconds by, ra::Principal principal, core::RequestId request) = 0;
    /// Reads the configuration again, as SIGHUP does: {"changed": […], "restart": […]}. `malformed`
    /// leaves everything as it was; `unsupported` where no server runs.
    virtual core::Task<core::Result<std::string>> reload() = 0;

    /// What clients are told of this server; `backend` as a profile names it.
    struct ClientFacts {
        ClientFacts() = default;
        std::string https, http, est;     ///< [public]
        std::vector<core::Bytes> chain;   ///< DER: who issues, up to the root; the root alone where no RA certificate is there, and for EST where another CA issues
        core::Bytes ra;                   ///< what SCEP clients encrypt to; empty: none yet
    };
    virtual core::Task<ClientFacts> client_facts(core::EndpointId endpoint) = 0;
    /// CMS SignedData around it, by the key of the TLS listeners, with its chain. `unavailable` while the server has none.
    virtual core::Task<core::Result<core::Bytes>> sign_for_clients(core::Bytes content) = 0;
    /// Of the issuing CA that waits for its day: it never takes over. {"authority", "root"?}. Errors: not_found, conflict, unavailable.
    virtual core::Task<core::Result<std::string>> withdraw_successor(ra::Principal by, core::RequestId request) = 0;
};

}  // namespace postern::api
