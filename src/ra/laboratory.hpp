#pragma once
#include <chrono>

#include "core/async/task.hpp"
#include "core/base/laboratory_clock.hpp"
#include "core/base/result.hpp"
#include "core/observe/log.hpp"
#include "ra/principals.hpp"
#include "store/database.hpp"
#include "store/numbers.hpp"

namespace postern::ra {

/// How far ahead this installation's laboratory clock is, as the store says; 0: it never was. Throws StoreUnavailable.
core::Task<std::chrono::milliseconds> laboratory_ahead(store::Database& db);

/// The laboratory's clock (design §11): an offset in the store that every node adds to its wall clock, so that expiry, renewal
/// and CRLs need no waiting. It is a fact of the installation from then on: what was dated in the future stays in the store.
class Laboratory {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        core::LaboratoryClock& clock;
        observe::Log& log;
    };
    /// Certificates must still have an end that can be written down.
    static constexpr std::chrono::hours most{24 * 365 * 50};

    explicit Laboratory(Deps deps) : deps_(deps) {}
    /// Takes over what the store says; true when that was news. At the start and then several times a second.
    core::Task<bool> follow();
    /// Sets the clock forward for all nodes, and here at once; the change's audit row has the earlier time. How far it is ahead
    /// from now on. Errors: malformed (not forward, or beyond `most`), conflict (several set it at the same time).
    core::Task<core::Result<std::chrono::milliseconds>> advance(std::chrono::milliseconds by, Actor actor, core::RequestId request);

private:
    bool take(std::chrono::milliseconds ahead);
    Deps deps_;
};

}  // namespace postern::ra
