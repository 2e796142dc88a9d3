#include "ra/single_use.hpp"

namespace postern::ra {

void reserve_credential(store::Batch& batch, const SingleUse& use, core::EndpointId endpoint, core::Bytes spki_sha256, core::EnrollmentId enrollment) {
    store::CredentialUseRow row;
    row.endpoint = endpoint;
    row.digest = use.digest;
    row.spki_sha256 = std::move(spki_sha256);
    row.enrollment = enrollment;
    row.state = "reserved";
    row.kept_until = use.kept_until;
    batch.add(store::credential_use_reserve, row.insert_values());
}

void consume_credential(store::Batch& batch, core::EnrollmentId enrollment, bool certain) {
    batch.add(store::credential_use_consume, store::values(enrollment), certain ? store::Expect::one : store::Expect::any);
}

void release_credential(store::Batch& batch, core::EnrollmentId enrollment) {
    batch.add(store::credential_use_release, store::values(enrollment), store::Expect::any);
}

}  // namespace postern::ra
