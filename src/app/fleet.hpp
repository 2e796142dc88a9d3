#pragma once
#include <chrono>
#include <string>

#include "core/async/task.hpp"
#include "core/base/random.hpp"

namespace postern::app {

struct Config;
class House;

/// Names this node over its restarts. Where several nodes share the store, a name that was drawn for its
/// data folder (DATA/node): machines may have host name and path in common. Never that of two processes
/// at a time, which the folder's lock prevents.
/// Without `random` no name is drawn: empty where there is none yet.
std::string node_name(const Config& config, core::Random* random);
/// What a setting of this node alone is called, in a store that others may share.
std::string own_setting(std::string name, const Config& config, const std::string& node);

/// What other nodes change is seen here within a second: configuration, the epoch of nonces, a restored
/// installation that was opened. What is held stays in use while the store is away. Until cancelled.
core::Task<void> follow_changes(House& house);

/// Makes the attempts at challenges that are due, on every node: which of them makes one is settled in the store. Until cancelled.
core::Task<void> keep_attempting(House& house);

/// Several nodes: tells the others that this one lives, and does its share of what one node at a time does.
/// Until cancelled.
core::Task<void> keep_node(House& house);

}  // namespace postern::app
