#pragma once
#include <vector>

#include "tests/unit/acme/world.hpp"

namespace postern::test {

/// Sends all of them, each from its own coroutine, so that they are on their way together.
std::vector<Answer> all_at_once(World& world, std::vector<http::Request> requests);

}  // namespace postern::test
