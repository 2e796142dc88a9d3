#pragma once
#include <map>
#include <string>
#include <string_view>

#include "app/config.hpp"

/// What a service manager gives and wants to know (systemd's sd_listen_fds and sd_notify). Where
/// there is none, nothing happens.
namespace postern::app {

/// Listening sockets handed over, by their FileDescriptorName. Throws std::runtime_error for a name
/// that is no listener of ours and for one given twice. Asks once: later calls give nothing.
std::map<std::string, int> handed_over_sockets();

/// Takes each one's real address over into `config`, which is what URLs are derived from. Throws
/// std::runtime_error for what is no listening TCP socket.
void adopt_sockets(const std::map<std::string, int>& sockets, Config& config);

/// One state, such as "READY=1" or "STOPPING=1".
void tell_service_manager(const std::string& state);

}  // namespace postern::app
