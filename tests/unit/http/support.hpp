#pragma once
#include <functional>
#include <string>
#include <thread>

#include "core/async/shards.hpp"
#include "core/crypto/system_random.hpp"
#include "core/http/client.hpp"
#include "core/http/server.hpp"

struct ssl_st;
struct ssl_ctx_st;

/// Real sockets on loopback, for the tests of this folder.
namespace postern::test {

struct Identity {
    Identity() = default;
    std::string certificate_pem;
    std::string key_pem;
    core::Bytes certificate_der;
    [[nodiscard]] core::SecretText key() const { return core::SecretText(key_pem); }
};
/// A self-signed P-256 certificate for localhost and 127.0.0.1.
Identity make_identity(const std::string& common_name);

/// Reads one message from whatever `read` gives: "" is the end.
struct Message {
    Message() = default;
    unsigned status = 0;
    std::string head;
    std::string body;
    [[nodiscard]] bool has(const std::string& text) const { return head.find(text) != head.npos; }
};

/// A blocking client that sends exactly what it is told. Reads give up after some seconds.
class RawClient {
public:
    explicit RawClient(std::uint16_t port);
    explicit RawClient(const std::string& unix_path);
    virtual ~RawClient();
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    virtual void send(const std::string& bytes);
    void end_sending();
    /// Status 0 when the connection ended instead.
    Message read(bool head_request = false);
    /// True when the peer ended the connection (and nothing more came).
    bool at_end();
    [[nodiscard]] int fd() const { return fd_; }

protected:
    virtual std::string receive();

private:
    int fd_ = -1;
    std::string buffer_;
};

class RawTlsClient final : public RawClient {
public:
    /// `configure` may set versions, certificates and ALPN before the handshake.
    RawTlsClient(std::uint16_t port, const std::function<void(ssl_ctx_st*)>& configure = {});
    ~RawTlsClient() override;
    [[nodiscard]] bool connected() const { return connected_; }
    [[nodiscard]] core::Bytes server_certificate() const;
    [[nodiscard]] std::string version() const;
    [[nodiscard]] std::string alpn() const;
    [[nodiscard]] bool renegotiates();
    void send(const std::string& bytes) override;

protected:
    std::string receive() override;

private:
    ssl_ctx_st* ctx_ = nullptr;
    ssl_st* ssl_ = nullptr;
    bool connected_ = false;
};

/// A server with two shards and a log that can be read.
class TestServer {
public:
    explicit TestServer(http::ServerLimits limits = {});
    ~TestServer();

    std::uint16_t listen(std::shared_ptr<http::TlsContext> tls = nullptr);
    void stop(std::chrono::milliseconds limit = std::chrono::seconds(20));
    [[nodiscard]] std::string log_text() const;

    http::Router router;
    core::Shards shards{2};
    crypto::SystemRandom random;
    std::string log_path;
    observe::Log log;
    observe::Metrics metrics;
    http::Server server;

private:
    bool stopped_ = false;
};

http::Handler text_handler(std::string text);
/// Answers with the body of the request.
core::Task<http::Response> echo(const http::Request& request);

/// Answers each connection in turn with fixed bytes and closes it.
class ScriptedServer {
public:
    /// keep_open: waits for the client's end before closing.
    explicit ScriptedServer(std::vector<std::string> answers, bool keep_open = false);
    ~ScriptedServer();
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::string received() const { return received_; }
    void join();

private:
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::string received_;
    std::thread thread_;
};

}  // namespace postern::test
