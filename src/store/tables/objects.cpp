#include "store/tables/objects.hpp"

namespace postern::store {

ObjectRow ObjectRow::from(const Row& row) {
    ObjectRow o;
    o.id = row.integer(0);
    o.tenant_id = row.integer(1);
    o.name = row.text(2);
    o.status = row.text(3);
    o.version = row.integer(4);
    o.body = row.text(5);
    o.created = row.time(6);
    o.updated = row.time(7);
    o.updated_by = row.text(8);
    for (std::size_t i = 9; i < row.size(); ++i) o.keys.push_back(row.value(i));
    return o;
}

}  // namespace postern::store
