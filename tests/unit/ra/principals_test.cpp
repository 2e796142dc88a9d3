#include <unistd.h>

#include "tests/unit/ra/world.hpp"

BOOST_AUTO_TEST_SUITE(ra_principals)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {
core::Result<core::SecretText> create(World& w, std::string name, ra::Role role = ra::Role::officer,
                                      std::optional<core::TenantId> tenant = {}, std::optional<core::TimePoint> expires = {}) {
    return w.run(w.principals.create(std::move(name), role, tenant, expires, administrator(), core::RequestId("principalrequest")));
}
std::optional<ra::Principal> from(World& w, std::string token) { return w.run(w.principals.from_token(std::move(token))); }
}  // namespace

BOOST_AUTO_TEST_CASE(a_token_says_who_asks) {
    World w;
    w.apply_standard();
    const auto token = create(w, "robot", ra::Role::officer, w.tenant());
    BOOST_TEST_REQUIRE(token.has_value());
    BOOST_TEST(token->expose().starts_with("postern_"));
    BOOST_TEST(token->expose().size() == 51U);
    const auto p = from(w, token->expose());
    BOOST_TEST_REQUIRE(p.has_value());
    BOOST_TEST(p->name == "robot");
    BOOST_TEST((p->role == ra::Role::officer && p->tenant == w.tenant()));
    BOOST_TEST(p->actor.kind == "principal");
    const auto audits = w.audits("principal.created");
    BOOST_TEST_REQUIRE(audits.size() == 1U);
    BOOST_TEST(audits[0].text(5) == "robot");
    BOOST_TEST(audits[0].text(3) == R"({"role":"officer"})");
    BOOST_TEST(!contains(audits[0].text(3), token->expose()));
}

BOOST_AUTO_TEST_CASE(a_principal_without_tenant_is_every_tenants) {
    World w;
    const auto token = create(w, "chief", ra::Role::administrator);
    BOOST_TEST(!from(w, token->expose())->tenant.has_value());
}

BOOST_AUTO_TEST_CASE(tokens_that_are_nobodys_are_all_alike) {
    World w;
    const auto token = create(w, "robot");
    auto other = token->expose();
    other.back() = other.back() == 'A' ? 'B' : 'A';
    for (const auto& wrong : {std::string(), std::string("postern_"), other, token->expose().substr(8), token->expose() + "x", "postern_" + std::string(200, 'a')})
        BOOST_TEST(!from(w, wrong).has_value());
}

BOOST_AUTO_TEST_CASE(a_token_ends_at_its_time) {
    World w;
    const auto token = create(w, "robot", ra::Role::auditor, {}, w.clock.now() + 1h);
    BOOST_TEST(from(w, token->expose()).has_value());
    w.clock.advance(1h);
    BOOST_TEST(!from(w, token->expose()).has_value());
}

BOOST_AUTO_TEST_CASE(a_disabled_principal_is_nobody) {
    static constexpr store::Statement disable{"test_disable_principal", "UPDATE principal SET status = 'disabled'"};
    World w;
    const auto token = create(w, "robot");
    w.execute(disable);
    BOOST_TEST(!from(w, token->expose()).has_value());
}

BOOST_AUTO_TEST_CASE(a_name_is_taken_once) {
    World w;
    BOOST_TEST(create(w, "robot").has_value());
    check_refused(create(w, "robot"), ProblemKind::conflict, "a principal named robot exists already");
    BOOST_TEST(w.audits("principal.created").size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_stored_token_is_no_token) {
    static constexpr store::Statement hashes{"test_hashes", "SELECT token_hash FROM principal"};
    World w;
    const auto token = create(w, "robot");
    const auto stored = w.read(hashes).at(0).blob(0);
    BOOST_TEST(stored.size() == 32U);
    BOOST_TEST((stored != core::to_bytes(core::as_bytes(token->expose()))));
}

BOOST_AUTO_TEST_CASE(the_control_sockets_peer_is_root_or_ourselves) {
    BOOST_TEST((ra::Principals::from_peer(0)->role == ra::Role::administrator));
    BOOST_TEST(ra::Principals::from_peer(::geteuid()).has_value());
    BOOST_TEST(!ra::Principals::from_peer(::geteuid() + 12345).has_value());
    BOOST_TEST(ra::Principals::from_peer(0)->actor.name == "uid 0");
}

BOOST_AUTO_TEST_CASE(roles_have_the_names_that_people_write) {
    for (const auto role : {ra::Role::administrator, ra::Role::officer, ra::Role::auditor})
        BOOST_TEST((ra::role_from(ra::to_string(role)) == role));
    BOOST_TEST(!ra::role_from("root").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
