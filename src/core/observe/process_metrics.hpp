#pragma once
#include <cstdint>
#include <optional>

/// What the kernel says about this process, for the process_* series.
namespace postern::observe {

struct ProcessFigures {
    double resident_bytes = 0;
    double virtual_bytes = 0;
    double cpu_seconds = 0;  ///< user and system, all threads
    double open_fds = 0;
    double max_fds = 0;
};

/// What the allocator says. mimalloc counts what it holds from the system, not what is in use; the C
/// library's allocator and a build of ours that counts (bench/heap_count.cpp, preloaded) do.
struct HeapFigures {
    std::optional<double> in_use_bytes;
    std::optional<double> committed_bytes;
};

ProcessFigures process_figures();
HeapFigures heap_figures();
/// Seconds since the Unix epoch; 0 where /proc does not say.
double process_start_seconds();

}  // namespace postern::observe
