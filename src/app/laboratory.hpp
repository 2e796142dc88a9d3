#pragma once
#include "core/async/task.hpp"

namespace postern::app {

class House;

/// Takes over the laboratory's clock before anything is dated. Throws std::runtime_error where a server starts without --lab on a
/// store whose clock was set forward.
core::Task<void> follow_laboratory_at_start(House& house);
/// The same while it runs: where others set it forward under a server without --lab, that one stops issuing.
core::Task<void> follow_laboratory(House& house);

}  // namespace postern::app
