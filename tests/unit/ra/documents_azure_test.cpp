#include "ra/azure_account.hpp"
#include "tests/unit/ra/documents_support.hpp"

/// [[azure_account]]: what is sealed, what is kept, and who may send tokens elsewhere.
BOOST_AUTO_TEST_SUITE(ra_documents_azure)

using namespace postern;
using namespace postern::test;

namespace {

const std::string bare = "[[azure_account]]\nname = \"corp\"\ndirectory = \"contoso.example\"\napplication = \"3f0d1e7a-64c4-4d1f-8f55-0e9fd7c1b2aa\"\n";
const std::string given = bare + "secret = {value = \"s3cret\"}\n";
const std::string by_proxy = given + "proxy = \"http://127.0.0.1:3128\"\nproxy_user = \"ann\"\nproxy_password = {value = \"pr0xy\"}\n";

azure::AccountRef account_of(World& w) { return w.catalog.current()->azure_account(w.tenant(), "corp"); }

std::string opened(World& w, std::string_view label, const core::Bytes& sealed) {
    const auto plain = w.sealer.open(label, azure::sealing_context(account_of(w)->id), sealed);
    return plain ? std::string(core::as_text(plain->expose())) : "not opened";
}

ra::Principal of_tenant(World& w) {
    auto by = administrator();
    by.tenant = w.tenant();
    return by;
}

}  // namespace

BOOST_AUTO_TEST_CASE(secrets_are_sealed_and_kept) {
    World w;
    w.apply_standard();
    check_refused(w.apply(bare), core::ProblemKind::malformed, "secret is missing: the account has none to keep");
    w.apply(by_proxy).value();
    const auto first = account_of(w);
    BOOST_TEST_REQUIRE(first != nullptr);
    BOOST_TEST((first->tenant == "default" && first->active && first->version == 1 && !first->replaced && first->proxy_user == "ann"));
    BOOST_TEST(opened(w, azure::credential_label, first->sealed) == "s3cret");
    BOOST_TEST(opened(w, azure::proxy_password_label, first->sealed_proxy_password) == "pr0xy");
    BOOST_TEST(!w.apply(by_proxy).value().changed);

    const auto exported = all_objects(w);
    for (const auto* secret : {"s3cret", "pr0xy"}) BOOST_TEST(!contains(exported, secret));
    BOOST_TEST(!w.apply(exported).value().changed);
    for (const auto& row : w.read(audit_rows))
        for (const auto* secret : {"s3cret", "pr0xy"}) BOOST_TEST(!contains(row.text(3), secret), row.text(3));

    // A new secret is a new version, for which tokens are asked anew.
    const auto report = w.apply(replaced(by_proxy, "s3cret", "n3w")).value();
    BOOST_TEST(report.plan.at(0).fields.at(0) == "secret: replaced");
    BOOST_TEST((account_of(w)->version == 2 && opened(w, azure::credential_label, account_of(w)->sealed) == "n3w"));
    // Without its key the proxy's password goes.
    w.apply(bare).value();
    BOOST_TEST((account_of(w)->sealed_proxy_password.empty() && account_of(w)->proxy.empty()));
    BOOST_TEST(opened(w, azure::credential_label, account_of(w)->sealed) == "n3w");
}

BOOST_AUTO_TEST_CASE(a_disabled_account_is_there_and_off) {
    World w;
    w.apply_standard();
    w.apply(given + "enabled = false\n").value();
    BOOST_TEST(!account_of(w)->active);
    BOOST_TEST((w.catalog.current()->azure_account(w.tenant(), "other") == nullptr));
}

BOOST_AUTO_TEST_CASE(where_tokens_go_is_the_installations) {
    World w;
    w.apply_standard();
    const auto mine = of_tenant(w);
    for (const std::string elsewhere : {"login_url = \"https://10.0.0.1/\"\n", "graph_url = \"https://10.0.0.1/\"\n", "service_hosts = [\"10.0.0.1\"]\n", "intune_scope = \"x\"\n"})
        check_refused(w.apply(given + elsewhere, {}, mine), core::ProblemKind::malformed, "for an administrator of every tenant");
    check_refused(w.apply(by_proxy, {}, mine), core::ProblemKind::malformed, "for an administrator of every tenant");
    w.apply(given, {}, mine).value();
    w.apply(by_proxy).value();
    BOOST_TEST(!w.apply(by_proxy, {}, mine).value().changed);
    check_refused(w.apply(given, {}, mine), core::ProblemKind::malformed, "for an administrator of every tenant");
}

BOOST_AUTO_TEST_CASE(organizations_that_may_use_it) {
    World w;
    w.apply_standard();
    check_refused(w.apply(given + "organizations = [\"nobody\"]\n"), core::ProblemKind::malformed, "there is no organization named nobody");
    w.apply("[[organization]]\nname = \"north\"\n" + given + "organizations = [\"north\"]\n").value();
    BOOST_TEST((account_of(w)->delegated_to("north") && !account_of(w)->delegated_to("south") && !account_of(w)->delegated_to("")));
    w.apply(given).value();
    BOOST_TEST((account_of(w)->delegated_to("south") && account_of(w)->delegated_to("")));
}

BOOST_AUTO_TEST_CASE(pruned_like_others) {
    World w;
    w.apply_standard();
    const auto before = all_objects(w);
    w.apply(given).value();
    w.apply(before, prune()).value();
    BOOST_TEST((account_of(w) == nullptr));
}

BOOST_AUTO_TEST_SUITE_END()
