// Compiled once a target, which POSTERN_FUZZ_TARGET names.
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/property.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        postern::fuzz::POSTERN_FUZZ_TARGET({data, size});
    } catch (const std::exception& e) {
        // libFuzzer writes the input down when the process aborts.
        std::fprintf(stderr, "BROKEN: %s\n", e.what());
        std::abort();
    }
    return 0;
}
