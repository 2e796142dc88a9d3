#include "app/door.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/use_future.hpp>
#include <boost/url/parse.hpp>
#include <filesystem>
#include <future>
#include <stdexcept>

#include "app/data_folder.hpp"
#include "app/host_lookup.hpp"
#include "app/house.hpp"
#include "app/place.hpp"
#include "core/http/client.hpp"

namespace postern::app {

namespace {

constexpr auto patience = std::chrono::seconds(60);
constexpr auto to_connect = std::chrono::seconds(5);

/// Control socket or network: one request at a time over a connection of its own.
class WireDoor final : public Door {
public:
    WireDoor(http::Target target, std::string token) : target_(std::move(target)), token_(std::move(token)) {}

    http::Response ask(http::Request request) override {
        if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
        http::ClientLimits limits;
        limits.body_bytes = std::size_t{64} * 1024 * 1024;
        auto answer = core::run_to_end(http::fetch(target_, std::move(request), limits, core::deadline_in(patience)));
        if (!answer) throw std::runtime_error("cannot reach the server at " + target_.address + ": " + answer.error().detail);
        return std::move(*answer);
    }

private:
    http::Target target_;
    std::string token_;
};

/// The house without listeners, in this process.
class InnerDoor final : public Door {
public:
    /// Errors only: where a server would listen is no matter of a verb's.
    /// `caller`: the user who asked, for the audit.
    InnerDoor(Config config, std::uint32_t caller) : caller_(caller), log_(observe::Level::error, {}, false), shards_(1) {
        shards_.start();
        house_ = wait(House::open(std::move(config), shards_, log_, ra::Senders()));
        house_->builtin->start(ca::BuiltinCa::Purpose::one_verb);
        house_->api->add_routes(router_, api::Api::Reach::local);
    }
    ~InnerDoor() override {
        wait(house_->close(core::deadline_in(std::chrono::seconds(10))));
        shards_.stop();
    }
    http::Response ask(http::Request request) override {
        request.peer.address = "local";
        request.peer.unix_uid = caller_;
        request.id = house_->random.request_id();
        request.deadline = core::deadline_in(patience);
        return wait(router_.handle(std::move(request)));
    }

private:
    template <class T>
    T wait(core::Task<T> task) {
        return boost::asio::co_spawn(shards_.at(0), std::move(task), boost::asio::use_future).get();
    }

    std::uint32_t caller_;
    observe::Log log_;
    core::Shards shards_;
    http::Router router_;
    std::unique_ptr<House> house_;
};

/// The connection ends here, with the context that it belongs to.
core::Task<bool> connects(http::Target target) {
    const http::ClientLimits limits;
    const auto deadline = core::deadline_in(to_connect);
    const auto connection = co_await http::ClientConnection::connect(target, limits, deadline);
    co_return connection.has_value();
}

/// As `serve` would settle it: the file, then the command line.
Config settled(const DoorOptions& options) {
    auto config = options.config;
    config.config_file = find_config_file(options.config_file, config.data);
    if (!config.config_file.empty())
        if (const auto r = read_config_file(config.config_file, config); !r) throw std::runtime_error(r.error().detail);
    if (const auto r = set_store("--store", options.store, "", config); !r) throw std::runtime_error(r.error().detail);
    return config;
}

bool server_listens(const std::string& socket) {
    http::Target target;
    target.address = socket;
    return core::run_to_end(connects(std::move(target)));
}

std::string read_token(const std::string& path) {
    require_private(path);
    auto token = read_file(path);
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' ')) token.pop_back();
    if (token.empty()) throw std::runtime_error(path + " holds no token");
    return token;
}

std::unique_ptr<Door> open_remote(const DoorOptions& options) {
    const auto url = boost::urls::parse_uri(options.server);
    if (!url || url->scheme() != "https" || url->host().empty())
        throw std::runtime_error("--server: expected https://HOST[:PORT], got " + options.server);
    if (options.token_file.empty()) throw std::runtime_error("--server needs --token-file with a token of `postern principal create`");
    http::Target target;
    target.address = url->host_address();
    target.server_name = url->host_address();
    target.host = std::string(url->encoded_host_and_port());
    target.port = url->has_port() ? url->port_number() : std::uint16_t{443};
    target.tls = true;
    if (!options.ca_file.empty()) target.ca_pem = read_file(options.ca_file);
    if (crypto::canonical_ip(target.address).empty()) target.address = resolve_host(target.address);
    return std::make_unique<WireDoor>(std::move(target), read_token(options.token_file));
}

}  // namespace

http::Request make_request(http::Method method, std::string target, std::string json_body) {
    http::Request r;
    r.method = method;
    r.path = target.substr(0, target.find('?'));
    if (const auto mark = target.find('?'); mark != std::string::npos) r.query = target.substr(mark + 1);
    r.target = std::move(target);
    if (!json_body.empty()) r.headers.emplace_back("Content-Type", "application/json");
    r.body = std::move(json_body);
    return r;
}

std::unique_ptr<Door> Door::open(DoorOptions options) {
    if (!options.server.empty()) return open_remote(options);
    const auto& data = options.config.data;
    const auto holds_nothing = [&](const std::string& missing) {
        return std::runtime_error(data + " holds no Postern data" + missing + "; start `postern serve --data " + data + "` first, or name its folder with --data");
    };
    std::error_code none;
    if (!std::filesystem::is_directory(data, none)) throw holds_nothing("");
    require_entry(data);
    const auto socket = data + "/control.sock";
    if (std::filesystem::exists(socket)) {
        if (server_listens(socket)) {
            http::Target target;
            target.address = socket;
            target.host = "localhost";
            return std::make_unique<WireDoor>(std::move(target), "");
        }
        // Nobody but who holds the folder's lock opens its store, whatever the socket says.
        if (in_use(data))
            throw std::runtime_error("the server is busy: " + data + " is in use, and nobody takes a connection of its control socket within " + std::to_string(to_connect.count()) +
                                     " seconds; nothing was done. Ask again in a moment; `postern doctor` says more");
    }
    const auto caller = ::geteuid();
    become_owner(data);
    auto config = settled(options);
    config.may_create = false;
    config.clock_in_doubt = true;
    if (is_postgres(config)) return std::make_unique<InnerDoor>(std::move(config), caller);
    if (const auto store = store_path(config); !std::filesystem::exists(store))
        throw holds_nothing(store == data + "/postern.db" ? "" : " (" + store + " is missing)");
    return std::make_unique<InnerDoor>(std::move(config), caller);
}

}  // namespace postern::app
