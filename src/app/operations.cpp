#include "app/operations.hpp"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <filesystem>

#include "app/house.hpp"
#include "app/store.hpp"
#include "app/version.hpp"
#include "core/json/writer.hpp"

namespace postern::app {

namespace {

std::string report_members(const BackupManifest& manifest, const std::string& target) {
    std::int64_t bytes = 0;
    for (const auto& f : manifest.files) bytes += f.bytes;
    json::Writer w;
    w.begin_object().member("backup", target).member("created", core::rfc3339(manifest.created)).member("postern", manifest.postern);
    w.member("schema", static_cast<std::int64_t>(manifest.schema)).member("masterKey", manifest.master_key);
    w.member("files", static_cast<std::int64_t>(manifest.files.size())).member("bytes", bytes).end_object();
    return w.take();
}

std::string json_text(std::string_view text) {
    json::Writer w;
    w.string(text);
    return w.take();
}

}  // namespace

core::Result<void> Operations::start_backup(BackupOrder order, ra::Principal by, core::RequestId request) {
    if (is_postgres(house_.config))
        return core::Problem(core::ProblemKind::unsupported,
                             "the store is PostgreSQL, which has backups of its own: make them with pg_basebackup and an archive of its log, or with pg_dump. "
                             "What is not in the database is the master key (" +
                                 (house_.config.master_key_file.empty() ? house_.folder.file("keys/master") : house_.config.master_key_file) +
                                 "), without which no key in it opens, and postern.toml: keep a copy of both elsewhere");
    BackupSource source;
    source.data = house_.folder.path();
    source.store = store_path(house_.config);
    source.config_file = house_.config.config_file;
    source.master_key = house_.config.master_key_file.empty() ? house_.folder.file("keys/master") : house_.config.master_key_file;
    // Who keeps the master key elsewhere wants the two apart.
    const bool with_master_key = order.with_master_key.value_or(house_.config.master_key_file.empty());
    if (auto good = check_target(order.target, backup_size(source), order.parent_seen); !good) return good;
    {
        const std::lock_guard lock(mutex_);
        if (state_ == State::running) return core::Problem(core::ProblemKind::conflict, "another backup is being made; wait for its end");
        state_ = State::running;
        done_ = total_ = 0;
    }
    auto work = back_up(std::move(source), std::move(order), with_master_key, std::move(by), std::move(request));
    house_.tasks.spawn(house_.shards.executor(0), std::move(work));
    return {};
}

core::Task<void> Operations::back_up(BackupSource source, BackupOrder order, bool with_master_key, ra::Principal by, core::RequestId request) {
    const auto target = order.target;
    std::string failure;
    try {
        auto job = [this, source, target, with_master_key] {
            const auto progress = [this](std::int64_t done, std::int64_t total) {
                done_ = done;
                total_ = total;
                if (stopping_) throw std::runtime_error("the server stops; make the backup again");
            };
            return make_backup(source, target, with_master_key, *house_.sealer, house_.clock, progress);
        };
        const auto made = co_await thread_.run(std::move(job));
        if (made) {
            co_await record(*made, target, std::move(by), request);
            finish(State::done, "\"report\":" + report_members(*made, target));
            co_return;
        }
        failure = made.error().detail;
    } catch (const std::exception& e) {
        failure = e.what();
    }
    house_.log.error("backup_failed", {{"target", target}, {"why", failure}, observe::request(request)});
    finish(State::failed, "\"description\":" + json_text(failure));
}

core::Task<void> Operations::record(const BackupManifest& manifest, std::string target, ra::Principal by, core::RequestId request) {
    ra::AuditRecord record;
    record.at = house_.clock.now();
    record.request = request;
    record.actor = by.actor;
    record.action = "installation.backed_up";
    record.object_kind = "installation";
    record.detail = report_members(manifest, target);
    const auto audit_id = co_await house_.numbers->next(store::Series::audit);
    store::Batch batch;
    ra::add_audit(batch, audit_id, record);
    const auto written = co_await house_.db->write(std::move(batch));
    written.value();
    house_.metrics.gauge("postern_backup_last_success_seconds", "Unix time of the last backup that this process made")
        .set(static_cast<double>(core::to_ms(record.at)) / 1000);
    house_.log.info("backup_made", {{"target", target}, {"master_key", manifest.master_key}, observe::request(request)});
}

void Operations::finish(State state, std::string result) {
    const std::lock_guard lock(mutex_);
    state_ = state;
    result_ = std::move(result);
}

std::string Operations::backup_status() const {
    const std::lock_guard lock(mutex_);
    switch (state_) {
        case State::none: return R"({"state":"none"})";
        case State::running:
            return R"({"state":"running","done":)" + std::to_string(done_.load()) + R"(,"total":)" + std::to_string(total_.load()) + "}";
        case State::done: return R"({"state":"done",)" + result_ + "}";
        case State::failed: return R"({"state":"failed",)" + result_ + "}";
    }
    return "{}";
}

core::Task<core::Result<ra::OpenReport>> Operations::open_restored(std::vector<core::Bytes> crls, bool none_published, ra::Principal by,
                                                                   core::RequestId request) {
    auto report = co_await house_.restoration->open(std::move(crls), none_published, std::move(by), request);
    if (!report) co_return std::move(report);
    const auto published = co_await house_.builtin->release_crls(core::deadline_in(std::chrono::seconds(10)));
    if (!published) house_.log.error("crl_late", {{"why", published.error().detail}, observe::request(request)});
    co_return std::move(report);
}

std::string Operations::server() const {
    json::Writer w;
    w.begin_object().member("running", static_cast<bool>(reloading));
    if (reloading) {
        const auto& c = house_.config;
        w.member("pid", static_cast<std::int64_t>(::getpid())).member("version", version()).member("lab", c.lab);
        w.member("configFile", c.config_file).member("store", shown_store(c));
        // For doctor, which opens it: one from the command line is nowhere else. One with a password is in the file.
        if (is_postgres(c) && !holds_password(c.store_url)) w.member("storeUrl", c.store_url);
        w.key("listeners").begin_object();
        w.member("https", c.https.authority()).member("est", c.est.authority()).member("http", c.http.authority());
        w.member("management", c.management.authority()).end_object();
    }
    w.end_object();
    return w.take();
}

core::Task<core::Result<std::string>> Operations::reload() {
    if (!reloading) co_return core::Problem(core::ProblemKind::unsupported, "no server runs on this data folder: there is nothing to reload");
    auto done = co_await reloading();
    co_return std::move(done);
}

core::Task<core::Result<void>> Operations::advance_laboratory_clock(std::chrono::milliseconds by, ra::Principal principal, core::RequestId request) {
    using core::Problem;
    using core::ProblemKind;
    if (!reloading) co_return Problem(ProblemKind::unsupported, "no server runs on this data folder; its clock is set forward while `postern serve --lab` runs");
    if (!house_.config.lab)
        co_return Problem(ProblemKind::forbidden, "the clock is set forward in a laboratory only: this server was started without --lab");
    const auto done = co_await house_.laboratory->advance(by, std::move(principal.actor), std::move(request));
    if (!done) co_return done.error();
    co_return core::Result<void>();
}

void Operations::stop() {
    stopping_ = true;
    thread_.join();
}

}  // namespace postern::app
