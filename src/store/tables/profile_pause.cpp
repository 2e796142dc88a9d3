#include "store/tables/profile_pause.hpp"

namespace postern::store {

ProfilePauseRow ProfilePauseRow::from(const Row& row) {
    ProfilePauseRow out;
    out.profile = row.id<core::ProfileId>(0);
    out.version = row.integer(1);
    out.check = row.text(2);
    out.detail = row.text(3);
    out.request = core::RequestId(row.text(4));
    out.since = row.time(5);
    return out;
}

Values ProfilePauseRow::insert_values() const { return values(profile, version, check, detail, request, since); }

}  // namespace postern::store
