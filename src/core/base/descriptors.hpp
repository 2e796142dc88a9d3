#pragma once
#include <cstddef>

namespace postern::core {

/// What the process keeps for itself when `most` descriptors may be open: the store, the log, event
/// loops, outgoing calls.
constexpr std::size_t own_descriptors(std::size_t most) noexcept {
    constexpr std::size_t usual = 256;
    return most / 4 < usual ? most / 4 : usual;
}

/// How many descriptors the process may have open now (the soft limit).
std::size_t descriptor_limit() noexcept;
/// Raises the soft limit until `wanted` connections fit beside own_descriptors, as far as the hard one allows.
void raise_descriptor_limit(std::size_t wanted) noexcept;
/// False while an open or a socket would fail for want of a descriptor. To tell our own trouble from a
/// peer's after something failed that does not say why.
bool descriptor_left() noexcept;

}  // namespace postern::core
