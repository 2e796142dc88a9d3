#pragma once
#include <array>
#include <string_view>

#include "core/async/task.hpp"

namespace postern::core {

/// The places of an issuance where a fault is tried, in the order in which they are passed; those of Intune's requests
/// by these alone.
inline constexpr std::array<std::string_view, 11> fail_points{
    "intune_validated", "authorised", "linted", "intent_committed", "sent", "signed", "checked",
    "outcome_committed", "intune_notified", "reply_half_sent", "outbox_sent"};

/// Marks one of them. The shipped executable links an empty body; postern-faulty links one that
/// obeys POSTERN_FAIL: it may end the process, let it stand still, throw, or never return.
Task<void> fail_point(std::string_view name);

/// Whether a fault is planned there at all, for a place that must prepare itself for it. Always
/// false in the shipped executable.
[[nodiscard]] bool fail_point_armed(std::string_view name) noexcept;

}  // namespace postern::core
