#pragma once
#include <optional>
#include <string>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"

namespace postern::ra {

/// Which device asks, and what is known of it; policy judges.
struct Device {
    Device() = default;
    std::string serial;              ///< empty: nothing says
    std::string manufacturer;        ///< the trust anchor's name; empty: a password vouched
    bool must_be_listed = false, listed = false;
    bool named_by_serial = false;    ///< it may be called by its serial number alone
    bool first_use = false;
    core::Bytes key;                 ///< SPKI SHA-256 of what it came with
    core::Bytes pinned;              ///< of what came first as this device; empty: it is the first
    core::TimePoint pinned_at{};
};

}  // namespace postern::ra
