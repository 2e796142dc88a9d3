#include "core/http/server_state.hpp"

#include <algorithm>
#include <ctime>

#include "core/base/descriptors.hpp"

namespace postern::http {
namespace {

constexpr std::string_view shed_help = "Connections closed for want of room, by reason";

/// Enough to pass those that were told to go already and have not gone yet.
constexpr int most_looked_at = 256;

bool close_first(std::list<Connection*>& list) {
    int looked_at = 0;
    for (Connection* connection : list) {
        if (connection->give_way()) return true;
        if (++looked_at == most_looked_at) break;
    }
    return false;
}

}  // namespace

bool ShardState::make_room() { return close_first(strangers) || close_first(connections); }

ServerState::ServerState(const Server::Deps& d, ServerLimits l)
    : deps(d), most_connections(0),
      evicted(d.metrics.counter("postern_http_connections_shed_total", shed_help, {{"reason", "gave_way"}})),
      turned_away(d.metrics.counter("postern_http_connections_shed_total", shed_help, {{"reason", "turned_away"}})),
      acceptors([log = &d.log](std::string_view what) { log->error("acceptor_fault", {{"what", what}}); }),
      sessions([log = &d.log](std::string_view what) { log->error("connection_fault", {{"what", what}}); }) {
    for (std::size_t i = 0; i < d.shards.size(); ++i)
        shards.push_back(std::make_unique<ShardState>(d.shards.at(i), d.metrics));
    reserve = spare_descriptor();
    set_limits(l);
}

void ServerState::set_limits(ServerLimits limits) {
    // Connections never take the descriptors that the rest of the process needs.
    const auto most = core::descriptor_limit();
    const auto fitting = most - core::own_descriptors(most);
    if (limits.connections > fitting) {
        deps.log.warning("connections_limited", {{"configured", static_cast<std::int64_t>(limits.connections)},
                                                 {"now", static_cast<std::int64_t>(fitting)},
                                                 {"descriptors", static_cast<std::int64_t>(most)}});
        limits.connections = fitting;
    }
    auto fresh = std::make_shared<const ServerLimits>(limits);
    const std::lock_guard lock(limits_mutex);
    current_limits = std::move(fresh);
    most_connections = limits.connections;
}

void ShardState::count(const Listener& listener, std::string_view pattern, unsigned status, double seconds) {
    const auto key = std::make_tuple(&listener, pattern.data(), status);
    const std::string_view route = pattern.empty() ? std::string_view("none") : pattern;
    auto counter = requests_.find(key);
    if (counter == requests_.end()) {
        const std::string code = std::to_string(status);
        counter = requests_.emplace(key, metrics_.counter("postern_http_requests_total", "HTTP requests answered",
                                                          {{"listener", listener.endpoint.name},
                                                           {"route", route},
                                                           {"status", code}})).first;
    }
    counter->second.add();
    auto duration = durations_.find(pattern.data());
    if (duration == durations_.end()) {
        duration = durations_.emplace(pattern.data(),
                                      metrics_.histogram("postern_http_request_seconds",
                                                         "From the head of a request to its answer",
                                                         {{"route", route}})).first;
    }
    duration->second.observe(seconds);
}

std::string_view ShardState::date() {
    const std::time_t now = std::time(nullptr);
    if (now == date_second_) return date_;
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    std::array<char, 32> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    date_.assign(text.data(), length);
    date_second_ = now;
    return date_;
}

}  // namespace postern::http
