#pragma once
#include <string>

#include "core/async/task.hpp"

namespace postern::app {

class House;

/// Names this node over its restarts. Where several nodes share the store, a name that was drawn for its
/// data folder (DATA/node): machines may have host name and path in common. Never that of two processes
/// at a time, which the folder's lock prevents.
std::string node_name(const House& house);

/// What other nodes change is seen here within a second: configuration, the epoch of nonces, a restored
/// installation that was opened. What is held stays in use while the store is away. Until cancelled.
core::Task<void> follow_changes(House& house);

/// Several nodes: tells the others that this one lives, and does its share of what one node at a time does.
/// Until cancelled.
core::Task<void> keep_node(House& house);

}  // namespace postern::app
