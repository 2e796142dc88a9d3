#pragma once
#include "core/async/task.hpp"

namespace postern::app {

class House;

/// Describes what a new installation has, as documents: the server's own endpoint and profile, and a
/// default tenant with one ACME endpoint (open to every name under --lab, else with one generated
/// account key). True when this was the first start.
core::Task<bool> describe_defaults(House& house);

}  // namespace postern::app
