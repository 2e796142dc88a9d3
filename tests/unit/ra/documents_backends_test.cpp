#include "tests/unit/ra/documents_support.hpp"

/// Documents that name a program: who may say which, and who may read it.
BOOST_AUTO_TEST_SUITE(ra_documents_backends)

using namespace postern;
using namespace postern::test;

namespace {

/// Where programs can be run; it counts who wants to know about one.
class Programs final : public ca::DescribedBackends {
public:
    [[nodiscard]] ca::Backend* find(std::string_view) const override { return nullptr; }
    [[nodiscard]] ca::Backend* reach(std::string_view) const override { return nullptr; }
    void describe(const std::vector<ca::BackendDescription>&) override {}
    [[nodiscard]] core::Result<void> judge(const ca::BackendDescription& d) const override {
        ++judged;
        if (std::filesystem::exists(d.argv.front())) return {};
        return core::Problem(core::ProblemKind::malformed, "$.argv: " + d.argv.front() + ": No such file or directory");
    }
    mutable int judged = 0;
};

std::string backend_document(std::string_view program) {
    return "[[backend]]\nname = \"lab\"\nkind = \"command\"\nargv = [\"" + std::string(program) +
           "\", \"--pin\", \"4711\"]\nenvironment = [\"PASSWORD=oh\"]\ntrust_anchors = \"x\"\n";
}
ra::Principal token_of(ra::Role role) {
    auto by = administrator();
    by.role = role;
    by.actor = ra::Actor("principal", "token");
    return by;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_token_learns_nothing_of_the_servers_files) {
    Programs programs;
    World w;
    w.backends.add(programs);
    w.apply_standard();
    const auto token = token_of(ra::Role::administrator);
    ra::ApplyOptions dry;
    dry.dry_run = true;
    for (const bool stored : {false, true}) {
        if (stored) w.apply(backend_document("/bin/sh")).value();
        const auto before = programs.judged;
        const auto there = w.apply(backend_document("/bin/cat"), dry, token), missing = w.apply(backend_document("/nowhere"), dry, token);
        check_refused(there, core::ProblemKind::malformed, "only the local administrator");
        check_refused(missing, core::ProblemKind::malformed, "only the local administrator");
        BOOST_TEST(there.error().detail == missing.error().detail);
        BOOST_TEST(programs.judged == before);
    }
    check_refused(w.apply(backend_document("/nowhere")), core::ProblemKind::malformed, "No such file");
}

BOOST_AUTO_TEST_CASE(a_backends_arguments_and_variables_are_the_local_administrators) {
    Programs programs;
    World w;
    w.backends.add(programs);
    w.apply_standard();
    w.apply(backend_document("/bin/sh")).value();
    w.apply(replaced(replaced(backend_document("/bin/cat"), "4711", "4712"), "=oh", "=ah")).value();
    BOOST_TEST((contains(all_objects(w), "4712") && contains(all_objects(w), "PASSWORD=ah")));
    for (const auto role : {ra::Role::administrator, ra::Role::auditor}) {
        const auto by = token_of(role);
        const auto exported = w.run(w.documents.export_all(by));
        BOOST_TEST(contains(exported, "kind = \"command\""));
        for (const auto* secret : {"4712", "PASSWORD", "/bin/cat", "argv", "environment"}) BOOST_TEST(!contains(exported, secret), exported);
        // It applies back for who may not read it, and is no way to take the variables away.
        const auto again = w.apply(exported, prune(), by);
        BOOST_TEST_REQUIRE(again.has_value(), (again ? "" : again.error().detail));
        BOOST_TEST(!again->changed);
        check_refused(w.apply(exported), core::ProblemKind::malformed, "argv: expected the absolute path");
        check_refused(w.apply(replaced(exported, "trust_anchors = \"x\"", "trust_anchors = \"y\""), {}, by), core::ProblemKind::malformed,
                      "only the local administrator");
    }
    BOOST_TEST(contains(all_objects(w), "PASSWORD=ah"));
    const auto changed = w.audits("configuration.changed");
    BOOST_TEST_REQUIRE(changed.size() == 1U);
    BOOST_TEST(contains(changed[0].text(3), "argv: changed"));
    BOOST_TEST(contains(changed[0].text(3), "environment: changed"));
    for (const auto& row : w.read(audit_rows))
        for (const auto* secret : {"4711", "4712", "PASSWORD"}) BOOST_TEST(!contains(row.text(3), secret), row.text(3));
}

BOOST_AUTO_TEST_SUITE_END()
