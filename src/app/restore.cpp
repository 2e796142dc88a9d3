#include "app/restore.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "acme/restored.hpp"
#include "app/backup.hpp"
#include "app/data_folder.hpp"
#include "app/partial_folder.hpp"
#include "app/store.hpp"
#include "ca/builtin/authority.hpp"
#include "core/async/shards.hpp"
#include "core/crypto/system_random.hpp"
#include "store/migrations.hpp"
#include "store/sqlite/backup.hpp"
#include "store/sqlite/open.hpp"
#include "store/tables/audit.hpp"
#include "store/tables/authority.hpp"
#include "store/tables/setting.hpp"

namespace postern::app {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

BackupManifest read_manifest(const std::string& backup) {
    const auto path = backup + "/manifest.json";
    if (!fs::exists(path))
        throw std::runtime_error(backup + " is no backup of Postern: it has no manifest.json (a backup that was interrupted has none either)");
    auto manifest = BackupManifest::parse(read_file(path));
    if (!manifest) throw std::runtime_error(backup + ": " + manifest.error().detail);
    const auto known = store::sqlite_migrations().back().number;
    if (manifest->schema > known)
        throw std::runtime_error(backup + " has schema " + std::to_string(manifest->schema) + ", made by Postern " + manifest->postern +
                                 "; this version knows schemas up to " + std::to_string(known) + ". Restore it with that version or a newer one");
    if (const auto whole = verify_files(*manifest, backup); !whole) throw std::runtime_error(whole.error().detail);
    return std::move(*manifest);
}

void refuse_used(const std::string& data) {
    struct stat info {};
    if (::lstat(data.c_str(), &info) != 0) return;
    if (!S_ISDIR(info.st_mode)) throw std::runtime_error(data + " is no folder; name a new data folder with --data");
    if (!fs::is_empty(data)) throw std::runtime_error(data + " is not empty; a restore never overwrites anything, name a new data folder with --data");
}

core::SecretBytes read_master(const RestoreOptions& options, const BackupManifest& manifest) {
    if (!manifest.master_key && options.master_key_file.empty())
        throw std::runtime_error(options.backup + " was made without the master key; name it with --master-key-file, without it the CA keys cannot be opened");
    const auto path = options.master_key_file.empty() ? options.backup + "/keys/master" : options.master_key_file;
    require_private(path);
    const auto text = read_file(path);
    if (text.size() != 32) throw std::runtime_error("the master key " + path + " must have exactly 32 octets");
    return core::SecretBytes(core::to_bytes(core::as_bytes(text)));
}

/// What must be true before the first start: closed, and nothing of before that a stranger could use.
core::Task<ra::VoidedCredentials> close(store::Database& db, const core::Clock& clock, core::TimePoint backup_time) {
    store::Numbers numbers(db);
    store::Batch batch;
    const auto now = clock.now();
    auto voided = co_await ra::close_restored(db, numbers, batch, backup_time, now);
    acme::void_pending(batch, now);
    const auto written = co_await db.write(std::move(batch));
    written.value();
    co_return voided;
}

core::Task<std::vector<std::string>> list_authorities(store::Database& db) {
    auto all = store::values();
    const auto rows = co_await db.read(store::authority_all, std::move(all));
    std::vector<std::string> out;
    for (const auto& row : rows) out.push_back(row.text(0));
    co_return out;
}

/// Without its key nothing could be signed or revoked in a CA's name.
void require_key(const BackupManifest& manifest, const std::string& key_id) {
    if (!manifest.find("keys/" + key_id + ".key")) throw std::runtime_error("the backup lacks the key of CA " + key_id + "; use another backup");
}

core::Task<std::vector<std::string>> find_crl_urls(store::Database& db) {
    auto name = store::values("public.http");
    const auto base = co_await store::read_one(db, store::setting_get, std::move(name));
    auto all = store::values();
    const auto authorities = co_await db.read(store::authority_all, std::move(all));
    std::vector<std::string> out;
    if (!base) co_return out;
    for (const auto& row : authorities) out.push_back(ca::crl_url(base->text(0), row.text(0)));
    co_return out;
}

/// Copies and checks what was copied: the backup may be on a disk that fails.
void copy_files(const RestoreOptions& options, const BackupManifest& manifest, const std::string& into) {
    for (const auto* folder : {"/keys", "/tls"})
        if (::mkdir((into + folder).c_str(), 0700) != 0) fail("cannot create " + into + folder);
    for (const auto& file : manifest.files) {
        const auto to = into + "/" + file.name;
        fs::copy_file(options.backup + "/" + file.name, to);
        const bool for_everybody = file.name == "root.pem" || file.name == "tls/server.pem";
        if (::chmod(to.c_str(), for_everybody ? 0644 : 0600) != 0) fail("cannot protect " + to);
    }
    if (const auto same = verify_files(manifest, into); !same) throw std::runtime_error(same.error().detail);
}

/// Root may restore for the user that the server runs as: who owned the empty folder owns what takes its place.
void hand_over(const std::string& folder, const std::string& empty_folder) {
    struct stat owner {};
    if (::geteuid() != 0 || ::lstat(empty_folder.c_str(), &owner) != 0 || owner.st_uid == 0) return;
    const auto give = [&](const std::string& path) {
        if (::lchown(path.c_str(), owner.st_uid, owner.st_gid) != 0) fail("cannot hand over " + path);
    };
    give(folder);
    for (const auto& entry : fs::recursive_directory_iterator(folder)) give(entry.path().string());
}

}  // namespace

