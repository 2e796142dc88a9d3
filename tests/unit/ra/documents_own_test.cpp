#include "tests/unit/ra/documents_support.hpp"

/// The tenant that is the server's own.
BOOST_AUTO_TEST_SUITE(ra_documents_own)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

/// What the server describes for itself at its first start.
void apply_own(World& w) {
    auto server = administrator();
    server.actor = ra::Actor("system", "first start");
    const auto done = w.apply(R"(
[[tenant]]
name = "system"
[[profile]]
tenant = "system"
name = "server-tls"
[[endpoint]]
tenant = "system"
name = "system"
protocol = "system"
profiles = ["server-tls"]
[[account]]
tenant = "system"
name = "server"
endpoint = "system"
method = "system"
names = ["*"]
)", {}, server);
    BOOST_TEST_REQUIRE(done.has_value(), (done ? "" : done.error().detail));
}

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_is_put_into_the_servers_own_tenant) {
    World w;
    apply_own(w);
    const std::string refusal = "tenant \"system\" is the server's own; nothing in it can be added or changed";
    for (const auto* text : {"[[organization]]\ntenant = \"system\"\nname = \"o\"\n", "[[profile]]\ntenant = \"system\"\nname = \"p\"\n",
                             "[[profile]]\ntenant = \"system\"\nname = \"server-tls\"\nlifetime = \"10d\"\n", "[[tenant]]\nname = \"system\"\nenabled = false\n",
                             "[[endpoint]]\ntenant = \"system\"\nname = \"e\"\nprotocol = \"acme\"\nprofiles = [\"server-tls\"]\n"})
        BOOST_TEST_CONTEXT(text) check_refused(w.apply(text), ProblemKind::malformed, refusal);
    // As `export` prints them they may stand in a file.
    BOOST_TEST(!w.apply("[[tenant]]\nname = \"system\"\n[[profile]]\ntenant = \"system\"\nname = \"server-tls\"\n")->changed);
    World fresh;
    check_refused(fresh.apply("[[tenant]]\nname = \"system\"\n"), ProblemKind::malformed, refusal);
}

BOOST_AUTO_TEST_CASE(the_servers_own_objects_are_reserved) {
    World w;
    apply_own(w);
    const auto own = [](std::string_view rest) { return "[[account]]\ntenant = \"system\"\nname = \"server\"\n" + std::string(rest); };
    for (const auto& text : {own("endpoint = \"system\"\nmethod = \"system\"\n"), own("endpoint = \"system\"\nmethod = \"open\"\nnames = [\"*\"]\n"),
                             std::string("[[endpoint]]\ntenant = \"system\"\nname = \"system\"\nprotocol = \"acme\"\nprofiles = [\"server-tls\"]\n"),
                             std::string("[[endpoint]]\ntenant = \"system\"\nname = \"more\"\nprotocol = \"system\"\nprofiles = [\"server-tls\"]\n")})
        check_refused(w.apply(text), ProblemKind::malformed, "\"system\" is the server's own");
}

BOOST_AUTO_TEST_CASE(pruning_leaves_the_server_what_is_its_own) {
    World w;
    apply_own(w);
    w.apply_standard();
    const auto exported = all_objects(w);
    BOOST_TEST(!contains(exported, "method = \"system\""));
    const auto report = w.apply(exported, prune()).value();
    BOOST_TEST(!report.changed);
    BOOST_TEST(!w.apply("[[tenant]]\nname = \"system\"\n", prune())->changed);
    BOOST_TEST(w.account("server").get() > 0);
}

BOOST_AUTO_TEST_SUITE_END()
