#pragma once
#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace postern::test {

/// Stands between a client and a server's Unix socket and does what networks do: swallows one direction,
/// cuts, delivers late. Each call returns once it holds for all connections.
class Relay {
public:
    enum class Hold { nothing, requests, answers };

    explicit Relay(std::string server)
        : server_(std::move(server)), acceptor_(context_, {boost::asio::ip::address_v4::loopback(), 0}), thread_([this] { context_.run(); }) {
        here([this] { accept(); });
    }
    ~Relay() {
        context_.stop();
        thread_.join();
    }
    [[nodiscard]] unsigned short port() const { return acceptor_.local_endpoint().port(); }
    void hold(Hold what) {
        here([&] { hold_ = what; });
    }
    /// New connections are closed at once while this is set.
    void refuse(bool yes) {
        here([&] { refusing_ = yes; });
    }
    /// Ends every connection towards the client; the server does not notice.
    void cut() {
        here([&] {
            for (auto& pair : pairs_) {
                boost::system::error_code ignored;
                pair->client.close(ignored);
            }
        });
    }
    /// Hands the server what was held of requests, also of clients that are gone.
    void deliver() {
        here([&] {
            for (auto& pair : pairs_) {
                boost::system::error_code ignored;
                boost::asio::write(pair->server, boost::asio::buffer(pair->held), ignored);
                pair->held.clear();
            }
        });
    }
    /// Whether requests are held that end so: they come in pieces.
    [[nodiscard]] bool holds_to(std::string_view end) {
        bool out = false;
        here([&] {
            for (auto& pair : pairs_) out = out || pair->held.ends_with(end);
        });
        return out;
    }
    /// What the server answered to clients that are gone.
    [[nodiscard]] std::string late() {
        std::string out;
        here([&] { out = late_; });
        return out;
    }

private:
    struct Pair {
        explicit Pair(boost::asio::io_context& context) : client(context), server(context) {}
        boost::asio::ip::tcp::socket client;
        boost::asio::local::stream_protocol::socket server;
        std::array<char, 65536> up{}, down{};
        std::string held;
    };
    using PairPtr = std::shared_ptr<Pair>;

    template <class F>
    void here(F f) {
        std::promise<void> done;
        boost::asio::post(context_, [&] {
            f();
            done.set_value();
        });
        done.get_future().wait();
    }
    void accept() {
        auto pair = std::make_shared<Pair>(context_);
        acceptor_.async_accept(pair->client, [this, pair](const boost::system::error_code& e) {
            if (e) return;
            boost::system::error_code failed;
            if (!refusing_) pair->server.connect(boost::asio::local::stream_protocol::endpoint(server_), failed);
            if (refusing_ || failed) {
                pair->client.close(failed);
            } else {
                pairs_.push_back(pair);
                up(pair);
                down(pair);
            }
            accept();
        });
    }
    void up(const PairPtr& pair) {
        pair->client.async_read_some(boost::asio::buffer(pair->up), [this, pair](const boost::system::error_code& e, std::size_t n) {
            boost::system::error_code ignored;
            if (n > 0 && hold_ == Hold::requests) {
                pair->held.append(pair->up.data(), n);
            } else if (n > 0) {
                boost::asio::write(pair->server, boost::asio::buffer(pair->up, n), ignored);
            }
            if (!e) return up(pair);
            // A client that ends by itself takes the server's side along, unless it was cut.
            if (pair->client.is_open() && hold_ == Hold::nothing) pair->server.close(ignored);
        });
    }
    void down(const PairPtr& pair) {
        pair->server.async_read_some(boost::asio::buffer(pair->down), [this, pair](const boost::system::error_code& e, std::size_t n) {
            boost::system::error_code ignored;
            if (!pair->client.is_open()) late_.append(pair->down.data(), n);
            if (n > 0 && hold_ != Hold::answers) boost::asio::write(pair->client, boost::asio::buffer(pair->down, n), ignored);
            if (!e) return down(pair);
            pair->client.close(ignored);
        });
    }

    const std::string server_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
    boost::asio::ip::tcp::acceptor acceptor_;
    std::list<PairPtr> pairs_;
    Hold hold_ = Hold::nothing;
    bool refusing_ = false;
    std::string late_;
    std::thread thread_;
};

}  // namespace postern::test
