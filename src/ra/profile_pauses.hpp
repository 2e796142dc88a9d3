#pragma once
#include <string>

#include "core/async/task.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "ra/catalog.hpp"
#include "ra/principals.hpp"
#include "store/batch.hpp"
#include "store/numbers.hpp"

/// A lint that refuses content of our own making says that the profile's template, or a record that it
/// draws from, is wrong. Until somebody has looked, the profile issues nothing.
namespace postern::ra {

/// Whether a backend's refusal pauses the profile: a lint's, and none that the request brought about.
bool pauses_profile(const core::Problem& problem) noexcept;

/// Adds the pause of that version of the profile to a batch that has no other purpose but its audit row.
/// The batch meets a conflict when the version is paused already.
void add_pause(store::Batch& batch, const Profile& profile, const core::Problem& problem, const core::RequestId& request,
               core::TimePoint now);

class ProfilePauses {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        CatalogSource& catalog;
        const core::Clock& clock;
    };
    explicit ProfilePauses(Deps deps) : deps_(deps) {}
    /// `tenant/name`. `not_found` for a profile that is not this principal's, `conflict` for one that is
    /// not paused.
    core::Task<core::Result<void>> resume(std::string profile, Principal by, core::RequestId request);

private:
    Deps deps_;
};

}  // namespace postern::ra
