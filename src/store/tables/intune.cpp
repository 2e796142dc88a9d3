#include "store/tables/intune.hpp"

namespace postern::store {

IntuneRequestRow IntuneRequestRow::from(const Row& row) {
    IntuneRequestRow out;
    out.enrollment = row.id<core::EnrollmentId>(0);
    out.azure_account = row.integer(1);
    out.sealed = row.blob(2);
    return out;
}

IntuneRevocationRow IntuneRevocationRow::from(const Row& row) {
    IntuneRevocationRow out;
    out.azure_account = row.integer(0);
    out.context_sha256 = row.blob(1);
    out.context = row.text(2);
    out.serial = row.text(3);
    out.code = row.text(4);
    out.message = row.text(5);
    return out;
}

Values IntuneRevocationRow::insert_values(core::TimePoint created) const {
    return values(azure_account, context_sha256, context, serial, code, message, created);
}

}  // namespace postern::store
