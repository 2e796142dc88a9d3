#include "app/public_urls.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>

#include "app/fleet.hpp"
#include "store/tables/setting.hpp"

namespace postern::app {

namespace {

core::Task<std::string> setting(store::Database& db, std::string name, std::string first) {
    auto offer = store::values(name, first);
    store::Batch batch;
    batch.add(store::setting_insert, std::move(offer), store::Expect::any);
    const auto written = co_await db.write(std::move(batch));
    if (!written) throw std::runtime_error("cannot record setting " + name);
    auto key = store::values(name);
    const auto row = co_await store::read_one(db, store::setting_get, std::move(key));
    co_return row.value().text(0);
}

/// Asks the kernel; the socket is closed again, so a busy machine might take the port in between:
/// listening then fails with the port's number in the error.
std::uint16_t free_port(const std::string& host) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), "0", &hints, &found) != 0) throw std::runtime_error("no address: " + host);
    const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    char service[NI_MAXSERV] = {};
    const bool good = fd >= 0 && ::bind(fd, found->ai_addr, found->ai_addrlen) == 0 &&
                      ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) == 0 &&
                      ::getnameinfo(reinterpret_cast<sockaddr*>(&bound), size, nullptr, 0, service, sizeof service, NI_NUMERICSERV) == 0;
    const int error = errno;
    ::freeaddrinfo(found);
    if (fd >= 0) ::close(fd);
    if (!good) throw std::runtime_error("no free port on " + host + ": " + std::strerror(error));
    unsigned port = 0;
    std::from_chars(service, service + std::strlen(service), port);
    return static_cast<std::uint16_t>(port);
}

/// What is chosen is kept for good, so two listeners must not be given the same port.
std::uint16_t unused_port(const std::string& host, const Config& config) {
    for (;;) {
        const auto port = free_port(host);
        if (port != config.https.port && port != config.est.port && port != config.http.port && port != config.management.port) return port;
    }
}

core::Task<void> choose(store::Database& db, std::string name, Address& address, const Config& config) {
    if (address.port != 0) co_return;
    auto fresh = std::to_string(unused_port(address.host, config));
    const auto kept = co_await setting(db, std::move(name), std::move(fresh));
    unsigned port = 0;
    std::from_chars(kept.data(), kept.data() + kept.size(), port);
    address.port = static_cast<std::uint16_t>(port);
}

core::Task<void> fix(store::Database& db, std::string name, std::string& url, std::string derived, observe::Log& log) {
    const auto first = url.empty() ? derived : url;
    auto kept = co_await setting(db, "public." + name, first);
    if (!url.empty() && kept != url)
        throw std::runtime_error("[public] " + name + " = \"" + url + "\", but this store was set up as \"" + kept +
                                 "\"; its URLs stand in accounts and certificates, so keep it");
    if (url.empty() && kept != derived)
        log.warning("public_url_kept", {{"which", name}, {"url", kept}, {"listening", derived}});
    url = std::move(kept);
}

}  // namespace

std::string public_host(const Address& address) {
    if (address.host != "0.0.0.0" && address.host != "::") return address.host;
    char name[256] = {};
    if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
    return name;
}

core::Task<void> choose_ports(store::Database& db, Config& config, std::string node) {
    const auto name = [&](const char* listener) { return own_setting(std::string("port.") + listener, config, node); };
    auto https = name("https"), est = name("est"), http = name("http"), management = name("management");
    co_await choose(db, std::move(https), config.https, config);
    co_await choose(db, std::move(est), config.est, config);
    co_await choose(db, std::move(http), config.http, config);
    co_await choose(db, std::move(management), config.management, config);
}

core::Task<void> fix_public_urls(store::Database& db, Config& config, std::string node, observe::Log& log) {
    co_await choose_ports(db, config, std::move(node));
    const auto url = [](std::string_view scheme, const Address& a) {
        auto out = std::string(scheme) + Address(public_host(a), a.port).authority();
        const std::string_view usual = scheme == "https://" ? ":443" : ":80";
        if (out.ends_with(usual)) out.resize(out.size() - usual.size());
        return out;
    };
    auto https = url("https://", config.https);
    co_await fix(db, "https", config.public_https, std::move(https), log);
    auto http = url("http://", config.http);
    co_await fix(db, "http", config.public_http, std::move(http), log);
    auto est = url("https://", config.est);
    co_await fix(db, "est", config.public_est, std::move(est), log);
}

}  // namespace postern::app
