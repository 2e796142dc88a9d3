#include "store/tables/credential_use.hpp"

namespace postern::store {

CredentialUseRow CredentialUseRow::from(const Row& row) {
    CredentialUseRow out;
    out.endpoint = row.id<core::EndpointId>(0);
    out.digest = row.blob(1);
    out.spki_sha256 = row.blob(2);
    out.enrollment = row.id<core::EnrollmentId>(3);
    out.state = row.text(4);
    out.kept_until = row.time(5);
    return out;
}

Values CredentialUseRow::insert_values() const { return values(endpoint, digest, spki_sha256, enrollment, state, kept_until); }

}  // namespace postern::store
