#include "core/base/bytes.hpp"

namespace postern::core {

bool equal_constant_time(BytesView a, BytesView b) noexcept {
    if (a.size() != b.size()) return false;
    // volatile: the compiler may not notice that the answer is settled before the last octet.
    volatile std::uint8_t difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
    return difference == 0;
}

}  // namespace postern::core
