#pragma once
#include <sys/types.h>

#include <cstdint>

namespace postern::bench {

/// User and system time of a process and its threads so far, in ms (resolution: one clock tick).
/// Throws std::runtime_error when there is no such process.
double cpu_ms(pid_t pid);
/// VmHWM in KiB.
std::uint64_t peak_memory_kib(pid_t pid);
/// Pins this process to one core; throws std::system_error when it may not.
void pin_to_core(unsigned core);

}  // namespace postern::bench
