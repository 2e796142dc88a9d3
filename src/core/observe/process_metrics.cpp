#include "core/observe/process_metrics.hpp"

#include <dirent.h>
#include <dlfcn.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

namespace postern::observe {
namespace {

double open_descriptors() {
    struct Close {
        void operator()(DIR* dir) const noexcept { ::closedir(dir); }
    };
    const std::unique_ptr<DIR, Close> dir(::opendir("/proc/self/fd"));
    if (!dir) return 0;
    double count = -1;  // the folder's own descriptor
    while (const dirent* entry = ::readdir(dir.get())) {
        if (entry->d_name[0] != '.') ++count;
    }
    return count;
}

}  // namespace

ProcessFigures process_figures() {
    ProcessFigures figures;
    const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
    std::ifstream statm("/proc/self/statm");
    double total = 0;
    double resident = 0;
    if (statm >> total >> resident) {
        figures.virtual_bytes = total * page;
        figures.resident_bytes = resident * page;
    }
    timespec cpu{};
    if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0) {
        figures.cpu_seconds = static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) / 1e9;
    }
    figures.open_fds = open_descriptors();
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) figures.max_fds = static_cast<double>(limit.rlim_cur);
    return figures;
}

namespace {

/// A function of whatever allocator was linked or preloaded; null where it has none of that name.
template <class Function>
Function* of_allocator(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_DEFAULT, name));
}

}  // namespace

HeapFigures heap_figures() {
    using Counted = long long();
    using ProcessInfo = void(std::size_t*, std::size_t*, std::size_t*, std::size_t*, std::size_t*, std::size_t*, std::size_t*, std::size_t*);
    static Counted* const counted = of_allocator<Counted>("postern_heap_in_use");
    static ProcessInfo* const mimalloc = of_allocator<ProcessInfo>("mi_process_info");
    HeapFigures figures;
    if (mimalloc != nullptr) {
        std::size_t committed = 0;
        mimalloc(nullptr, nullptr, nullptr, nullptr, nullptr, &committed, nullptr, nullptr);
        figures.committed_bytes = static_cast<double>(committed);
    } else if (const auto info = ::mallinfo2(); info.uordblks > 0) {
        figures.in_use_bytes = static_cast<double>(info.uordblks + info.hblkhd);
    }
    if (counted != nullptr) figures.in_use_bytes = static_cast<double>(counted());
    return figures;
}

double process_start_seconds() {
    std::ifstream stat("/proc/self/stat");
    std::string text;
    std::getline(stat, text);
    // The second field is the command's name and may hold spaces: count from behind its bracket.
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos) return 0;
    std::istringstream fields(text.substr(name_end + 1));
    std::string skipped;
    for (int field = 3; field < 22; ++field) fields >> skipped;
    double ticks = 0;
    if (!(fields >> ticks)) return 0;
    std::ifstream system("/proc/stat");
    for (std::string word; system >> word;) {
        double boot = 0;
        if (word == "btime" && system >> boot) return boot + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
    }
    return 0;
}

}  // namespace postern::observe