RestoreReport restore(const RestoreOptions& options) {
    RestoreReport report;
    report.manifest = read_manifest(options.backup);
    refuse_used(options.data);
    const auto parent = fs::path(options.data).parent_path().string();
    if (!fs::is_directory(parent)) throw std::runtime_error("there is no folder " + parent + " to put the data folder in");
    core::SystemClock clock;
    crypto::SystemRandom random;
    const crypto::Sealer sealer(read_master(options, report.manifest), random);

    PartialFolder copy(options.data);
    copy_files(options, report.manifest, copy.path());
    const auto database = copy.path() + "/postern.db";
    store::check_sqlite_copy(database);
    report.keys = open_keys(copy.path() + "/keys", sealer);
    observe::Metrics metrics;
    {
        const auto db = store::open_sqlite(database, clock, metrics);
        for (const auto& key_id : core::run_to_end(list_authorities(*db))) require_key(report.manifest, key_id);
        report.voided = core::run_to_end(close(*db, clock, report.manifest.created));
        report.crl_urls = core::run_to_end(find_crl_urls(*db));
        db->close();
    }
    for (const auto& file : report.manifest.files) sync_file(copy.path() + "/" + file.name);
    for (const auto* folder : {"/keys", "/tls", ""}) sync_folder(copy.path() + folder);
    hand_over(copy.path(), options.data);
    // Only an empty folder gives way; rmdir says so if that changed.
    if (fs::exists(options.data) && ::rmdir(options.data.c_str()) != 0) fail("cannot replace " + options.data);
    copy.keep_as(options.data);
    return report;
}

ClosedStore close_store(const Config& config, core::TimePoint restored_to) {
    if (!is_postgres(config)) throw std::runtime_error("an SQLite store is restored from a backup of Postern's: postern restore BACKUP");
    const auto schema = look_at_schema(config, false);
    if (schema.applied.empty()) throw std::runtime_error(shown_store(config) + " holds no Postern data; restore the database first");
    refuse_missing_migrations(config, schema);
    require_alone(config);
    const core::SystemClock clock;
    observe::Metrics metrics;
    const auto db = open_store(config, clock, metrics);
    const auto newest = core::run_to_end(db->read(store::audit_newest, {}));
    // Whoever names too early a moment would have the revocations of the CRLs looked up from a wrong one.
    if (!newest.empty() && newest.front().time(0) > restored_to)
        throw std::runtime_error(shown_store(config) + " has a record of " + core::rfc3339(newest.front().time(0)) + ", so it was restored to a later moment than " +
                                 core::rfc3339(restored_to));
    if (restored_to > clock.now()) throw std::runtime_error(core::rfc3339(restored_to) + " is in the future");
    ClosedStore out;
    out.store = shown_store(config);
    out.voided = core::run_to_end(close(*db, clock, restored_to));
    out.crl_urls = core::run_to_end(find_crl_urls(*db));
    db->close();
    return out;
}

}  // namespace postern::app
