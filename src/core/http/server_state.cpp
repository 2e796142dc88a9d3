#include "core/http/server_state.hpp"

#include <ctime>

namespace postern::http {

ServerState::ServerState(const Server::Deps& d, ServerLimits l)
    : deps(d), current_limits(std::make_shared<const ServerLimits>(l)), most_connections(l.connections),
      acceptors([log = &d.log](std::string_view what) { log->error("acceptor_fault", {{"what", what}}); }),
      sessions([log = &d.log](std::string_view what) { log->error("connection_fault", {{"what", what}}); }) {
    for (std::size_t i = 0; i < d.shards.size(); ++i)
        shards.push_back(std::make_unique<ShardState>(d.shards.at(i), d.metrics));
}

void ServerState::set_limits(const ServerLimits& limits) {
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
