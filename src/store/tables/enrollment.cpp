#include "store/tables/enrollment.hpp"

namespace postern::store {

namespace {
template <class Id>
std::optional<Id> optional_id(const Row& row, std::size_t i) {
    const auto n = row.optional_integer(i);
    return n ? std::optional<Id>(Id(*n)) : std::nullopt;
}
}  // namespace

EnrollmentRow EnrollmentRow::from(const Row& row) {
    EnrollmentRow e;
    e.id = row.id<core::EnrollmentId>(0);
    e.request = core::RequestId(row.text(1));
    e.tenant = row.id<core::TenantId>(2);
    e.organization = optional_id<core::OrganizationId>(row, 3);
    e.department = optional_id<core::DepartmentId>(row, 4);
    e.endpoint = row.id<core::EndpointId>(5);
    e.account = row.id<core::AccountId>(6);
    e.profile = row.id<core::ProfileId>(7);
    e.profile_version = row.integer(8);
    e.protocol = row.text(9);
    e.requester = row.text(10);
    e.status = row.text(11);
    e.pending_reason = row.text(12);
    e.attempt_key = row.blob(13);
    e.attempt_bound = row.boolean(14);
    e.attempt_count = row.integer(15);
    e.names = row.text(16);
    e.spki_sha256 = row.blob(17);
    e.csr = row.blob(18);
    e.content_hash = row.blob(19);
    e.evidence = row.text(20);
    e.backend = row.text(21);
    e.backend_handle = row.optional_text(22);
    e.withheld = row.boolean(23);
    if (!row.null(24)) e.issuer_key_id = row.text(24);
    if (!row.null(25)) e.serial = row.blob(25);
    if (!row.null(26)) e.tbs_sha256 = row.blob(26);
    e.not_before = row.time(27);
    e.not_after = row.time(28);
    e.problem = row.optional_text(29);
    e.created = row.time(30);
    e.updated = row.time(31);
    e.life = row.optional_integer(32);
    return e;
}

Values EnrollmentRow::insert_values() const {
    return values(id, request, tenant, organization, department, endpoint, account, profile, profile_version, protocol,
                  requester, status, pending_reason, attempt_key, attempt_bound, attempt_count, names, spki_sha256, csr,
                  content_hash, evidence, backend, backend_handle, withheld, issuer_key_id, serial, tbs_sha256,
                  not_before, not_after, problem, created, updated, life);
}

}  // namespace postern::store
