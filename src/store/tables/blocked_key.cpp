#include "store/tables/blocked_key.hpp"

namespace postern::store {

BlockedKeyRow BlockedKeyRow::from(const Row& row) {
    BlockedKeyRow out;
    out.digest = row.blob(0);
    out.reason = row.text(1);
    out.source = row.text(2);
    out.audit = row.integer(3);
    out.created = row.time(4);
    return out;
}

Values BlockedKeyRow::insert_values() const { return values(digest, reason, source, audit, created); }

}  // namespace postern::store
