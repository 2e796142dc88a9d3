#include "tests/contract/store.hpp"

#include "store/tables/acme_authorization.hpp"
#include "store/tables/acme_order.hpp"
#include "store/tables/certificate.hpp"
#include "store/tables/enrollment.hpp"
#include "store/tables/objects.hpp"

namespace postern::contract {

core::Task<store::Rows> RecordingDatabase::read(const store::Statement& statement, store::Values parameters) {
    auto rows = co_await inner_.read(statement, std::move(parameters));
    if (!rows.empty()) touched_.emplace(statement.name, &statement);
    co_return rows;
}

core::Task<store::Written> RecordingDatabase::write(store::Batch batch) {
    Touched names;
    for (const auto& step : batch.steps()) names.emplace(step.statement->name, step.statement);
    const auto written = co_await inner_.write(std::move(batch));
    if (written) touched_.merge(names);
    co_return written;
}

store::Row Store::one(const store::Statement& s, store::Values v) {
    auto rows = read(s, std::move(v));
    BOOST_TEST_REQUIRE(rows.size() == 1U, s.name << " gave " << rows.size() << " rows");
    return rows.front();
}

store::Written Store::write(const store::Statement& s, store::Values v, store::Expect expect) {
    store::Batch batch;
    batch.add(s, std::move(v), expect);
    return core::run_to_end(db_.write(std::move(batch)));
}

void Store::does(const store::Statement& s, store::Values v) {
    const auto written = write(s, std::move(v));
    BOOST_TEST_REQUIRE(written.has_value(), (written ? "" : to_string(written.error())));
}

void Store::any(const store::Statement& s, store::Values v) {
    const auto written = write(s, std::move(v), store::Expect::any);
    BOOST_TEST_REQUIRE(written.has_value(), (written ? "" : to_string(written.error())));
}

void Store::conflicts(const store::Statement& s, store::Values v, store::Conflict::Kind kind) {
    const auto written = write(s, std::move(v));
    BOOST_TEST_REQUIRE(!written.has_value(), s.name << " should have met a conflict");
    BOOST_TEST((written.error().kind == kind), to_string(written.error()));
    BOOST_TEST(written.error().statement->name == s.name);
}

void Store::add_objects() {
    using store::values;
    does(store::tenant_insert, values(1, 1, "default", "active", 1, "{}", now, now, "test"));
    does(store::organization_insert, values(2, 1, "acme", "active", 1, "{}", now, now, "test"));
    does(store::department_insert, values(3, 1, "it", "active", 1, "{}", now, now, "test", 2));
    does(store::domain_insert, values(4, 1, "corp.example", "active", 1, "{}", now, now, "test", 2));
    does(store::backend_insert, values(8, 1, "lab", "active", 1, "{}", now, now, "test"));
    does(store::profile_insert, values(5, 1, "server", "active", 1, "{}", now, now, "test"));
    does(store::azure_account_insert, values(9, 1, "corp", "active", 1, "{}", now, now, "test", core::Bytes(20, 3), core::Bytes(30, 4)));
    does(store::endpoint_insert, values(6, 1, "web", "active", 1, "{}", now, now, "test", "acme"));
    does(store::account_insert, values(7, 1, "team", "active", 1, "{}", now, now, "test", 6, 2, 3, "eab", "kid-1", core::Bytes(40, 1)));
}

void Store::add_enrollments() {
    store::EnrollmentRow e;
    e.id = core::EnrollmentId(11);
    e.request = core::RequestId("request000000011");
    e.tenant = core::TenantId(1);
    e.organization = core::OrganizationId(2);
    e.department = core::DepartmentId(3);
    e.endpoint = core::EndpointId(6);
    e.account = core::AccountId(7);
    e.profile = core::ProfileId(5);
    e.profile_version = 1;
    e.protocol = "acme";
    e.requester = "client";
    e.status = "issued";
    e.attempt_key = core::Bytes(32, 0x11);
    e.names = R"(["corp.example"])";
    e.spki_sha256 = core::Bytes(32, 0x55);
    e.csr = core::Bytes(5, 0x30);
    e.content_hash = core::Bytes(32, 0x66);
    e.evidence = "[]";
    e.backend = "builtin";
    e.issuer_key_id = "0bad";
    e.serial = core::Bytes(16, 0x11);
    e.tbs_sha256 = core::Bytes(32, 0x77);
    e.not_before = now;
    e.not_after = later;
    e.created = e.updated = now;
    does(store::enrollment_insert, e.insert_values());
    e.id = core::EnrollmentId(12);
    e.request = core::RequestId("request000000012");
    e.status = "submitted";
    e.life = 77;
    e.organization.reset();
    e.department.reset();
    e.attempt_key = core::Bytes(32, 0x12);
    e.serial = core::Bytes(16, 0x12);
    does(store::enrollment_insert, e.insert_values());

    store::CertificateRow c;
    c.id = core::CertificateId(21);
    c.token = "certificate-token-0021";
    c.enrollment = core::EnrollmentId(11);
    c.tenant = core::TenantId(1);
    c.endpoint = core::EndpointId(6);
    c.account = core::AccountId(7);
    c.backend = "builtin";
    c.issuer_key_id = "0bad";
    c.serial = core::Bytes(16, 0x11);
    c.sha256 = core::Bytes(32, 0x21);
    c.spki_sha256 = core::Bytes(32, 0x55);
    c.subject = "CN=corp.example";
    c.names = R"(["corp.example"])";
    c.status = "issued";
    c.not_before = now;
    c.not_after = later;
    c.der = core::Bytes(7, 0x30);
    c.created = now;
    does(store::certificate_insert, c.insert_values());
}

void Store::add_acme() {
    using store::values;
    store::AcmeAccountRow account;
    account.id = store::AcmeAccountId(31);
    account.token = "acme-account-token-031";
    account.endpoint = core::EndpointId(6);
    account.account = core::AccountId(7);
    account.thumbprint = "thumbprint";
    account.jwk = "{}";
    account.status = "valid";
    account.contacts = "[]";
    account.binding = "{}";
    account.created = account.updated = now;
    does(store::acme_account_insert, account.insert_values());

    store::AcmeOrderRow order;
    order.id = store::AcmeOrderId(41);
    order.token = "acme-order-token-00041";
    order.acme_account = account.id;
    order.status = "pending";
    order.identifiers = "[]";
    order.profile = "server";
    order.not_after = later;
    order.expires = later;
    order.created = order.updated = now;
    does(store::acme_order_insert, order.insert_values());

    for (const std::int64_t n : {1, 2}) {
        store::AcmeAuthorizationRow a;
        a.id = store::AcmeAuthorizationId(50 + n);
        a.token = "acme-authorization-05" + std::to_string(n);
        a.acme_account = account.id;
        a.identifier_type = "dns";
        a.identifier = n == 1 ? "corp.example" : "www.corp.example";
        a.wildcard = n == 2;
        a.profile = "server";
        a.status = "pending";
        a.expires = later;
        a.created = a.updated = now;
        does(store::acme_authorization_insert, a.insert_values());
        does(store::acme_order_link, values(order.id, n - 1, a.id));
        store::AcmeChallengeRow c;
        c.id = store::AcmeChallengeId(60 + n);
        c.token = "acme-challenge-tok-06" + std::to_string(n);
        c.authorization = a.id;
        c.type = n == 1 ? "http-01" : "dns-01";
        c.status = "pending";
        c.updated = now;
        does(store::acme_challenge_insert, c.insert_values());
    }
}

}  // namespace postern::contract
