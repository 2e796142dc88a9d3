#pragma once
#include <string>

#include "core/base/ids.hpp"
#include "store/statement.hpp"
#include "store/value.hpp"

namespace postern::store {

/// One row of `profile_pause`.
struct ProfilePauseRow {
    ProfilePauseRow() = default;
    core::ProfileId profile;
    std::int64_t version = 0;  ///< of the profile; a later one is not paused
    std::string check, detail;
    core::RequestId request;   ///< whose content offended
    core::TimePoint since{};

    static ProfilePauseRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

#define POSTERN_PROFILE_PAUSE_COLUMNS "profile_id, profile_version, check_name, detail, request_id, since_ms"

/// Replaces the pause of an earlier version; the first offence of a version stays. One row changed, or
/// somebody paused this version before.
inline constexpr Statement profile_pause_put{
    "profile_pause_put",
    "INSERT INTO profile_pause (" POSTERN_PROFILE_PAUSE_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT (profile_id) DO UPDATE SET profile_version = excluded.profile_version, check_name = excluded.check_name, "
    "detail = excluded.detail, request_id = excluded.request_id, since_ms = excluded.since_ms "
    "WHERE profile_pause.profile_version < excluded.profile_version"};
inline constexpr Statement profile_pause_all{
    "profile_pause_all",
    "SELECT " POSTERN_PROFILE_PAUSE_COLUMNS " FROM profile_pause WHERE profile_id > $1 ORDER BY profile_id LIMIT 500"};
/// $1 profile, $2 the version that is paused
inline constexpr Statement profile_pause_remove{
    "profile_pause_remove", "DELETE FROM profile_pause WHERE profile_id = $1 AND profile_version = $2"};

}  // namespace postern::store
