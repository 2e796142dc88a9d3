#include "app/house.hpp"

#include <unistd.h>

#include <boost/asio/thread_pool.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/first_start.hpp"
#include "app/fleet.hpp"
#include "app/laboratory.hpp"
#include "app/master_key_check.hpp"
#include "app/own_documents.hpp"
#include "app/public_urls.hpp"
#include "app/store.hpp"
#include "app/version.hpp"
#include "ca/builtin/key_rows.hpp"
#include "azure/client.hpp"
#include "core/async/deadline.hpp"
#include "core/async/run_on.hpp"
#include "core/crypto/certificate.hpp"
#include "core/http/curl_outbound.hpp"
#include "store/bulk.hpp"
#include "store/tables/setting.hpp"
#include "validation/dns_01_validator.hpp"
#include "validation/dns_account_01_validator.hpp"
#include "validation/http_01_validator.hpp"
#include "validation/methods.hpp"
#include "validation/tls_alpn_01_validator.hpp"

namespace postern::app {

namespace {

/// Who adds a record and posts the challenge again is judged by what there is now.
dns::ResolverConfig resolver_config(const Config& config) {
    auto out = config.dns;
    out.max_negative_ttl = std::chrono::seconds(1);
    return out;
}

/// One vantage point: this machine.
std::unique_ptr<validation::Validator> make_validator(dns::Resolver& resolver, observe::Metrics& metrics, const Config& config) {
    validation::Http01Config http;
    http.port = config.http_01_port;
    http.private_targets = config.lab;
    http.time = config.http_01_time;
    validation::TlsAlpn01Config tls;
    tls.port = config.tls_alpn_01_port;
    tls.private_targets = config.lab;
    tls.time = config.tls_alpn_01_time;
    auto out = std::make_unique<validation::Methods>(metrics);
    out->add("http-01", validation::make_http_01_validator(resolver, std::move(http)));
    out->add("tls-alpn-01", validation::make_tls_alpn_01_validator(resolver, tls));
    out->add("dns-01", validation::make_dns_01_validator(resolver));
    out->add("dns-account-01", validation::make_dns_account_01_validator(resolver));
    return out;
}

ca::BuiltinConfig builtin_config(const Config& config, const DataFolder& folder, const std::string& node) {
    using std::chrono::duration_cast;
    using std::chrono::hours;
    ca::BuiltinConfig out;
    out.keys_folder = folder.file("keys");
    out.keys_in_database = shares_store(config);
    out.node = node;
    out.public_http = config.public_http;
    out.name = config.ca_name;
    out.root_key = config.root_key;
    out.issuing_key = config.issuing_key;
    out.root_lifetime = duration_cast<hours>(config.root_lifetime);
    out.issuing_lifetime = duration_cast<hours>(config.issuing_lifetime);
    out.crl_lifetime = duration_cast<hours>(config.crl_lifetime);
    return out;
}

/// Who calls: User-Agent, and Intune's callerInfo.
std::string product() { return "Postern/" + std::string(version()); }

http::OutboundConfig outbound_config(const Config& config) {
    http::OutboundConfig out;
    out.user_agent = product();
    out.ca_file = config.outbound_ca_file;
    if (!out.ca_file.empty() && ::access(out.ca_file.c_str(), R_OK) != 0) throw std::runtime_error("[outbound] ca_file " + out.ca_file + " cannot be read");
    if (config.outbound_proxy.empty()) return out;
    auto proxy = std::make_shared<http::Proxy>();
    proxy->url = config.outbound_proxy;
    proxy->user = config.outbound_proxy_user;
    if (!config.outbound_proxy_password_file.empty()) {
        require_private(config.outbound_proxy_password_file);
        auto password = read_file(config.outbound_proxy_password_file);
        while (!password.empty() && (password.back() == '\n' || password.back() == '\r')) password.pop_back();
        proxy->password = core::SecretText(std::move(password));
    }
    out.proxy = std::move(proxy);
    out.no_proxy = config.outbound_no_proxy;
    return out;
}

azure::ClientDeps azure_deps(House& h) {
    return {*h.outbound, *h.sealer, h.pool, h.tasks, h.shards.executor(0), h.random, *h.clock_agreement, h.log, h.metrics, product(),
            [](std::chrono::milliseconds pause) { return core::sleep_for(pause); }};
}

/// Before anything is made: a fresh database or master key would only be in the way of the backup's.
void refuse_lost_store(const Config& config, const std::string& root_pem) {
    if (!std::filesystem::exists(root_pem)) return;
    const auto what = is_postgres(config) ? "the database " + shown_store(config) + " is empty: it was lost or exchanged"
                                          : "the database " + store_path(config) + " does not: it was lost or moved";
    throw std::runtime_error(root_pem + " exists, but " + what + ". Restore it from the backup, or move " + root_pem +
                             " away to start with a new CA that every client must be told to trust");
}

core::Task<std::string> copy_mark(store::Database& db, std::string_view mark) {
    auto name = store::values(mark);
    const auto row = co_await store::read_one(db, store::setting_get, std::move(name));
    co_return row ? row->text(0) : std::string();
}

/// A store that only a person may put in order, and one of which two would be live.
core::Task<void> refuse_copy(store::Database& db, const Config& config, const std::string& node) {
    const auto unfinished = co_await copy_mark(db, store::copy_unfinished);
    if (!unfinished.empty())
        throw std::runtime_error(shown_store(config) + " is the target of a `postern copy` that did not end: " + unfinished +
                                 ". Begin the copy anew; it empties the target first");
    const auto moved = co_await copy_mark(db, store::copy_moved);
    if (!moved.empty())
        throw std::runtime_error(shown_store(config) + " was moved: " + moved + ". Name that store in [store] url; two live copies would be two CAs that "
                                 "do not know of each other. To come back, copy that store into a new one");
    const auto leaving = co_await copy_mark(db, store::copy_leaving);
    if (leaving.empty()) co_return;
    const auto leaver = co_await copy_mark(db, store::copy_leaver);
    if (leaver != node)
        throw std::runtime_error(shown_store(config) + " is being copied " + leaving + ". Wait for the end of that `postern copy`; if it was killed, "
                                 "begin it anew, or start the server on that data folder first");
    // It held the lock of the folder that this node holds now, so it is over.
    store::Batch marks;
    marks.add(store::setting_remove, store::values(store::copy_leaving), store::Expect::any);
    marks.add(store::setting_remove, store::values(store::copy_leaver), store::Expect::any);
    const auto written = co_await db.write(std::move(marks));
    written.value();
}

/// Nobody's yet: nothing is fixed in it. Its schema may have been made beforehand, by `postern migrate`.
core::Task<bool> is_unused(store::Database& db) {
    auto none = store::values();
    const auto rows = co_await db.read(store::setting_any, std::move(none));
    co_return rows.empty();
}

/// A failed fsync may have lost what it was asked for, and the next one would succeed without it. So
/// nothing is retried or acknowledged any more, no destructor runs, and the next start reads what
/// the disk really has.
[[noreturn]] void end_now(observe::Log& log, const std::string& why) {
    constexpr int io_error = 74;  // EX_IOERR of sysexits.h
    log.error("store_disk_failed", {{"why", why}, {"status", io_error}});
    std::_Exit(io_error);
}

void add_lives(House& h, const std::string& node) {
    if (!shares_store(h.config)) {
        h.lives = std::make_unique<store::OnlyNode>(h.random);
        return;
    }
    store::NodeRegistry::Self self;
    self.name = node;
    self.address = h.config.https.authority();
    self.version = version();
    auto registry = std::make_unique<store::NodeRegistry>(*h.db, h.clock, h.random, std::move(self));
    h.registry = registry.get();
    h.lives = std::move(registry);
}

core::Task<void> add_nonces(House& h, std::string node) {
    if (!shares_store(h.config)) {
        h.nonces = std::make_unique<acme::MemoryNonces>(h.random);
        co_return;
    }
    acme::FleetNonces::Deps deps{*h.db, *h.sealer, h.random, *h.clock_agreement, std::move(node)};
    deps.clock_agrees = [&h] { return h.clock_agreement->check().has_value(); };
    auto nonces = std::make_unique<acme::FleetNonces>(deps);
    co_await nonces->refresh();
    h.fleet_nonces = nonces.get();
    h.nonces = std::move(nonces);
}

void add_predecessors(House& h) {
    const ra::Predecessors::Deps predecessors{*h.db, *h.numbers, *h.catalog, *h.clock_agreement};
    h.predecessors = std::make_unique<ra::Predecessors>(predecessors);
    const ra::ImportedCertificates::Deps imported{*h.db, *h.numbers, *h.catalog, h.pool, *h.clock_agreement};
    h.imported_certificates = std::make_unique<ra::ImportedCertificates>(imported);
}

void add_scep(House& h, std::string node) {
    const bool several = shares_store(h.config);
    h.ra_keys = std::make_unique<ca::KeyRows>(*h.db, *h.sealer, ca::KeyFiles(h.folder.file("keys"), *h.sealer), *h.clock_agreement, several);
    scep::RaCredentials::Deps credentials{*h.db, *h.numbers, *h.catalog, *h.enrollment, h.backends, *h.ra_keys,
                                                h.pool, h.random, *h.clock_agreement, h.log, std::move(node)};
    credentials.first_retry = h.between_looks();
    h.ra_credentials = std::make_unique<scep::RaCredentials>(credentials);
    const scep::Deps scep{*h.db, *h.catalog, *h.enrollment, h.intune_enrollment.get(), h.backends, *h.ra_credentials, *h.sealer, h.pool,
                          h.random, *h.clock_agreement, *h.clock_agreement, h.log, h.metrics, *h.predecessor_status, *h.refusals, h.outbound.get()};
    h.scep = std::make_unique<scep::Scep>(scep);
}

/// A proxy that is not known because its file is gone would have its devices refused one by one.
est::Proxies read_proxies(const std::vector<std::string>& files) {
    std::vector<core::Bytes> certificates;
    for (const auto& file : files) {
        std::ifstream in(file, std::ios::binary);
        std::ostringstream text;
        text << in.rdbuf();
        auto read = crypto::from_pem("CERTIFICATE", text.str());
        if (!in || !read || read->empty()) throw std::runtime_error("[est] proxy_certificates: " + file + " holds no certificate (PEM)");
        for (auto& der : *read) certificates.push_back(std::move(der));
    }
    return est::Proxies(certificates);
}

core::Task<void> leave(House& h) {
    try {
        co_await h.registry->leave();
    } catch (const core::Unavailable& fault) {
        h.log.warning("node_unseen", {{"why", fault.what()}});  // the others find out by its silence
    }
}

core::Task<void> close_store(store::Database& db) {
    db.close();
    co_return;
}

constexpr std::chrono::seconds after_cancel(5);
constexpr std::size_t pool_queue = 512;

}  // namespace

House::House(Config c, core::Shards& s, observe::Log& l)
    : config(std::move(c)), shards(s), log(l), folder(config.data),
      tasks([this](std::string_view what) { log.error("task_failed", {{"why", what}}); }),
      pool(shards.size(), pool_queue) {}

/// Whichever way it ends, the store is left as one file: a log beside it would be taken for part of
/// a database that somebody restores there.
House::~House() {
    if (db) db->close();
}

core::Task<std::unique_ptr<House>> House::open(Config config, core::Shards& shards, observe::Log& log, ra::Senders senders) {
    std::unique_ptr<House> house(new House(std::move(config), shards, log));
    auto& h = *house;
    const auto schema = look_at_schema(h.config, false);
    if (schema.applied.empty()) refuse_lost_store(h.config, h.folder.file("root.pem"));
    if (schema.applied.empty() && !h.config.may_create)
        throw std::runtime_error(shown_store(h.config) + " holds no Postern data; start `postern serve` on it first, or name the store with --store or --config");
    if (schema.newer())
        h.log.warning("schema_newer", {{"schema", schema.applied.size()}, {"known", schema.known.size()},
                                       {"why", "a later version migrated this store, and says that this one may run on it; upgrade this node too"}});
    if (!h.config.migrate) refuse_missing_migrations(h.config, schema);
    std::optional<core::SecretBytes> master;
    if (schema.applied.empty()) master = h.folder.master_key(h.config.master_key_file, true, h.random);
    StoreUse use;
    use.disk_failed = [&h](const std::string& why) { end_now(h.log, why); };
    use.notice = [&h](std::string_view event, const std::string& what) { h.log.warning(event, {{"what", what}}); };
    use.for_shards = true;
    h.db = open_store(h.config, h.clock, h.metrics, std::move(use));
    const auto node = node_name(h.config, &h.random);
    co_await refuse_copy(*h.db, h.config, node);
    const bool unused = co_await is_unused(*h.db);
    if (!master) master = h.folder.master_key(h.config.master_key_file, unused, h.random);
    h.sealer = std::make_unique<crypto::Sealer>(std::move(*master), h.random);
    // Of nodes that start together with different keys, those that are not first end here and have fixed nothing.
    if (unused) co_await keep_master_key_check(*h.db, *h.sealer);
    else co_await check_master_key(*h.db, *h.sealer);
    h.numbers = std::make_unique<store::Numbers>(*h.db);
    co_await follow_laboratory_at_start(h);
    const ra::ClockAgreement::Deps clocks{*h.db, *h.numbers, h.machine_clock, h.log, h.metrics, node, &h.clock};
    h.clock_agreement = std::make_unique<ra::ClockAgreement>(clocks);
    using Apart = ra::ClockAgreement::Apart;
    co_await h.clock_agreement->open(h.config.clock_in_doubt ? Apart::doubt : Apart::refuse);
    // From here on it is the clock of whatever writes: a wall clock in doubt dates nothing that stays.
    co_await fix_public_urls(*h.db, h.config, node, h.log);

    h.catalog = std::make_unique<ra::CatalogSource>(*h.db, h.log);
    h.resolver = dns::make_unbound_resolver(h.shards.executor(0), resolver_config(h.config));
    h.validator = make_validator(*h.resolver, h.metrics, h.config);
    h.caa = validation::make_caa(*h.resolver, h.metrics);

    h.outbound = http::make_curl_outbound(outbound_config(h.config));
    h.intune = azure::make_intune_client(azure_deps(h));

    const ca::BuiltinCa::Deps ca_deps{*h.db, h.pool, h.tasks, h.shards.executor(0), *h.sealer, h.random, *h.clock_agreement, h.log, h.metrics};
    auto ca_config = builtin_config(h.config, h.folder, node);
    const ra::Restoration::Deps restoration{*h.db, *h.numbers, h.gate, *h.clock_agreement, h.log};
    h.restoration = std::make_unique<ra::Restoration>(restoration);
    ca_config.hold_crls = co_await h.restoration->load();
    auto root_pem = h.folder.file("root.pem");
    h.builtin = co_await ca::BuiltinCa::open(ca_deps, std::move(ca_config), std::move(root_pem));
    co_await keep_master_key_check(*h.db, *h.sealer);
    h.backends.add("builtin", *h.builtin);
    const ca::command::CommandCa::Deps commands{h.shards.executor(0), *h.clock_agreement, h.log, h.metrics, h.pool};
    h.commands = std::make_unique<ca::command::Commands>(commands);
    h.backends.add(*h.commands);
    h.catalog->before_current([&h](const ra::Catalog& catalog) { h.commands->describe(catalog.backends); });

    h.unpublished.emplace(h.metrics.counter("postern_alarms_total", "What somebody must look at", {{"alarm", "revocation_unpublished"}}));
    h.unasked.emplace(h.metrics.counter("postern_alarms_total", "What somebody must look at", {{"alarm", "revocation_unasked"}}));
    const ra::Revocation::Deps revocation{*h.db, *h.numbers, h.backends, *h.clock_agreement, &h.tasks, &h.log, &*h.unpublished, &*h.unasked};
    h.revocation = std::make_unique<ra::Revocation>(revocation);
    const ra::IntuneNotices::Deps notices{*h.db, *h.numbers, *h.catalog, *h.sealer, *h.intune, *h.revocation, *h.clock_agreement, h.log, h.metrics};
    h.intune_notices = std::make_unique<ra::IntuneNotices>(notices);
    for (const auto kind : {ra::intune_success_kind, ra::intune_failure_kind}) senders.add(std::string(kind), std::make_shared<ra::IntuneSender>(*h.intune_notices, kind));
    const ra::Outbox::Deps outbox{*h.db, h.clock, h.log, h.metrics, h.tasks, node};
    h.outbox = std::make_unique<ra::Outbox>(outbox, senders);
    add_lives(h, node);
    const ra::PredecessorStatus::Deps predecessor_status{*h.db, *h.outbound, h.pool, h.random, *h.clock_agreement, h.log, h.metrics};
    h.predecessor_status = std::make_unique<ra::PredecessorStatus>(predecessor_status);
    const ra::Refusals::Deps refusals{*h.db, *h.numbers, *h.clock_agreement, h.log, h.metrics};
    h.refusals = std::make_unique<ra::Refusals>(refusals);
    const ra::Enrollment::Deps enrollment{*h.db, *h.numbers, *h.catalog, h.backends, h.random, *h.clock_agreement, h.log, h.metrics,
                                          h.gate, *h.clock_agreement, *h.outbox, *h.lives, *h.refusals, node, h.predecessor_status.get(), h.caa.get(),
                                          &h.tasks};
    h.enrollment = std::make_unique<ra::Enrollment>(enrollment);
    const ra::Sweeper::Deps sweeper{*h.db, *h.enrollment, h.backends, h.tasks, h.clock, h.log, h.metrics, node, *h.lives};
    h.sweeper = std::make_unique<ra::Sweeper>(sweeper);
    const ra::Approvals::Deps approvals{*h.db, *h.numbers, *h.enrollment, h.tasks, *h.clock_agreement, *h.clock_agreement, *h.outbox, h.log, h.metrics, node};
    h.approvals = std::make_unique<ra::Approvals>(approvals);
    const ra::IntuneEnrollment::Deps intune_enrollment{*h.db, *h.numbers, *h.catalog, *h.sealer, *h.intune, *h.intune_notices, *h.enrollment, *h.refusals,
                                                       *h.outbox, h.tasks, *h.clock_agreement, h.log, h.metrics};
    h.intune_enrollment = std::make_unique<ra::IntuneEnrollment>(intune_enrollment);
    const ra::IntuneRevocations::Deps intune_revocations{*h.db, *h.numbers, *h.catalog, h.backends, *h.revocation, *h.intune, h.random, *h.clock_agreement,
                                                         h.log, h.metrics, node};
    h.intune_revocations = std::make_unique<ra::IntuneRevocations>(intune_revocations);
    const ra::Poller::Deps poller{*h.db, *h.enrollment, *h.revocation, h.tasks, *h.clock_agreement, h.log, h.metrics, node, *h.lives};
    h.poller = std::make_unique<ra::Poller>(poller);
    add_predecessors(h);
    const ra::BlockedKeys::Deps blocked_keys{*h.db, *h.numbers, *h.clock_agreement};
    h.blocked_keys = std::make_unique<ra::BlockedKeys>(blocked_keys);
    const ra::ProfilePauses::Deps pauses{*h.db, *h.numbers, *h.catalog, *h.clock_agreement};
    h.profile_pauses = std::make_unique<ra::ProfilePauses>(pauses);
    const ra::ParkedMessages::Deps parked_messages{*h.db, *h.numbers, *h.clock_agreement};
    h.parked_messages = std::make_unique<ra::ParkedMessages>(parked_messages);
    const ra::Principals::Deps principals{*h.db, *h.numbers, *h.sealer, h.random, *h.clock_agreement};
    h.principals = std::make_unique<ra::Principals>(principals);
    const ra::Documents::Deps documents{*h.db, *h.numbers, *h.catalog, h.backends, *h.sealer, h.random, *h.clock_agreement, &h.pool};
    h.documents = std::make_unique<ra::Documents>(documents);
    const ra::OneTimeChallenges::Deps challenges{*h.db, *h.numbers, *h.catalog, h.backends, *h.sealer, h.random, *h.clock_agreement};
    h.challenges = std::make_unique<ra::OneTimeChallenges>(challenges);
    h.first_start = co_await describe_defaults(h);
    co_await h.catalog->refresh();
    // A verb leaves that to the next start: nobody expects it to change anything but what it was asked for.
    if (!h.first_start && h.config.may_create) co_await renew_own_documents(h);

    co_await add_nonces(h, node);
    const acme::Deps acme{*h.db,  *h.numbers, *h.catalog, *h.enrollment, *h.revocation, h.backends, *h.validator, *h.caa,
                          *h.sealer, *h.nonces, h.tasks,   h.random,      *h.clock_agreement, *h.clock_agreement,
                          h.log,      h.metrics, h.config.public_https, h.config.retries, shares_store(h.config)};
    h.acme = std::make_unique<acme::Acme>(acme);
    add_scep(h, node);
    const scep::NdesPage::Deps ndes_page{*h.catalog, *h.principals, *h.challenges, *h.ra_credentials, h.log};
    h.ndes_page = std::make_unique<scep::NdesPage>(ndes_page);
    h.est_proxies = read_proxies(h.config.est_proxy_certificates);
    const ra::EstDevices::Deps est_devices{*h.db, *h.numbers, *h.catalog, *h.clock_agreement};
    h.est_devices = std::make_unique<ra::EstDevices>(est_devices);
    const est::Deps est{*h.db, *h.numbers, *h.catalog, *h.enrollment, h.backends, *h.sealer, h.pool, h.random, *h.clock_agreement, *h.clock_agreement,
                        h.log, h.metrics, *h.predecessor_status, *h.revocation, h.est_proxies, *h.refusals};
    h.est = std::make_unique<est::Est>(est);
    h.operations = std::make_unique<Operations>(h);
    const api::Api::Deps api{*h.db, *h.catalog, *h.documents, *h.principals, *h.revocation, *h.clock_agreement, *h.blocked_keys, *h.profile_pauses, *h.parked_messages, *h.operations, *h.clock_agreement, *h.enrollment, *h.approvals, h.backends, *h.intune, *h.intune_revocations, *h.challenges,
                             *h.predecessors, *h.imported_certificates, *h.est_devices};
    h.api = std::make_unique<api::Api>(api);
    co_return house;
}

core::Task<void> House::close(core::Deadline at) {
    operations->stop();
    tasks.close();
    // What is being issued gets its outcome, as long as there is time: a foreign CA may have issued already.
    while (enrollment->intents().held() > 0 && std::chrono::steady_clock::now() < at) co_await core::sleep_for(std::chrono::milliseconds(20));
    tasks.cancel();
    // They stand on the house: also when the listeners used up the time, they have a moment to notice.
    const auto last = std::max(at, core::deadline_in(after_cancel));
    const bool empty = co_await tasks.drained(last);
    if (!empty) log.warning("tasks_left", {{"count", tasks.size()}});
    pool.join();
    if (registry) co_await leave(*this);
    // It waits for what the shards still have to do, this one among them.
    boost::asio::thread_pool closer(1);
    auto closing = close_store(*db);
    co_await core::run_on(closer, std::move(closing));
}

}  // namespace postern::app
