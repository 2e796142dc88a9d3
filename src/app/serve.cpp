#include "app/serve.hpp"

#include <boost/asio/signal_set.hpp>
#include <filesystem>
#include <future>
#include <iostream>

#include "app/fleet.hpp"
#include "app/greeting.hpp"
#include "app/house.hpp"
#include "app/management.hpp"
#include "app/own_tls.hpp"
#include "app/service.hpp"
#include "app/reload.hpp"
#include "core/async/deadline.hpp"
#include "core/async/run_on.hpp"
#include "core/base/descriptors.hpp"
#include "core/base/unavailable.hpp"
#include "store/tables/open_account.hpp"

namespace postern::app {

namespace {

constexpr auto drain_time = std::chrono::seconds(30);

core::Task<void> reload_at_signal(Reload& reload, boost::asio::signal_set& hangup) {
    for (;;) {
        co_await hangup.async_wait(boost::asio::use_awaitable);
        static_cast<void>(reload.run());  // it logs
    }
}

/// An endpoint that was just applied has its certificate within a second.
constexpr std::chrono::milliseconds catalog_look{500};

core::Task<void> keep_ra_credentials(House& house) {
    std::int64_t seen = house.catalog->current()->version;
    auto next = house.clock.steady() + house.between_looks();
    for (;;) {
        co_await core::sleep_for(catalog_look);
        const auto version = house.catalog->current()->version;
        if (version == seen && house.clock.steady() < next) continue;
        co_await house.ra_credentials->refresh();
        seen = version;
        next = house.clock.steady() + house.between_looks();
    }
}

/// REST's handlers run on every shard, what is reloaded lives on one.
core::Task<core::Result<std::string>> reload_once(Reload& reload) { co_return reload.run(); }
core::Task<core::Result<std::string>> reload_on(core::Executor executor, Reload& reload) {
    auto once = reload_once(reload);
    co_return co_await core::run_on(executor, std::move(once));
}

/// The listeners and what they serve. Destroyed before the house.
struct Listening {
    explicit Listening(House& house)
        : server(http::Server::Deps{house.shards, house.random, house.log, house.metrics}, house.config.limits) {}
    http::Router https, est, http, management, control;
    std::atomic<bool> ready{false};
    http::Server server;
};

void add_routes(House& house, Listening& on) {
    house.acme->add_routes(on.https);
    for (auto* router : {&on.https, &on.http}) house.scep->add_routes(*router);
    house.ndes_page->add_routes(on.https);  // a password never passes on the plain listener
    house.est->add_routes(on.est);
    for (auto* router : {&on.https, &on.est}) house.api->add_routes(*router, api::Api::Reach::network);
    house.api->add_routes(on.control, api::Api::Reach::local);
    for (auto* router : {&on.https, &on.http}) house.builtin->add_routes(*router);
    add_management_routes(on.management, house, on.ready);
}

void listen(House& house, Listening& on, const OwnTls& tls) {
    const auto& c = house.config;
    const auto listen_on = [&](const char* name, const Address& address, const http::Router& router, std::shared_ptr<http::TlsContext> context) {
        http::Endpoint endpoint(name, address.host, address.port);
        if (const auto given = c.handed_over.find(name); given != c.handed_over.end()) endpoint.handed_over = given->second;
        // The plain listeners answer for any name: CRLs are fetched by the URLs of certificates long issued.
        if (context) endpoint.any_host = tls.any_host();
        if (context)
            for (const auto& own : tls.names()) endpoint.hosts.push_back(own.value);
        on.server.listen(endpoint, router, std::move(context));
    };
    listen_on("management", c.management, on.management, nullptr);
    on.server.listen(http::Endpoint("control", house.folder.file("control.sock"), 0), on.control, nullptr);
    listen_on("http", c.http, on.http, nullptr);
    listen_on("https", c.https, on.https, tls.https());
    listen_on("est", c.est, on.est, tls.est());
}

/// Taken over before anything else: a SIGHUP while starting would end the process.
struct Signals {
    explicit Signals(const core::Executor& executor) : end(executor, SIGTERM, SIGINT), hangup(executor, SIGHUP) {}
    boost::asio::signal_set end, hangup;
};

/// Said at each start: whoever reaches such an endpoint has what its account's scope allows.
core::Task<void> name_open_endpoints(House& house) {
    auto none = store::values();
    const auto rows = co_await house.db->read(store::account_open_devices, std::move(none));
    for (const auto& row : rows)
        house.log.warning(row.text(3) == "est" ? "est_open_endpoint" : "scep_open_endpoint", {{"endpoint", row.text(1)}, {"account", row.text(0) + "/" + row.text(2)},
                                                 {"why", "its account asks for no credential: everybody who reaches it enrolls; for private laboratories only"}});
}

/// A proxy that ends TLS leaves nothing that a request could be bound to.
void name_unbindable_endpoints(House& house) {
    if (house.config.est_proxy_certificates.empty()) return;
    const auto catalog = house.catalog->current();
    for (const auto& endpoint : catalog->endpoints)
        if (endpoint.active && catalog->requires_binding(endpoint))
            house.log.warning("est_binding_behind_proxy", {{"endpoint", endpoint.name},
                                                           {"why", "a profile of it has require_binding, and [est] proxy_certificates names a proxy that ends TLS: every device behind it is refused"}});
}

/// From the opened house to the signal that ends it.
core::Task<void> attend(House& house, Listening& on, OwnTls& tls, Signals& signals, Reload& reload) {
    auto executor = co_await boost::asio::this_coro::executor;
    auto& log = house.log;
    if (house.config.lab)
        log.warning("laboratory", {{"why", "--lab: validation may reach private and loopback addresses, the default endpoint is open to "
                                           "everybody; never on a network with strangers"}});
    house.db->use_shards(house.shards);
    co_await name_open_endpoints(house);
    name_unbindable_endpoints(house);
    if (house.registry) {
        co_await house.registry->join();
        house.tasks.spawn(executor, keep_node(house));
    }
    house.builtin->start();
    co_await house.poller->start();
    const auto settled = co_await house.sweeper->start();
    if (settled > 0) log.warning("intents_settled", {{"count", settled}});
    const auto resumed = co_await house.acme->attempt_due();
    if (resumed > 0) log.info("validations_resumed", {{"count", resumed}});

    co_await tls.prepare();
    co_await house.ra_credentials->refresh();
    add_routes(house, on);
    listen(house, on, tls);
    house.operations->reloading = [executor, &reload] { return reload_on(executor, reload); };
    on.server.start();
    house.tasks.spawn(executor, follow_changes(house));
    house.tasks.spawn(executor, keep_attempting(house));
    house.tasks.spawn(executor, house.clock_agreement->keep());
    house.tasks.spawn(executor, tls.keep_fresh());
    house.tasks.spawn(executor, keep_ra_credentials(house));
    house.tasks.spawn(executor, reload_at_signal(reload, signals.hangup));
    house.tasks.spawn(executor, house.sweeper->run());
    house.tasks.spawn(executor, house.poller->run());
    house.tasks.spawn(executor, house.approvals->run());
    house.tasks.spawn(executor, house.intune_revocations->run());
    house.outbox->start(executor);
    on.ready.store(true);
    greet(house);
    tell_service_manager("READY=1");

    const auto signal = co_await signals.end.async_wait(boost::asio::use_awaitable);
    tell_service_manager("STOPPING=1");
    log.info("stopping", {{"signal", signal}});
}

core::Task<int> run(Config config, Config started, ReadConfig read, core::Shards& shards, observe::Log& log, ra::Senders senders) {
    auto executor = co_await boost::asio::this_coro::executor;
    Signals signals(executor);
    auto house = co_await House::open(std::move(config), shards, log, std::move(senders));
    // An earlier run's: whoever waits for the file waits for this one.
    if (const auto& file = house->config.ready_file; !file.empty()) std::filesystem::remove(file);
    OwnTls tls(*house);
    Listening on(*house);
    Reload reload(*house, tls, on.server, std::move(started), std::move(read));
    // A start that fails half-way is taken down like a server: background work stands on the house.
    std::exception_ptr failure;
    try {
        co_await attend(*house, on, tls, signals, reload);
    } catch (...) {
        failure = std::current_exception();
    }
    on.ready.store(false);
    const auto at = core::deadline_in(drain_time);
    co_await on.server.stop(at);
    co_await house->close(at);
    if (failure) std::rethrow_exception(failure);
    log.info("stopped", {});
    co_return 0;
}

}  // namespace

int serve(Config config, ReadConfig read, ra::Senders senders) {
    auto started = config;  // as read: what the start settles in `config` is no change of anybody's
    config.handed_over = handed_over_sockets();
    adopt_sockets(config.handed_over, config);
    observe::Log log(config.log_level, config.log_file, config.log_json);
    core::raise_descriptor_limit(config.limits.connections);
    core::Shards shards(core::usable_cores());
    std::promise<int> done;
    boost::asio::co_spawn(shards.at(0), run(std::move(config), std::move(started), std::move(read), shards, log, std::move(senders)), [&](std::exception_ptr failure, int status) {
        if (failure)
            done.set_exception(failure);
        else
            done.set_value(status);
    });
    shards.start();
    auto result = done.get_future();
    result.wait();
    shards.stop();
    return result.get();
}

}  // namespace postern::app
