#include "app/host_lookup.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <stdexcept>

namespace postern::app {

std::string resolve_host(const std::string& host) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int e = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); e != 0)
        throw std::runtime_error("cannot resolve " + host + ": " + ::gai_strerror(e));
    char text[NI_MAXHOST] = {};
    const int e = ::getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
    ::freeaddrinfo(found);
    if (e != 0) throw std::runtime_error("cannot read the address of " + host);
    return text;
}

}  // namespace postern::app
