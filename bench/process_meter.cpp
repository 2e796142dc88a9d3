#include "bench/process_meter.hpp"

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace postern::bench {
namespace {
std::ifstream open_proc(pid_t pid, const char* file) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/" + file);
    if (!in) throw std::runtime_error("no process " + std::to_string(pid) + " to measure: did the server end?");
    return in;
}
}  // namespace

double cpu_ms(pid_t pid) {
    auto in = open_proc(pid, "stat");
    std::string line;
    std::getline(in, line);
    // The second field is the name in parentheses, which may itself hold spaces.
    std::istringstream fields(line.substr(line.rfind(')') + 1));
    std::string skipped;
    for (int i = 3; i < 14; ++i) fields >> skipped;
    std::uint64_t user = 0, system = 0;
    if (!(fields >> user >> system)) throw std::runtime_error("/proc/PID/stat is not as expected: " + line);
    return static_cast<double>(user + system) * 1000.0 / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::uint64_t peak_memory_kib(pid_t pid) {
    auto in = open_proc(pid, "status");
    std::string line;
    while (std::getline(in, line))
        if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6));
    throw std::runtime_error("/proc/PID/status has no VmHWM");
}

void pin_to_core(unsigned core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (::sched_setaffinity(0, sizeof set, &set) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot pin to core " + std::to_string(core));
}

}  // namespace postern::bench
