#include "store/tables/outbox.hpp"

namespace postern::store {

OutboxRow OutboxRow::from(const Row& row) {
    OutboxRow m;
    m.id = row.text(0);
    m.kind = row.text(1);
    m.body = row.text(2);
    m.fence = row.integer(3);
    m.failures = row.integer(4);
    return m;
}

OutboxEntry OutboxEntry::from(const Row& row) {
    OutboxEntry m;
    m.id = row.text(0);
    m.kind = row.text(1);
    m.body = row.text(2);
    m.failures = row.integer(3);
    m.last_error = row.optional_text(4).value_or("");
    m.created = row.time(5);
    return m;
}

}  // namespace postern::store
