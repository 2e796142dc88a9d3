#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "app/data_folder.hpp"
#include "app/doctor/doctor.hpp"
#include "core/dns/resolver.hpp"
#include "core/http/client.hpp"

namespace postern::app::doctor {

namespace {

constexpr auto patience = std::chrono::seconds(10);

/// What http-01 will meet: the resolver with this configuration, asked one question.
core::Task<core::Result<dns::Answer>> ask_resolver(const dns::ResolverConfig& config, std::string name) {
    const auto executor = co_await boost::asio::this_coro::executor;
    const auto resolver = dns::make_unbound_resolver(executor, config);
    auto answer = co_await resolver->lookup(std::move(name), dns::RecordType::a, core::deadline_in(patience));
    co_return answer;
}

std::string name_to_ask(const Patient& p) {
    if (!p.options.name.empty()) return p.options.name;
    auto host = p.database ? p.setting("public.https") : std::string();
    host = host.substr(std::min(host.size(), host.find("//") + 2));
    host = host.substr(0, host.rfind(':'));
    return host.find('.') != std::string::npos && crypto::canonical_ip(host).empty() ? host : "example.com";
}

void examine_dns(Patient& p) {
    const auto name = name_to_ask(p);
    const std::string advice = "see [dns] servers, and that this machine may ask them (UDP and TCP, port 53)";
    try {
        const auto answer = core::run_to_end(ask_resolver(p.config.dns, name));
        if (!answer) return p.findings.failed("dns.resolver", name + ": " + answer.error().detail, advice);
        p.findings.good("dns.resolver", name + " was answered");
        if (!p.config.dns.dnssec)
            p.findings.notice("dns.dnssec", "answers are not validated", "say [dns] dnssec = true unless the servers validate and the way to them is safe");
        else
            p.findings.good("dns.dnssec", answer->secure ? name + " is signed, and its signature was validated" : "validation is on; " + name + " is not signed, or no trust anchor covers it");
    } catch (const std::exception& e) {
        p.findings.failed("dns.resolver", e.what(), advice);
    }
}

/// Where this machine reaches a listener on every address.
std::string dialled(const Address& address) { return address.host == "0.0.0.0" ? "127.0.0.1" : address.host == "::" ? "::1" : address.host; }

/// What the listener answers to a GET of `path`: its status, or why none came.
std::string answer_of(http::Target target, std::string path, unsigned expected) {
    http::Request request;
    request.method = http::Method::get;
    request.path = request.target = std::move(path);
    const http::ClientLimits limits;
    const auto answer = core::run_to_end(http::fetch(std::move(target), std::move(request), limits, core::deadline_in(patience)));
    if (!answer) return answer.error().detail;
    return answer->status == expected ? "" : "status " + std::to_string(answer->status) + ", expected " + std::to_string(expected);
}

void examine_listener(Patient& p, const std::string& name, const Address& address, bool tls, const std::string& path, unsigned expected) {
    http::Target target;
    target.address = dialled(address);
    target.port = address.port;
    target.host = address.authority();
    target.tls = tls;
    std::error_code none;
    if (tls) {
        target.server_name = "localhost";
        target.verify = p.config.tls_certificate.empty();  // an operator's need not name this machine; keys.tls looked at it
        if (std::filesystem::exists(p.path("root.pem"), none)) target.ca_pem = read_file(p.path("root.pem"));
    }
    const auto why = answer_of(std::move(target), path, expected);
    p.findings.judge("listener." + name, why.empty() ? "" : address.authority() + ": " + why, address.authority() + " answers",
                     p.options.running ? "the server says that it listens there: see its log, what stands between, and restart it"
                                       : "the server does not say where it listens: give doctor the options and the file that it was started with, see its log, and restart it");
}

/// Whether a start could take it.
void examine_port(Patient& p, const std::string& name, const Address& address) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found) != 0) return;
    const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const bool taken = fd >= 0 && ::bind(fd, found->ai_addr, found->ai_addrlen) != 0;
    const int error = errno;
    ::freeaddrinfo(found);
    if (fd >= 0) ::close(fd);
    p.findings.judge("listener." + name, taken ? "a server could not listen on " + address.authority() + ": " + std::strerror(error) : "",
                     address.authority() + " is free", "end the program that listens there (ss -ltnp), or choose another address in [listen]");
}

