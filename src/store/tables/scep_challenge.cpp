#include "store/tables/scep_challenge.hpp"

namespace postern::store {

ScepChallengeRow ScepChallengeRow::from(const Row& row) {
    ScepChallengeRow out;
    out.id = row.integer(0);
    out.token = row.text(1);
    out.tenant = row.id<core::TenantId>(2);
    out.endpoint = row.id<core::EndpointId>(3);
    out.account = row.id<core::AccountId>(4);
    out.digest = row.blob(5);
    out.bound = row.boolean(6);
    out.profile = row.text(7);
    out.subject = row.text(8);
    out.names = row.text(9);
    out.key_type = row.text(10);
    out.status = row.text(11);
    out.created = row.time(12);
    out.expires = row.time(13);
    out.actor_kind = row.text(14);
    out.actor = row.text(15);
    return out;
}

Values ScepChallengeRow::insert_values() const {
    return values(id, token, tenant, endpoint, account, digest, bound, profile, subject, names, key_type, status, created, expires, actor_kind, actor);
}

}  // namespace postern::store
