#include "tests/unit/ra/world.hpp"

BOOST_AUTO_TEST_SUITE(ra_catalog)

using namespace postern;
using namespace postern::test;

BOOST_AUTO_TEST_CASE(a_refresh_shows_what_changed_and_old_pictures_stay) {
    World w;
    const auto empty = w.catalog.current();
    BOOST_TEST_REQUIRE(empty);
    BOOST_TEST(empty->tenants.empty());
    w.apply_standard();  // apply refreshes
    const auto now = w.catalog.current();
    BOOST_TEST(now->version > empty->version);
    BOOST_TEST(empty->tenants.empty());
    BOOST_TEST(now->tenants.size() == 1U);
    w.run(w.catalog.refresh());
    BOOST_TEST((w.catalog.current() == now));
}

BOOST_AUTO_TEST_CASE(another_node_sees_the_change_at_its_next_refresh) {
    World w;
    ra::CatalogSource other(w.db, w.log);
    BOOST_TEST(!other.current());
    w.run(other.refresh());
    w.apply_standard();
    BOOST_TEST(other.current()->tenants.empty());
    w.run(other.refresh());
    BOOST_TEST(other.current()->endpoint(ra::Protocol::acme, "web"));
    BOOST_TEST(!other.current()->endpoint(ra::Protocol::est, "web"));
    BOOST_TEST(!other.current()->endpoint(ra::Protocol::acme, "gone"));
    BOOST_TEST(!other.current()->tenant("gone"));
}

BOOST_AUTO_TEST_CASE(an_object_that_cannot_be_read_does_not_exist) {
    static constexpr store::Statement spoil{"test_spoil", "UPDATE profile SET body = '{\"lifetime\":\"soon\"}'"};
    World w;
    w.apply_standard();
    w.execute(spoil);
    ra::CatalogSource fresh(w.db, w.log);
    w.run(fresh.refresh());
    BOOST_TEST(fresh.current()->profiles.empty());
    BOOST_TEST(fresh.current()->endpoints.size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_closest_domain_governs) {
    ra::Catalog c;
    const core::TenantId tenant(1), other(2);
    const auto add = [&](std::string name, core::TenantId of) {
        ra::Domain d;
        d.tenant = of;
        d.name = std::move(name);
        c.domains.push_back(d);
    };
    add("example.com", tenant);
    add("lab.example.com", tenant);
    add("example.org", other);
    const auto governs = [&](std::string_view name) {
        const auto* d = c.governing_domain(tenant, name);
        return d ? d->name : std::string("nobody");
    };
    BOOST_TEST(governs("example.com") == "example.com");
    BOOST_TEST(governs("www.example.com") == "example.com");
    BOOST_TEST(governs("lab.example.com") == "lab.example.com");
    BOOST_TEST(governs("a.b.lab.example.com") == "lab.example.com");
    BOOST_TEST(governs("*.lab.example.com") == "lab.example.com");
    BOOST_TEST(governs("xexample.com") == "nobody");
    BOOST_TEST(governs("com") == "nobody");
    BOOST_TEST(governs("www.example.org") == "nobody");
}

BOOST_AUTO_TEST_CASE(evidence_comes_back_as_it_was_stored) {
    const auto at = core::from_ms(1'800'000'000'123);
    std::vector<ra::Evidence> evidence;
    evidence.push_back(ra::Evidence::of(ra::Evidence::Kind::account_key, "thumb\"print", at));
    evidence.push_back(ra::Evidence::validated("ip", "2001:db8::1", "tls-alpn-01", at, at + 1h));
    const auto back = ra::evidence_from_json(ra::to_json(evidence));
    BOOST_TEST_REQUIRE(back.size() == 2U);
    BOOST_TEST((back[0].kind == ra::Evidence::Kind::account_key && back[0].subject == "thumb\"print" && back[0].at == at));
    BOOST_TEST((back[1].kind == ra::Evidence::Kind::validated_name && back[1].identifier == "2001:db8::1" && back[1].until == at + 1h));
    BOOST_TEST(back[1].identifier_type + " " + back[1].method == "ip tls-alpn-01");
    BOOST_CHECK_THROW(ra::evidence_from_json("["), std::logic_error);
}

BOOST_AUTO_TEST_SUITE_END()
