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
    a.binding_kid = row.optional_text(10);
    a.binding_once = row.boolean(11);
    a.created = row.time(12);
    a.updated = row.time(13);
    a.account_status = row.text(14);
    return a;
}

Values AcmeAccountRow::insert_values() const {
    return values(id, token, endpoint, account, thumbprint, jwk, status, contacts, binding, terms, binding_kid, binding_once, created,
                  updated);
}

}  // namespace postern::store
