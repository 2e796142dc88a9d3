#include "app/serve.hpp"

#include <boost/asio/signal_set.hpp>
#include <filesystem>
#include <future>
#include <iostream>

#include "app/greeting.hpp"
#include "app/house.hpp"
#include "app/management.hpp"
#include "app/own_tls.hpp"
#include "core/async/deadline.hpp"

namespace postern::app {

namespace {

constexpr auto drain_time = std::chrono::seconds(30);

core::Task<void> poll_catalog(House& house) {
    for (;;) {
        co_await core::sleep_for(std::chrono::seconds(1));
        co_await house.catalog->refresh();
    }
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
    for (auto* router : {&on.https, &on.est, &on.control}) house.api->add_routes(*router);
    for (auto* router : {&on.https, &on.http}) house.builtin->add_routes(*router);
    add_management_routes(on.management, house, on.ready);
}

void listen(House& house, Listening& on, const OwnTls& tls) {
    const auto& c = house.config;
    on.server.listen(http::Endpoint("management", c.management.host, c.management.port), on.management, nullptr);
    on.server.listen(http::Endpoint("control", house.folder.file("control.sock"), 0), on.control, nullptr);
    on.server.listen(http::Endpoint("http", c.http.host, c.http.port), on.http, nullptr);
    on.server.listen(http::Endpoint("https", c.https.host, c.https.port), on.https, tls.https());
    on.server.listen(http::Endpoint("est", c.est.host, c.est.port), on.est, tls.est());
}

/// From the opened house to the signal that ends it.
core::Task<void> attend(House& house, Listening& on, OwnTls& tls, boost::asio::signal_set& signals) {
    auto executor = co_await boost::asio::this_coro::executor;
    auto& log = house.log;
    if (house.config.lab)
        log.warning("laboratory", {{"why", "--lab: validation may reach private and loopback addresses, the default endpoint is open to "
                                           "everybody; never on a network with strangers"}});
    house.builtin->start();
    const auto settled = co_await house.sweeper->start();
    if (settled > 0) log.warning("intents_settled", {{"count", settled}});
    const auto resumed = co_await house.acme->resume_validations();
    if (resumed > 0) log.info("validations_resumed", {{"count", resumed}});

    co_await tls.prepare();
    add_routes(house, on);
    listen(house, on, tls);
    on.server.start();
    house.tasks.spawn(executor, poll_catalog(house));
    house.tasks.spawn(executor, tls.keep_fresh());
    house.tasks.spawn(executor, house.sweeper->run());
    house.outbox->start(executor);
    on.ready.store(true);
    greet(house);

    const auto signal = co_await signals.async_wait(boost::asio::use_awaitable);
    log.info("stopping", {{"signal", signal}});
}

core::Task<int> run(Config config, core::Shards& shards, observe::Log& log, ra::Senders senders) {
    auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::signal_set signals(executor, SIGTERM, SIGINT);
    auto house = co_await House::open(std::move(config), shards, log, std::move(senders));
    // An earlier run's: whoever waits for the file waits for this one.
    if (const auto& file = house->config.ready_file; !file.empty()) std::filesystem::remove(file);
    OwnTls tls(*house);
    Listening on(*house);
    // A start that fails half-way is taken down like a server: background work stands on the house.
    std::exception_ptr failure;
    try {
        co_await attend(*house, on, tls, signals);
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

int serve(Config config, ra::Senders senders) {
    observe::Log log(config.log_level, config.log_file, config.log_json);
    core::Shards shards(core::usable_cores());
    std::promise<int> done;
    boost::asio::co_spawn(shards.at(0), run(std::move(config), shards, log, std::move(senders)), [&](std::exception_ptr failure, int status) {
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
