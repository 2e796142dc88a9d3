#include "app/service.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <cstdlib>
#include <stdexcept>

namespace postern::app {

namespace {

Address address_of(const std::string& name, int fd) {
    if (::sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
        throw std::runtime_error("the socket " + name + " that the service manager gave is not listening for connections");
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) throw std::runtime_error("the socket " + name + " has no address");
    char text[INET6_ADDRSTRLEN] = {};
    if (bound.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(bound);
        ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
        return {text, ntohs(v4.sin_port)};
    }
    if (bound.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(bound);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
        return {text, ntohs(v6.sin6_port)};
    }
    throw std::runtime_error("the socket " + name + " that the service manager gave is not of TCP");
}

}  // namespace

std::map<std::string, int> handed_over_sockets() {
    char** names = nullptr;
    const int count = ::sd_listen_fds_with_names(1, &names);
    std::map<std::string, int> out;
    std::string wrong;
    for (int i = 0; i < count; ++i) {
        const std::string name = names[i];
        std::free(names[i]);
        if (name != "https" && name != "est" && name != "http" && name != "management")
            wrong = "is called \"" + name + "\"; FileDescriptorName must be https, est, http or management";
        else if (!out.emplace(name, SD_LISTEN_FDS_START + i).second)
            wrong = "is the second one called " + name;
    }
    std::free(names);
    if (!wrong.empty()) throw std::runtime_error("a socket that the service manager gave " + wrong);
    return out;
}

void adopt_sockets(const std::map<std::string, int>& sockets, Config& config) {
    const std::map<std::string, Address*> listeners{
        {"https", &config.https}, {"est", &config.est}, {"http", &config.http}, {"management", &config.management}};
    for (const auto& [name, fd] : sockets) *listeners.at(name) = address_of(name, fd);
}

void tell_service_manager(const std::string& state) { ::sd_notify(0, state.c_str()); }

}  // namespace postern::app