void examine_listeners(Patient& p) {
    const auto& c = p.config;
    if (!p.server) {
        for (const auto& [name, address] : {std::pair("https", c.https), std::pair("est", c.est), std::pair("http", c.http), std::pair("management", c.management)})
            examine_port(p, name, address);
        return;
    }
    http::Target control;
    control.address = p.path("control.sock");
    control.host = "localhost";
    // The cheapest answer there is: that no reference was given.
    const auto why = answer_of(std::move(control), "/api/postern/v1/explain", 400);
    p.findings.judge("listener.control", why, "control.sock answers", "the process holds the folder and does not answer: see its log, and restart it");
    if (!p.options.running && why.empty()) {
        for (const auto* name : {"https", "est", "http", "management"})
            p.findings.notice(std::string("listener.") + name, "the server, of another version, does not say where it listens", "restart it on this version");
        return;
    }
    examine_listener(p, "https", c.https, true, "/ca/root.pem", 200);
    examine_listener(p, "est", c.est, true, "/api/postern/v1/export", 401);
    examine_listener(p, "http", c.http, false, "/ca/root.pem", 200);
    // A closed installation is not ready, and says so: store.restored is that finding.
    examine_listener(p, "management", c.management, false, "/readyz", p.closed ? 503 : 200);
}

/// Whether the kernel knows a way; nothing is sent. The addresses are those of a.root-servers.net.
bool has_way(int family, const char* address) {
    sockaddr_storage to{};
    socklen_t size = 0;
    if (family == AF_INET) {
        auto* in = reinterpret_cast<sockaddr_in*>(&to);
        in->sin_family = AF_INET;
        in->sin_port = htons(53);
        ::inet_pton(AF_INET, address, &in->sin_addr);
        size = sizeof *in;
    } else {
        auto* in = reinterpret_cast<sockaddr_in6*>(&to);
        in->sin6_family = AF_INET6;
        in->sin6_port = htons(53);
        ::inet_pton(AF_INET6, address, &in->sin6_addr);
        size = sizeof *in;
    }
    const int fd = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool way = fd >= 0 && ::connect(fd, reinterpret_cast<sockaddr*>(&to), size) == 0;
    if (fd >= 0) ::close(fd);
    return way;
}

void examine_outbound(Patient& p) {
    const bool four = has_way(AF_INET, "198.41.0.4"), six = has_way(AF_INET6, "2001:503:ba3e::2:30");
    const std::string advice = "validation asks the names' own hosts on port 80: give this machine a route to them";
    if (four || six) return p.findings.good("outbound.route", std::string(four && six ? "IPv4 and IPv6" : four ? "IPv4" : "IPv6"));
    if (p.config.lab) return p.findings.notice("outbound.route", "there is no way to public addresses", advice);
    p.findings.failed("outbound.route", "there is no way to public addresses", advice);
}

/// Why nobody there takes a connection; empty: somebody does.
std::string no_connection(const boost::urls::url_view& url) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* raw = nullptr;
    const std::string host(url.host_address()), port(url.port());
    if (const int failed = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &raw); failed != 0) return ::gai_strerror(failed);
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> found(raw, &::freeaddrinfo);
    std::string why;
    for (const auto* each = raw; each != nullptr; each = each->ai_next) {
        const int fd = ::socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const timeval limit{patience.count(), 0};
        if (fd >= 0) ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        const bool taken = fd >= 0 && ::connect(fd, each->ai_addr, each->ai_addrlen) == 0;
        why = taken ? "" : errno == EINPROGRESS ? "no answer in " + std::to_string(patience.count()) + " s" : std::strerror(errno);
        if (fd >= 0) ::close(fd);
        if (taken) break;
    }
    return why;
}

/// [outbound]: by which way Entra, Intune, webhooks and other CAs are reached. What the proxy lets through, and whether it
/// takes the password, only a call shows: `postern azure test`.
void examine_proxy(Patient& p) {
    const auto& c = p.config;
    const auto readable = [&](const std::string& check, const std::string& file) {
        if (!file.empty()) p.findings.judge(check, ::access(file.c_str(), R_OK) == 0 ? "" : file + ": " + std::strerror(errno), file + " can be read", "name a file in [outbound] that the server may read");
    };
    readable("outbound.ca_file", c.outbound_ca_file);
    if (c.outbound_proxy.empty()) return;
    readable("outbound.proxy_password_file", c.outbound_proxy_password_file);
    const auto url = boost::urls::parse_uri(c.outbound_proxy);
    const auto why = url ? no_connection(*url) : std::string("is no URL");
    std::string around;
    for (const auto& host : c.outbound_no_proxy) around += (around.empty() ? ", but not for " : ", ") + host;
    p.findings.judge("outbound.proxy", why.empty() ? "" : c.outbound_proxy + ": " + why, c.outbound_proxy + " takes connections" + around,
                     "check [outbound] proxy, and the firewall between this machine and it");
}

}  // namespace

void examine_network(Patient& p) {
    examine_dns(p);
    examine_listeners(p);
    examine_outbound(p);
    examine_proxy(p);
}

}  // namespace postern::app::doctor
