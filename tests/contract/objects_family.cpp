#include "store/tables/clock.hpp"
#include "store/tables/turn.hpp"
#include "store/tables/audit.hpp"
#include "store/tables/objects.hpp"
#include "store/tables/principal.hpp"
#include "store/tables/setting.hpp"
#include "tests/contract/store.hpp"

namespace postern::contract {

using store::values;

void configuration_objects(Store& s) {
    s.add_objects();
    const auto id_of = [](const store::Row& row) { return row.integer(0); };
    struct Kind {
        const store::ObjectStatements& statements;
        std::int64_t id;
        store::Values keys;
    };
    // Children before parents, so that each can go.
    const Kind kinds[] = {
        {store::account_statements, 7, values(6, nullptr, nullptr, "open", nullptr, nullptr)},
        {store::endpoint_statements, 6, values("acme")},
        {store::azure_account_statements, 9, values(core::Bytes(20, 3), nullptr)},
        {store::backend_statements, 8, {}}, {store::profile_statements, 5, {}},
        {store::domain_statements, 4, values(nullptr)},
        {store::department_statements, 3, values(2)},
        {store::organization_statements, 2, {}},
        {store::tenant_statements, 1, {}},
    };
    for (const auto& kind : kinds) BOOST_TEST_CONTEXT(kind.statements.kind) {
        const auto before = s.one(kind.statements.all, values(0));
        BOOST_TEST(id_of(before) == kind.id);
        BOOST_TEST(s.read(kind.statements.all, values(kind.id)).empty());

        const auto update = [&](std::int64_t version) {
            auto v = values(kind.id, version, "disabled", R"({"description":"new"})", later, "somebody");
            v.insert(v.end(), kind.keys.begin(), kind.keys.end());
            return v;
        };
        s.misses(kind.statements.update, update(2));
        s.does(kind.statements.update, update(1));
        const auto row = store::ObjectRow::from(s.one(kind.statements.all, values(0)));
        BOOST_TEST(row.version == 2);
        BOOST_TEST(row.status == "disabled");
        BOOST_TEST(row.body == R"({"description":"new"})");
        BOOST_TEST(row.updated_by == "somebody");
        BOOST_TEST((row.created == now && row.updated == later));
        BOOST_TEST((row.keys == kind.keys));

        s.misses(kind.statements.remove, values(kind.id, 1));
        s.does(kind.statements.remove, values(kind.id, 2));
        BOOST_TEST(s.read(kind.statements.all, values(0)).empty());
    }
}

void configuration_references(Store& s) {
    s.add_objects();
    s.duplicates(store::tenant_insert, values(101, 101, "default", "active", 1, "{}", now, now, "test"));
    s.duplicates(store::profile_insert, values(102, 1, "server", "active", 1, "{}", now, now, "test"));
    s.duplicates(store::endpoint_insert, values(103, 1, "web", "active", 1, "{}", now, now, "test", "acme"));
    s.duplicates(store::account_insert, values(104, 1, "other", "active", 1, "{}", now, now, "test", 6, nullptr, nullptr, "eab", "kid-1", nullptr));
    s.duplicates(store::azure_account_insert, values(106, 1, "corp", "active", 1, "{}", now, now, "test", core::Bytes(20, 3), nullptr));
    s.is_referenced(store::azure_account_insert, values(107, 99, "corp", "active", 1, "{}", now, now, "test", core::Bytes(20, 3), nullptr));
    s.is_referenced(store::department_insert, values(105, 1, "lost", "active", 1, "{}", now, now, "test", 99));
    s.is_referenced(store::organization_remove, values(2, 1));
    s.is_referenced(store::endpoint_remove, values(6, 1));

    s.does(store::account_insert, values(8, 1, "everyone", "active", 1, "{}", now, now, "test", 6, nullptr, nullptr, "open", nullptr, nullptr));
    s.duplicates(store::account_insert, values(9, 1, "all", "active", 1, "{}", now, now, "test", 6, nullptr, nullptr, "open", nullptr, nullptr));
    const auto by_id = store::ObjectRow::from(s.one(store::account_by_id, values(7)));
    BOOST_TEST(by_id.name == "team");
    BOOST_TEST((by_id.keys == values(6, 2, 3, "eab", "kid-1", core::Bytes(40, 1))));
    BOOST_TEST(s.one(store::account_by_public_id, values(6, "kid-1")).integer(0) == 7);
    BOOST_TEST(s.read(store::account_by_public_id, values(99, "kid-1")).empty());
    BOOST_TEST(s.one(store::account_by_name, values("team", nullptr, nullptr)).integer(0) == 7);
    BOOST_TEST(s.one(store::account_by_name, values("team", nullptr, "default")).integer(0) == 7);
    BOOST_TEST(s.read(store::account_by_name, values("team", nullptr, "another")).empty());
    BOOST_TEST(s.read(store::account_by_name, values("team", 99, nullptr)).empty());
    BOOST_TEST(s.one(store::account_open, values(6)).integer(0) == 8);
    BOOST_TEST(s.one(store::account_by_method, values(6, "eab")).integer(0) == 7);
    BOOST_TEST(s.read(store::account_by_method, values(6, "system")).empty());

    const auto version = s.one(store::configuration_version).integer(0);
    s.misses(store::configuration_advance, values(version + 1));
    s.does(store::configuration_advance, values(version));
    BOOST_TEST(s.one(store::configuration_version).integer(0) == version + 1);
    s.misses(store::configuration_advance, values(version));
}

void principals_and_settings(Store& s) {
    s.add_objects();
    const core::Bytes hash(32, 1), other(32, 2);
    s.does(store::principal_insert, values(1, 1, "robot", "officer", hash, later, now, "uid 0"));
    s.does(store::principal_insert, values(2, nullptr, "chief", "administrator", other, nullptr, now, "uid 0"));
    const auto robot = s.one(store::principal_by_token, values(hash));
    BOOST_TEST(robot.text(0) + " " + robot.text(1) == "robot officer");
    BOOST_TEST((robot.optional_integer(2) == std::int64_t{1} && robot.optional_time(3) == later));
    const auto chief = s.one(store::principal_by_token, values(other));
    BOOST_TEST((chief.null(2) && chief.null(3)));
    BOOST_TEST(s.read(store::principal_by_token, values(core::Bytes(32, 3))).empty());
    BOOST_TEST(s.read(store::principal_page, values(0, nullptr)).size() == 2U);
    BOOST_TEST(s.read(store::principal_page, values(1, nullptr)).size() == 1U);
    BOOST_TEST(s.one(store::principal_page, values(0, 1)).text(2) == "robot");
    BOOST_TEST(s.one(store::principal_by_name, values("chief", nullptr)).text(2) == "active");
    BOOST_TEST(s.read(store::principal_by_name, values("chief", 1)).empty());
    s.does(store::principal_status, values(2, "active", "disabled"));
    s.misses(store::principal_status, values(2, "active", "disabled"));
    BOOST_TEST(s.read(store::principal_by_token, values(other)).empty());
    s.does(store::principal_status, values(2, "disabled", "active"));
    s.duplicates(store::principal_insert, values(3, nullptr, "robot", "auditor", core::Bytes(32, 4), nullptr, now, "uid 0"));
    s.duplicates(store::principal_insert, values(4, nullptr, "copy", "auditor", hash, nullptr, now, "uid 0"));
    s.is_referenced(store::principal_insert, values(5, 99, "lost", "auditor", core::Bytes(32, 5), nullptr, now, "uid 0"));

    s.any(store::configuration_turn, {});
    // A server's clock runs on its own; SQLite has that of this process.
    const auto clock = s.one(store::store_clock);
    BOOST_TEST(clock.null(0) == (s.database().engine() == "sqlite"));
    if (!clock.null(0)) BOOST_TEST(clock.integer(0) > 1'700'000'000'000);
    s.does(store::setting_insert, values("port.https", "8443"));
    s.any(store::setting_insert, values("port.https", "9999"));  // the first writer wins
    BOOST_TEST(s.one(store::setting_get, values("port.https")).text(0) == "8443");
    s.does(store::setting_update, values("port.https", "443"));
    BOOST_TEST(s.one(store::setting_get, values("port.https")).text(0) == "443");
    s.misses(store::setting_update, values("port.none", "1"));
    BOOST_TEST(s.read(store::setting_get, values("port.none")).empty());
    BOOST_TEST(s.one(store::setting_any).text(0) == "port.https");
    s.does(store::setting_remove, values("port.https"));
    s.misses(store::setting_remove, values("port.https"));
    BOOST_TEST(s.read(store::setting_any).empty());
}

void audit_records(Store& s) {
    const auto record = [](int id, store::Value tenant, std::string_view request, std::string_view object) {
        auto v = values(id, now, nullptr, request, "principal", "robot", "certificate.revoked", "enrollment", object, "done", "", R"({"reason":4})");
        v.at(2) = std::move(tenant);
        return v;
    };
    s.does(store::audit_insert, record(2, std::int64_t{1}, "request-a", "11"));
    s.does(store::audit_insert, record(1, std::int64_t{1}, "request-a", "12"));
    s.does(store::audit_insert, record(3, std::int64_t{2}, "request-a", "11"));
    auto newest = record(4, std::monostate{}, "request-b", "13");
    newest.at(1) = values(now + std::chrono::minutes(1)).at(0);
    s.does(store::audit_insert, std::move(newest));
    s.duplicates(store::audit_insert, record(4, std::monostate{}, "request-c", "14"));

    BOOST_TEST((s.one(store::audit_newest, values()).time(0) == now + std::chrono::minutes(1)));
    const auto all = s.read(store::audit_by_request, values("request-a", nullptr));
    BOOST_TEST_REQUIRE(all.size() == 3U);
    BOOST_TEST((all[0].integer(0) == 1 && all[1].integer(0) == 2 && all[2].integer(0) == 3));
    BOOST_TEST(all[0].text(11) == R"({"reason":4})");
    BOOST_TEST(s.read(store::audit_by_request, values("request-a", 1)).size() == 2U);
    BOOST_TEST(s.read(store::audit_by_request, values("request-b", 1)).empty());
    BOOST_TEST(s.one(store::audit_by_request, values("request-b", nullptr)).null(2));
    BOOST_TEST(s.read(store::audit_by_object, values("enrollment", "11", nullptr)).size() == 2U);
    BOOST_TEST(s.one(store::audit_by_object, values("enrollment", "11", 2)).integer(0) == 3);
    BOOST_TEST(s.read(store::audit_by_object, values("certificate", "11", nullptr)).empty());
    BOOST_TEST(s.read(store::audit_not_done_page, values(100, nullptr)).empty());
    s.does(store::audit_insert, values(9, now, 1, "request-c", "acme_account", "token", "order.refused", "acme_account", "token", "refused", "names.scope", "{}"));
    BOOST_TEST(s.one(store::audit_not_done_page, values(100, 1)).text(6) == "order.refused");
    BOOST_TEST(s.read(store::audit_not_done_page, values(100, 2)).empty());
    BOOST_TEST(s.read(store::audit_not_done_page, values(9, nullptr)).empty());
}

}  // namespace postern::contract
