#pragma once
#include <functional>
#include <string>

#include "azure/trouble.hpp"
#include "core/async/cpu_pool.hpp"
#include "core/async/task_group.hpp"
#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/crypto/sealer.hpp"
#include "core/http/outbound.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"

namespace postern::azure {

/// What the client stands on.
struct ClientDeps {
    http::Outbound& outbound;
    const crypto::Sealer& sealer;
    core::CpuPool& pool;          ///< signatures of certificate credentials
    core::TaskGroup& tasks;       ///< token and discovery calls that outlive who asked first
    core::Executor home;          ///< one thread: all state of the client lives on it
    core::Random& random;
    const core::Clock& clock;
    observe::Log& log;
    observe::Metrics& metrics;
    std::string caller;           ///< callerInfo: product and version
    std::function<core::Task<void>(std::chrono::milliseconds)> sleep;  ///< between tries: core::sleep_for, or a test's
};

/// How long what asking again does not change is remembered, so that a fleet's requests are no hail on Entra or Graph.
inline constexpr std::chrono::seconds remembered{60};
inline constexpr unsigned most_tries = 3;
/// Before the second and third try: half a second, a second, each 75 to 125 %.
std::chrono::milliseconds pause_before(unsigned next_try, core::Random& random);
/// The pause that fits what a service said and the deadline; nullopt: no time, or no use, for another try.
std::optional<std::chrono::milliseconds> next_pause(unsigned tries, const Failure& why, core::Random& random, core::Deadline deadline);

}  // namespace postern::azure
