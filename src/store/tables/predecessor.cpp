#include "store/tables/predecessor.hpp"

namespace postern::store {

PredecessorRow PredecessorRow::from(const Row& row) {
    PredecessorRow p;
    p.id = row.id<PredecessorId>(0);
    p.tenant = row.id<core::TenantId>(1);
    p.name = row.text(2);
    p.crl_url = row.text(3);
    p.ocsp_url = row.text(4);
    p.crl_file = row.integer(5) != 0;
    p.created = row.time(6);
    p.updated = row.time(7);
    p.updated_by = row.text(8);
    return p;
}

Values PredecessorRow::insert_values() const { return values(id, tenant, name, crl_url, ocsp_url, created, updated, updated_by); }

}  // namespace postern::store
