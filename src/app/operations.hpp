#pragma once
#include <atomic>
#include <functional>
#include <mutex>

#include "api/operations.hpp"
#include "app/backup.hpp"
#include "core/async/cpu_pool.hpp"

namespace postern::app {

class House;

/// Backup, opening after a restore, and reload, for whoever asks through REST.
class Operations final : public api::Operations {
public:
    explicit Operations(House& house) : house_(house) {}

    core::Result<void> start_backup(BackupOrder order, ra::Principal by, core::RequestId request) override;
    [[nodiscard]] std::string backup_status() const override;
    core::Task<core::Result<ra::OpenReport>> open_restored(std::vector<core::Bytes> crls, bool none_published, ra::Principal by,
                                                           core::RequestId request) override;
    [[nodiscard]] std::string server() const override;
    core::Task<core::Result<std::string>> reload() override;
    core::Task<core::Result<void>> advance_laboratory_clock(std::chrono::milliseconds by, ra::Principal principal, core::RequestId request) override;
    core::Task<ClientFacts> client_facts(core::EndpointId endpoint) override;
    core::Task<core::Result<core::Bytes>> sign_for_clients(core::Bytes content) override;
    [[nodiscard]] std::string authorities() const override;
    core::Task<core::Result<std::string>> prepare_successor(SuccessorOrder order, ra::Principal by, core::RequestId request) override;
    core::Task<core::Result<std::string>> withdraw_successor(ra::Principal by, core::RequestId request) override;
    core::Task<core::Result<std::string>> import_ra(RaImport import, ra::Principal by, core::RequestId request) override;
    /// What reload() does; set by the server while it runs.
    std::function<core::Task<core::Result<std::string>>()> reloading;

    /// Ends a backup that is being made, and waits for its thread.
    void stop();

private:
    enum class State { none, running, done, failed };
    core::Task<void> back_up(BackupSource source, BackupOrder order, bool with_master_key, ra::Principal by, core::RequestId request);
    core::Task<void> record(const BackupManifest& manifest, std::string target, ra::Principal by, core::RequestId request);
    void finish(State state, std::string result);

    House& house_;
    core::CpuPool thread_{1, 1};  ///< a copy may take minutes; nobody else's work waits behind it
    std::atomic<bool> stopping_{false};
    std::atomic<std::int64_t> done_{0}, total_{0};
    mutable std::mutex mutex_;  ///< guards the two below; never held across a suspension
    State state_ = State::none;
    std::string result_;        ///< JSON members of the last backup that ended
};

}  // namespace postern::app
