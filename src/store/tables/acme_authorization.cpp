#include "store/tables/acme_authorization.hpp"

namespace postern::store {

namespace {
constexpr std::size_t challenge_columns = 12;
constexpr std::size_t authorization_columns = 12;
}  // namespace

AcmeAuthorizationRow AcmeAuthorizationRow::from(const Row& row, std::size_t first) {
    AcmeAuthorizationRow a;
    a.id = row.id<AcmeAuthorizationId>(first);
    a.token = row.text(first + 1);
    a.acme_account = row.id<AcmeAccountId>(first + 2);
    a.identifier_type = row.text(first + 3);
    a.identifier = row.text(first + 4);
    a.wildcard = row.boolean(first + 5);
    a.profile = row.text(first + 6);
    a.status = row.text(first + 7);
    a.expires = row.time(first + 8);
    a.created = row.time(first + 9);
    a.updated = row.time(first + 10);
    a.caa = row.optional_time(first + 11);
    return a;
}

Values AcmeAuthorizationRow::insert_values() const {
    return values(id, token, acme_account, identifier_type, identifier, wildcard, profile, status, expires, created,
                  updated);
}

AcmeChallengeRow AcmeChallengeRow::from(const Row& row) {
    AcmeChallengeRow c;
    c.id = row.id<AcmeChallengeId>(0);
    c.token = row.text(1);
    c.authorization = row.id<AcmeAuthorizationId>(2);
    c.type = row.text(3);
    c.status = row.text(4);
    c.validated = row.optional_time(5);
    c.error = row.optional_text(6);
    c.updated = row.time(7);
    c.attempts = row.integer(8);
    c.begun = row.optional_time(9);
    c.attempt_ends = row.optional_time(10);
    c.retry = row.optional_time(11);
    return c;
}

Values AcmeChallengeRow::insert_values() const {
    return values(id, token, authorization, type, status, validated, error, updated);
}

AcmeChallengeWork AcmeChallengeWork::from(const Row& row) {
    AcmeChallengeWork w;
    w.challenge = AcmeChallengeRow::from(row);
    w.authorization = AcmeAuthorizationRow::from(row, challenge_columns);
    constexpr std::size_t rest = challenge_columns + authorization_columns;
    w.endpoint = row.id<core::EndpointId>(rest);
    w.account_token = row.text(rest + 1);
    w.thumbprint = row.text(rest + 2);
    return w;
}

}  // namespace postern::store
