#include "store/tables/acme_account.hpp"

namespace postern::store {

AcmeAccountRow AcmeAccountRow::from(const Row& row) {
    AcmeAccountRow a;
    a.id = row.id<AcmeAccountId>(0);
    a.token = row.text(1);
    a.endpoint = row.id<core::EndpointId>(2);
    a.account = row.id<core::AccountId>(3);
    a.thumbprint = row.text(4);
    a.jwk = row.text(5);
    a.status = row.text(6);
    a.contacts = row.text(7);
    a.binding = row.optional_text(8);
    a.terms = row.optional_text(9);
    a.created = row.time(10);
    a.updated = row.time(11);
    a.account_status = row.text(12);
    return a;
}

Values AcmeAccountRow::insert_values() const {
    return values(id, token, endpoint, account, thumbprint, jwk, status, contacts, binding, terms, created, updated);
}

}  // namespace postern::store
