#pragma once
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "ca/backend.hpp"
#include "ca/command/answer.hpp"
#include "ca/returned.hpp"
#include "core/async/cpu_pool.hpp"
#include "core/base/clock.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"

namespace postern::ca::command {

/// A CA that a program speaks for: asked by JSON on its standard input, it answers by JSON
/// (docs/backends/command.md). Thread safe; programs are started and watched on one executor.
class CommandCa final : public Backend {
public:
    struct Deps {
        core::Executor executor;  ///< one that runs one thing at a time
        const core::Clock& clock;
        observe::Log& log;
        observe::Metrics& metrics;
        core::CpuPool& starters;  ///< looks at programs and starts them: both wait for disks
    };
    CommandCa(const Deps& deps, const std::string& name);
    /// What holds from the next operation on; a disabled one is asked about what it has, and takes nothing new. False:
    /// its trust anchors cannot be read, and nothing is asked of it.
    bool describe(const BackendDescription& description);
    /// Takes new requests.
    [[nodiscard]] bool active() const;
    /// Can be asked.
    [[nodiscard]] bool described() const;
    /// Asks no more. What comes back of commands that run is checked by what was described last.
    void withdraw();

    [[nodiscard]] Capabilities capabilities() const noexcept override;
    core::Result<Prepared> prepare(const Authorized& authorized) override;
    core::Task<core::Result<Outcome>> issue(const Authorized& authorized, const Prepared& prepared, core::Deadline deadline) override;
    [[nodiscard]] core::Result<Checked> check(const Issued& issued, const Content& content, const Prepared& prepared) const override;
    [[nodiscard]] std::optional<Foreign> foreign() const override;
    core::Task<core::Result<Outcome>> poll(Submitted submitted) override;
    core::Task<core::Result<Outcome>> find(Submitted submitted) override;
    core::Task<core::Result<void>> revoke(core::Bytes certificate_der, core::RequestId issued_by, unsigned reason) override;
    core::Task<core::Result<std::string>> test() override;
    void record_revocation(store::Batch& batch, const Revoked& revoked) override;
    core::Task<core::Result<void>> publish_revocations(core::Deadline deadline) override;
    [[nodiscard]] std::vector<core::Bytes> chain(const std::string& issuer_key_id) const override;
    [[nodiscard]] std::vector<core::Bytes> anchors() const override;
    [[nodiscard]] core::TimePoint latest_not_after() const override;

private:
    struct Settings;
    struct Turn;
    struct Operation;
    /// null: withdrawn or never readable.
    [[nodiscard]] std::shared_ptr<const Settings> settings() const;
    /// Also once it was withdrawn.
    [[nodiscard]] std::shared_ptr<const Settings> last_settings() const;
    [[nodiscard]] core::Problem withdrawn() const;
    core::Task<core::Result<Answer>> ask(std::string operation, std::string input, core::Deadline latest_start);
    core::Task<Ended> in_turn(std::shared_ptr<const Settings> settings, std::string input, core::Deadline latest_start);
    core::Task<Ended> start(std::shared_ptr<const Settings> settings, std::string input, core::Deadline latest_start);
    void give_back();

    Deps deps_;
    std::string name_;
    observe::Counter answered_, failed_, turned_away_;
    observe::Gauge running_now_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Settings> settings_;  ///< null: never readable
    bool withdrawn_ = false;
    // On the executor only:
    unsigned running_ = 0;
    std::deque<std::shared_ptr<Turn>> waiting_;
};

/// All that documents describe. What was ever given is kept: its place in the queue, and whoever holds it.
class Commands final : public DescribedBackends {
public:
    explicit Commands(CommandCa::Deps deps) : deps_(std::move(deps)) {}
    [[nodiscard]] Backend* find(std::string_view name) const override;
    [[nodiscard]] Backend* reach(std::string_view name) const override;
    void describe(const std::vector<BackendDescription>& descriptions) override;
    [[nodiscard]] core::Result<void> judge(const BackendDescription& description) const override;

private:
    [[nodiscard]] CommandCa* known(std::string_view name) const;
    CommandCa::Deps deps_;
    mutable std::mutex mutex_;
    std::vector<std::pair<std::string, std::unique_ptr<CommandCa>>> list_;
};

}  // namespace postern::ca::command
