#pragma once
#include <cstdint>

/// What the kernel says about this process, for the process_* series.
namespace postern::observe {

struct ProcessFigures {
    double resident_bytes = 0;
    double virtual_bytes = 0;
    double cpu_seconds = 0;  ///< user and system, all threads
    double open_fds = 0;
    double max_fds = 0;
};

ProcessFigures process_figures();
/// Seconds since the Unix epoch; 0 where /proc does not say.
double process_start_seconds();

}  // namespace postern::observe
