#include "core/http/server.hpp"

#include <unistd.h>

#include <boost/asio/post.hpp>

#include "core/http/server_state.hpp"

namespace postern::http {
namespace {

/// After the terminal cancellation: time for sessions to notice it.
constexpr std::chrono::seconds after_cancel(5);

void on_every_connection(const std::shared_ptr<ServerState>& state, void (*act)(Connection&)) {
    for (const auto& shard : state->shards)
        boost::asio::post(shard->context, [state, act, here = shard.get()] {
            for (const auto* list : {&here->strangers, &here->connections})
                for (Connection* connection : *list) act(*connection);
        });
}

}  // namespace

struct Server::Impl {
    explicit Impl(std::shared_ptr<ServerState> s) : state(std::move(s)) {}

    std::shared_ptr<ServerState> state;
    bool started = false;

    void accept_on(const Listener& listener) const {
        auto loop = accept_loop(state, listener);
        state->acceptors.spawn(state->deps.shards.executor(0), std::move(loop));
    }
};

Server::Server(const Deps& deps, ServerLimits limits)
    : impl_(std::make_unique<Impl>(std::make_shared<ServerState>(deps, limits))) {}

Server::~Server() {
    impl_->state->stopping = true;
    impl_->state->acceptors.close();
    impl_->state->sessions.close();
}

std::uint16_t Server::listen(const Endpoint& endpoint, const Router& router, std::shared_ptr<TlsContext> tls) {
    std::uint16_t port = 0;
    Fd fd = open_listener(endpoint, port);
    ServerState& state = *impl_->state;
    const auto open = state.deps.metrics.gauge("postern_http_connections", "Connections that are open now",
                                               {{"listener", endpoint.name}});
    const auto unshaken = state.deps.metrics.counter("postern_tls_handshakes_failed_total",
                                                     "Connections that ended before their TLS handshake did",
                                                     {{"listener", endpoint.name}});
    auto listener = std::make_unique<Listener>(endpoint, router, std::move(tls), open, unshaken);
    listener->socket = std::make_unique<Socket>(state.deps.shards.executor(0), std::move(fd));
    state.listeners.push_back(std::move(listener));
    if (impl_->started) impl_->accept_on(*state.listeners.back());
    return port;
}

void Server::start() {
    if (std::exchange(impl_->started, true)) return;
    for (const auto& listener : impl_->state->listeners) impl_->accept_on(*listener);
}

void Server::set_limits(const ServerLimits& limits) { impl_->state->set_limits(limits); }

core::Task<void> Server::stop(core::Deadline at) {
    const auto state = impl_->state;
    state->stopping = true;
    state->acceptors.close();
    state->acceptors.cancel();
    co_await state->acceptors.drained(at);
    for (const auto& listener : state->listeners) {
        listener->socket->close();
        if (listener->endpoint.address.starts_with('/')) ::unlink(listener->endpoint.address.c_str());
    }
    on_every_connection(state, [](Connection& c) { c.stop_if_idle(); });
    const bool ended = co_await state->sessions.drained(at);
    state->sessions.close();
    if (ended) co_return;
    state->sessions.cancel();
    on_every_connection(state, [](Connection& c) { c.abort(); });
    const auto last = core::deadline_in(after_cancel);
    co_await state->sessions.drained(last);
}

std::size_t Server::connections() const noexcept {
    return impl_->state->connections.load();
}

}  // namespace postern::http
