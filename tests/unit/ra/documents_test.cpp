#include "tests/unit/ra/documents_support.hpp"

BOOST_AUTO_TEST_SUITE(ra_documents)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;
using Change = ra::PlanLine::Change;

namespace {

ra::ApplyOptions dry_run() {
    ra::ApplyOptions o;
    o.dry_run = true;
    return o;
}
const std::string standard(standard_documents);
/// The standard documents as they stand after their first application.
const std::string kept = replaced(standard, "{generate = true}", "\"keep\"");

std::size_t count(const ra::ApplyReport& report, Change change) {
    return static_cast<std::size_t>(std::count_if(report.plan.begin(), report.plan.end(), [&](const ra::PlanLine& l) { return l.change == change; }));
}
const ra::PlanLine& line(const ra::ApplyReport& report, Change change) {
    for (const auto& l : report.plan)
        if (l.change == change) return l;
    throw std::runtime_error("no such line in the plan");
}
core::Task<void> apply_elsewhere(World& w, std::string text) {
    std::vector<ra::DocumentText> texts;
    texts.emplace_back("other.toml", std::move(text));
    const ra::ApplyOptions options;
    auto by = administrator();
    core::RequestId request("elsewhere0000000");
    const auto done = co_await w.documents.apply(std::move(texts), options, std::move(by), std::move(request));
    BOOST_TEST(done.has_value());
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_described_is_created) {
    World w;
    const auto report = w.apply(standard);
    BOOST_TEST_REQUIRE(report.has_value(), (report ? "" : report.error().detail));
    BOOST_TEST(report->changed);
    BOOST_TEST(report->plan.size() == 7U);
    BOOST_TEST(count(*report, Change::create) == 7U);
    BOOST_TEST(report->plan.front().name == "default");
    BOOST_TEST(report->plan.back().kind == "account");
    BOOST_TEST(report->plan.back().name == "default/team");

    const auto catalog = w.catalog.current();
    const auto* profile = catalog->profile(w.tenant(), "server");
    BOOST_TEST_REQUIRE(profile);
    BOOST_TEST((profile->lifetime == 24h * 30 && profile->longest == 24h * 60));
    BOOST_TEST(profile->backend == "scripted");
    BOOST_TEST(catalog->organizations.at(0).legal_name == "Acme Corporation");
    const auto account = w.run(ra::find_account(w.db, w.account()));
    BOOST_TEST_REQUIRE(account.has_value());
    BOOST_TEST((account->organization == catalog->organizations.at(0).id && account->department == catalog->departments.at(0).id));
    BOOST_TEST(account->scope.to_text() == "corp.example, .corp.example");

    const auto audits = w.audits("configuration.created");
    BOOST_TEST(audits.size() == 7U);
    BOOST_TEST(audits.at(6).text(4) == "account");
    BOOST_TEST(audits.at(6).text(5) == "default/team");
    BOOST_TEST(audits.at(6).text(7) == "uid 0");
    BOOST_TEST(audits.at(6).text(8) == "applyrequest0000");
}

BOOST_AUTO_TEST_CASE(a_second_apply_changes_nothing) {
    World w;
    w.apply_standard();
    const auto version = w.catalog.current()->version;
    const auto report = w.apply(standard).value();
    BOOST_TEST(!report.changed);
    BOOST_TEST(count(report, Change::keep) == 7U);
    BOOST_TEST(report.secrets.empty());
    w.run(w.catalog.refresh());
    BOOST_TEST(w.catalog.current()->version == version);
    BOOST_TEST(w.read(audit_rows).size() == 7U);
}

BOOST_AUTO_TEST_CASE(a_dry_run_shows_the_plan_and_stores_nothing) {
    World w;
    const auto report = w.apply(standard, dry_run()).value();
    BOOST_TEST(report.changed);
    BOOST_TEST(count(report, Change::create) == 7U);
    BOOST_TEST(report.secrets.empty());
    BOOST_TEST(w.read(store::tenant_all, store::values(0)).empty());
    BOOST_TEST(w.read(audit_rows).empty());
}

BOOST_AUTO_TEST_CASE(a_generated_secret_is_shown_once_and_opens) {
    World w;
    const auto secret = w.apply_standard();
    BOOST_TEST(secret.account == "default/team");
    BOOST_TEST(secret.key_id.size() == 22U);
    const auto endpoint = w.catalog.current()->endpoint(ra::Protocol::acme, "web")->id;
    const auto account = w.run(ra::find_account_by_public_id(w.db, endpoint, secret.key_id));
    BOOST_TEST_REQUIRE(account.has_value());
    const auto opened = ra::open_account_secret(w.sealer, *account);
    BOOST_TEST_REQUIRE(opened.has_value());
    BOOST_TEST(core::base64url(opened->expose()) == secret.mac_key.expose());
    BOOST_TEST(opened->expose().size() == 32U);
    const crypto::Sealer other(core::SecretBytes(core::Bytes(32, 8)), w.random);
    BOOST_TEST(!ra::open_account_secret(other, *account).has_value());
    BOOST_TEST(!w.run(ra::find_account_by_public_id(w.db, endpoint, "somebody")).has_value());
    BOOST_TEST(!contains(all_objects(w), secret.mac_key.expose()));
}

BOOST_AUTO_TEST_CASE(a_given_secret_is_taken_kept_and_replaced) {
    World w;
    const std::string given = "{value = \"MDEyMzQ1Njc4OWFiY2RlZg\", key_id = \"my-key\"}";
    const auto text = replaced(standard, "{generate = true}", given);
    w.apply(text).value();
    const auto opened = [&] { return ra::open_account_secret(w.sealer, *w.run(ra::find_account(w.db, w.account()))); };
    BOOST_TEST(core::base64url(opened()->expose()) == "MDEyMzQ1Njc4OWFiY2RlZg");
    BOOST_TEST(!w.apply(text)->changed);
    BOOST_TEST(!w.apply(kept)->changed);
    const auto report = w.apply(replaced(text, "MDEy", "ODEy")).value();
    BOOST_TEST(line(report, Change::update).fields.at(0) == "secret: replaced");
    BOOST_TEST(core::base64url(opened()->expose()) == "ODEyMzQ1Njc4OWFiY2RlZg");
    check_refused(w.apply(replaced(text, "MDEyMzQ1Njc4OWFiY2RlZg", "c2hvcnQ")), ProblemKind::malformed, "at least 16 octets as base64url");
}

BOOST_AUTO_TEST_CASE(there_must_be_a_secret_to_keep) {
    World w;
    check_refused(w.apply(kept), ProblemKind::malformed, "secret is missing: the account has none to keep");
    BOOST_TEST(w.read(store::tenant_all, store::values(0)).empty());
}

BOOST_AUTO_TEST_CASE(all_errors_are_told_at_once_with_their_lines) {
    World w;
    const auto report = w.apply(R"([[tenant]]
name = "default"

[[profile]]
name = "Server"
lifetime = "soon"
colour = "blue"

[[endpoint]]
name = "web"
profiles = ["server"]

[[profile]]
name = "twice"
[[profile]]
name = "twice"
)");
    BOOST_TEST_REQUIRE(!report.has_value());
    const auto& text = report.error().detail;
    for (const auto* part : {"site.toml:4: profile[0]: name \"Server\": use lower-case letters", "site.toml:6: profile[0].lifetime: \"soon\" is not a duration such as",
                             "site.toml:7: profile[0].colour: unknown key", "protocol is missing", "profile default/twice is described twice"})
        BOOST_TEST(contains(text, part), "expected \"" << part << "\" in: " << text);
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 4);
    BOOST_TEST((report.error().kind == ProblemKind::malformed));
}

BOOST_AUTO_TEST_CASE(wrong_documents_are_refused_with_what_would_be_right) {
    const std::pair<std::string, std::string> cases[] = {
        {"[[tenant]\n", "site.toml:1"},
        {"[[robot]]\nname = \"x\"\n", "site.toml:1: robot: unknown key"},
        {"[[profile]]\nname = \"x\"\n", "site.toml:1: profile[0]: there is no tenant named default"},
        {standard + "[[profile]]\nname=\"p\"\nlifetime=\"90d\"\nlongest_lifetime=\"30d\"\n", "longest_lifetime: shorter than the lifetime"},
        {standard + "[[profile]]\nname=\"p\"\nlongest_lifetime=\"4000d\"\n", "longer than ten years"},
        {standard + "[[profile]]\nname=\"p\"\nbackdate=\"48h\"\n", "more than 24 hours"},
        {standard + "[[profile]]\nname=\"p\"\nkeys=[\"rsa-1024\"]\n", "no key type; known: ec-p256"},
        {standard + "[[profile]]\nname=\"p\"\nkey_usage=[\"keyCertSign\"]\n", "no key usage that a leaf may have"},
        {standard + "[[profile]]\nname=\"p\"\nextended_key_usage=[\"anyExtendedKeyUsage\"]\n", "no extended key usage that a profile may give"},
        {standard + "[[profile]]\nname=\"p\"\nextended_key_usage=[]\n", "must not be empty"},
        {standard + "[[profile]]\nname=\"p\"\nsubject=[\"UID\"]\n", "known here: CN, O, OU, L, ST, C, E, serialNumber"},
        {standard + "[[profile]]\nname=\"p\"\nsubject=[\"CN\", \"E\"]\n", "default/p: subject: a TLS server's certificate has neither E nor serialNumber"},
        {standard + "[[profile]]\nname=\"p\"\nemail_names=true\n", "default/p: email_names: a TLS server's certificate names DNS names and addresses only"},
        {standard + "[[profile]]\nname=\"p\"\nuri_names=true\n", "default/p: uri_names: a TLS server's certificate names"},
        {standard + "[[profile]]\nname=\"p\"\nupn_names=true\n", "default/p: upn_names: a TLS server's certificate names"},
        {standard + "[[profile]]\nname=\"p\"\nstrong_mapping=\"uri\"\n", "default/p: strong_mapping: a TLS server's certificate names"},
        {standard + "[[profile]]\nname=\"p\"\nstrong_mapping=\"both\"\n", "default/p: strong_mapping: known here: none, uri, extension"},
        {standard + "[[profile]]\nname=\"p\"\nother_names=\"keep\"\n", "default/p: other_names: known here: refuse, drop"},
        {standard + "[[profile]]\nname=\"p\"\nsid_extension=\"keep\"\n", "default/p: sid_extension: known here: drop, refuse"},
        {standard + "[[profile]]\nname=\"p\"\nnames_limit=0\n", "expected 1 to 1000"},
        {standard + "[[profile]]\nname=\"p\"\nchallenges=[\"http-02\"]\n", "known here: http-01, tls-alpn-01, dns-01, dns-account-01"},
        {standard + "[[profile]]\nname=\"p\"\nchallenges=[]\n", "is empty; leave the key out, or name something"},
        {standard + "[[profile]]\nname=\"p\"\ncaa=\"on\"\n", "known here: off, enforce"},
        {standard + "[[profile]]\nname=\"p\"\ncaa=\"enforce\"\n", "is needed with caa = \"enforce\""},
        {standard + "[[profile]]\nname=\"p\"\ncaa_identities=[\"*.ca.example\"]\n", "a wildcard is not allowed here"},
        {standard + "[[profile]]\nname=\"p\"\nip_names=\"yes\"\n", "profile[1].ip_names: expected"},
        {standard + "[[organization]]\nname=\"o\"\ncountry=\"de\"\n", "two capital letters"},
        {standard + "[[organization]]\nname=\"o\"\nlegal_name=\"" + std::string(65, 'x') + "\"\n", "site.toml:37: organization[1]: default/o: legal_name: has 65 characters; 64 are the most"},
        {standard + "[[organization]]\nname=\"o\"\nlegal_name=\"Acme\\nCorporation\"\n", "default/o: legal_name: contains a control character"},
        {standard + "[[organization]]\nname=\"o\"\nlegal_name=\" Acme\"\n", "default/o: legal_name: begins or ends with a space"},
        {standard + "[[organization]]\nname=\"o\"\nlegal_name=\"\"\n", "default/o: legal_name: is empty"},
        {standard + "[[organization]]\nname=\"o\"\ncountry=\"XX\"\n", "default/o: country: is no ISO 3166 code"},
        {standard + "[[organization]]\nname=\"o\"\nlocality=\"A &amp; B\"\n", "default/o: locality: contains an HTML entity"},
        {standard + "[[profile]]\nname=\"p\"\nbackend=\"gone\"\n", "site.toml:37: profile[1]: default/p: backend: there is no CA backend named gone; known here: scripted, builtin"},
        {standard + "[[profile]]\nname=\"p\"\nlifetime=\"1ms\"\n", "default/p: lifetime: must be at least 1m longer than the backdate of 1m"},
        {standard + "[[profile]]\nname=\"p\"\nlifetime=\"12h\"\nbackdate=\"12h\"\n", "default/p: lifetime: must be at least 1m longer than the backdate of 12h"},
        {standard + "[[endpoint]]\nname=\"e\"\nprotocol=\"acme\"\nprofiles=[\"server\"]\nterms_of_service=\"see the wiki\"\n", "default/e: terms_of_service: expected a URL"},
        {standard + "[[endpoint]]\nname=\"e\"\nprotocol=\"acme\"\nprofiles=[\"server\"]\nwebsite=\"https://a.test/>\"\n", "default/e: website: expected a URL"},
        {standard + "[[account]]\nname=\"a\"\nendpoint=\"web\"\ndepartment=\"it\"\nmethod=\"open\"\n", "default/a: department: it is no department of the account's organization"},
        {standard + "[[organization]]\nname=\"o\"\n[[account]]\nname=\"a\"\nendpoint=\"web\"\norganization=\"o\"\ndepartment=\"it\"\nmethod=\"open\"\n", "default/a: department: it is no department of the account's organization"},
        {standard + "[[account]]\nname=\"a\"\nendpoint=\"web\"\nmethod=\"eab\"\nsecret={value=\"MDEyMzQ1Njc4OWFiY2RlZg\", key_id=\"-x\"}\n", "secret: key_id: expected 1 to 100 visible ASCII characters, the first no hyphen"},
        {standard + "[[account]]\nname=\"a\"\nendpoint=\"web\"\nmethod=\"eab\"\nsecret={value=\"MDEyMzQ1Njc4OWFiY2RlZg\", key_id=\"a b\"}\n", "secret: key_id: expected 1 to 100 visible ASCII characters"},
        {standard + "[[department]]\nname=\"d\"\n", "organization is missing"},
        {standard + "[[department]]\nname=\"d\"\norganization=\"gone\"\n", "organization: there is no organization named gone"},
        {standard + "[[domain]]\nname=\"-x.example\"\n", "use lower-case letters"},
        {standard + "[[domain]]\nname=\"\"\n", "name \"\": use lower-case letters"},
        {"[[tenant]]\nname=\"\"\n", "name \"\": use lower-case letters"},
        {standard + "[[domain]]\nname=\"a..b\"\n", "a label is empty"},
        {standard + "[[endpoint]]\nname=\"e\"\nprotocol=\"acme\"\nprofiles=[\"gone\"]\n", "profiles: there is no profile named gone"},
        {standard + "[[endpoint]]\nname=\"e\"\nprotocol=\"acme\"\nprofiles=[]\n", "name at least one profile"},
        {standard + "[[endpoint]]\nname=\"e\"\nprotocol=\"gopher\"\nprofiles=[\"server\"]\n", "this version serves acme, est and scep, not gopher"},
        {standard + "[[endpoint]]\nname=\"e\"\nprotocol=\"acme\"\nprofiles=[\"server\"]\nrenewal=true\n", "default/e: renewal: is for endpoints of protocol scep"},
        {standard + "[[endpoint]]\nname=\"e\"\nprotocol=\"scep\"\nra=\"builtin\"\nprofiles=[\"server\"]\nwebsite=\"https://a.test/\"\n", "default/e: website: is for endpoints of protocol acme"},
        {standard + "[[endpoint]]\nname=\"e\"\nprotocol=\"scep\"\nra=\"builtin\"\nprofiles=[\"server\"]\nchain=\"all\"\n", "default/e: chain: known here: issuer, chain, chain-and-root"},
        {standard + "[[account]]\nname=\"a\"\nendpoint=\"web\"\nmethod=\"access_code\"\nsecret={generate=true}\n", "method: access_code is for endpoints of protocol scep, and this one speaks acme"},
        {standard + "[[endpoint]]\nname=\"e\"\nprotocol=\"scep\"\nra=\"builtin\"\nprofiles=[\"server\"]\n[[account]]\nname=\"a\"\nendpoint=\"e\"\nmethod=\"access_code\"\n", "secret is missing: the account has none to keep"},
        {standard + "[[endpoint]]\nname=\"e\"\nprotocol=\"scep\"\nra=\"builtin\"\nprofiles=[\"server\"]\n[[account]]\nname=\"a\"\nendpoint=\"e\"\nmethod=\"access_code\"\nsecret={value=\"hunter2\"}\n", "12 to 255 are needed; or have one drawn: {generate = true}"},
        {standard + "[[profile]]\nname=\"p\"\ncommon_name=\"text\"\n", "default/p: common_name: of a TLS server's certificate is one of its names"},
        {standard + "[[profile]]\nname=\"p\"\ncommon_name=\"any\"\n", "default/p: common_name: known here: name, text"},
        {standard + "[[profile]]\nname=\"p\"\nextended_key_usage=[\"cmcRA\"]\n", "extended_key_usage: cmcRA is the server's own"},
        {standard + "[[account]]\nname=\"a\"\nendpoint=\"gone\"\nmethod=\"open\"\n", "endpoint: there is no endpoint named gone"},
        {standard + "[[account]]\nname=\"a\"\nendpoint=\"web\"\nmethod=\"magic\"\n", "default/a: method: known here: access_code, basic, certificate, eab, intune, one_time, open, webhook"},
        {standard + "[[account]]\nname=\"a\"\nendpoint=\"web\"\nmethod=\"open\"\nsecret=\"keep\"\n", "secret: unknown key"},
        {standard + "[[account]]\nname=\"a\"\nendpoint=\"web\"\nmethod=\"eab\"\nsecret=\"hunter2\"\n", "expected {generate = true}"},
        {standard + "[[account]]\nname=\"a\"\nendpoint=\"web\"\nmethod=\"open\"\nnames=[\"*.x.example\"]\n", "write \\\".x.example\\\" for the names below it"},
        {standard + "[[account]]\nname=\"a\"\nendpoint=\"web\"\nmethod=\"open\"\nnames=[\"a..b\"]\n", "a label is empty"},
        {standard + "[[account]]\nname=\"a\"\nendpoint=\"web\"\nmethod=\"open\"\nexpires=\"tomorrow\"\n", "expected a time such as"},
        {standard + "[[account]]\nname=\"a\"\nendpoint=\"web\"\nmethod=\"open\"\nprofiles=[\"gone\"]\n", "profiles: there is no profile named gone"},
    };
    World w;
    for (const auto& [text, part] : cases) BOOST_TEST_CONTEXT(text.substr(text.rfind("[["))) {
        auto wanted = part;
        if (const auto at = wanted.find("\\\""); at != std::string::npos) wanted = "names below it, with wildcard = true";
        check_refused(w.apply(text), ProblemKind::malformed, wanted);
    }
    BOOST_TEST(w.read(store::tenant_all, store::values(0)).empty());
}

BOOST_AUTO_TEST_CASE(an_empty_list_never_means_everything) {
    World w;
    w.apply_standard();
    for (const auto* key : {"keys", "key_usage"})
        check_refused(w.apply("[[profile]]\nname = \"p\"\n" + std::string(key) + " = []\n"), ProblemKind::malformed, "is empty; leave the key out");
    check_refused(w.apply("[[account]]\nname = \"a\"\nendpoint = \"" + w.catalog.current()->endpoints.front().name +
                          "\"\nmethod = \"open\"\nprofiles = []\n"),
                  ProblemKind::malformed, "is empty; leave the key out");
}

BOOST_AUTO_TEST_CASE(an_update_names_the_fields_that_differ) {
    World w;
    w.apply_standard();
    auto text = replaced(kept, "lifetime = \"30d\"", "lifetime = \"7d\"");
    text = replaced(text, "names = [\"corp.example\", \".corp.example\"]", "names = [\"corp.example\"]\nenabled = false");
    text = replaced(text, "organization = \"acme\"\n\n[[profile]]", "\n[[profile]]");
    const auto report = w.apply(text).value();
    BOOST_TEST(report.changed);
    BOOST_TEST(count(report, Change::update) == 3U);
    std::string told;
    for (const auto& l : report.plan)
        for (const auto& f : l.fields) told += l.name + ": " + f + "\n";
    BOOST_TEST(told ==
               "default/corp.example: organization: acme -> (unset)\n"
               "default/server: lifetime: 30d -> 7d\n"
               "default/team: enabled: true -> false\n"
               "default/team: names: [corp.example, .corp.example] -> [corp.example]\n");
    BOOST_TEST(w.catalog.current()->profile(w.tenant(), "server")->version == 2);
    const auto audits = w.audits("configuration.changed");
    BOOST_TEST(audits.size() == 3U);
    BOOST_TEST(audits.at(1).text(3) == R"({"changes":["lifetime: 30d -> 7d"]})");
    BOOST_TEST(!w.apply(text)->changed);
}

BOOST_AUTO_TEST_CASE(only_pruning_removes_and_children_go_first) {
    World w;
    w.apply_standard();
    const auto less = kept.substr(0, kept.find("[[department]]"));
    BOOST_TEST(!w.apply(less)->changed);
    auto preview = prune();
    preview.dry_run = true;
    BOOST_TEST(count(w.apply(less, preview).value(), Change::remove) == 5U);
    const auto report = w.apply(less, prune()).value();
    BOOST_TEST(count(report, Change::remove) == 5U);
    BOOST_TEST(line(report, Change::remove).name == "default/team");
    BOOST_TEST(w.catalog.current()->profiles.empty());
    BOOST_TEST(w.catalog.current()->organizations.size() == 1U);
    BOOST_TEST(w.audits("configuration.removed").size() == 5U);
}

BOOST_AUTO_TEST_CASE(pruning_stays_within_the_tenants_that_are_named) {
    World w;
    w.apply_standard();
    w.apply("[[tenant]]\nname = \"second\"\n[[profile]]\ntenant = \"second\"\nname = \"p\"\n").value();
    const auto report = w.apply("[[tenant]]\nname = \"second\"\n", prune()).value();
    BOOST_TEST(count(report, Change::remove) == 1U);
    BOOST_TEST(line(report, Change::remove).name == "second/p");
    BOOST_TEST(w.catalog.current()->profile(w.tenant(), "server"));
}

BOOST_AUTO_TEST_CASE(what_a_document_refers_to_cannot_be_pruned) {
    World w;
    w.apply_standard();
    const auto profile = kept.find("[[profile]]"), endpoint = kept.find("[[endpoint]]");
    auto text = kept.substr(0, profile) + kept.substr(endpoint);
    check_refused(w.apply(text, prune()), ProblemKind::malformed, "endpoint[0]: refers to profile server, which no document describes and pruning would remove");
    BOOST_TEST(w.catalog.current()->profile(w.tenant(), "server"));
}

BOOST_AUTO_TEST_CASE(what_requests_refer_to_cannot_be_pruned) {
    World w;
    w.apply_standard();
    w.issue({"corp.example"});
    const auto less = kept.substr(0, kept.find("[[account]]"));
    check_refused(w.apply(less, prune()), ProblemKind::conflict, "an account to be removed is still referred to, by requests, certificates or other objects; say enabled = false instead");
    BOOST_TEST(w.account().get() > 0);
}

BOOST_AUTO_TEST_CASE(of_two_that_apply_at_once_one_is_told) {
    World w;
    w.apply_standard();
    w.db.hook_at = &store::configuration_advance;
    w.db.hook = [&w] { return apply_elsewhere(w, replaced(kept, "\"30d\"", "\"20d\"")); };
    check_refused(w.apply(replaced(kept, "\"30d\"", "\"10d\"")), ProblemKind::conflict, "somebody else changed the configuration meanwhile");
    w.run(w.catalog.refresh());
    BOOST_TEST((w.catalog.current()->profile(w.tenant(), "server")->lifetime == 24h * 20));
}

BOOST_AUTO_TEST_CASE(names_that_are_taken_are_told) {
    World w;
    w.apply_standard();
    const std::string second = "[[tenant]]\nname = \"second\"\n[[profile]]\ntenant = \"second\"\nname = \"p\"\n[[endpoint]]\ntenant = \"second\"\n"
                               "name = \"web\"\nprotocol = \"acme\"\nprofiles = [\"p\"]\n";
    const std::string open = "[[account]]\nname = \"one\"\nendpoint = \"web\"\nmethod = \"open\"\n[[account]]\nname = \"two\"\nendpoint = \"web\"\nmethod = \"open\"\n";
    const auto given = [](std::string_view name) {
        return "[[account]]\nname = \"" + std::string(name) + "\"\nendpoint = \"web\"\nmethod = \"eab\"\nsecret = {value = \"MDEyMzQ1Njc4OWFiY2RlZg\", key_id = \"shared\"}\n";
    };
    // The dry run tells what the change itself would.
    for (const auto& options : {dry_run(), ra::ApplyOptions()}) {
        check_refused(w.apply(second, options), ProblemKind::malformed, "endpoint[0]: name: an endpoint named web exists already in this installation");
        check_refused(w.apply(open, options), ProblemKind::malformed, "account[1]: method: the endpoint has an open account already");
        check_refused(w.apply(given("a") + given("b"), options), ProblemKind::malformed, "account[1]: secret: the key id shared is taken already in this installation");
    }
    w.apply(given("a")).value();
    check_refused(w.apply(given("b"), dry_run()), ProblemKind::malformed, "account[0]: secret: the key id shared is taken already");
    BOOST_TEST(!w.apply(given("a"))->changed);
}

BOOST_AUTO_TEST_CASE(a_department_stays_with_the_organization_of_its_accounts) {
    World w;
    w.apply_standard();
    check_refused(w.apply("[[organization]]\nname = \"other\"\n[[department]]\nname = \"it\"\norganization = \"other\"\n"), ProblemKind::malformed,
                  "site.toml:3: department[0]: default/it: organization: account team names this department and has another organization");
}

BOOST_AUTO_TEST_CASE(what_is_generated_never_begins_with_a_hyphen) {
    /// 0xf8 is '-' in base64url; two draws of each begin with it.
    class Hyphens final : public core::Random {
    public:
        void fill(std::span<std::uint8_t> out) override {
            std::fill(out.begin(), out.end(), std::uint8_t(++drawn_ % 3 == 0 ? 0x11 : 0xf8));
        }

    private:
        int drawn_ = 0;
    };
    World w;
    Hyphens hyphens;
    ra::Documents documents{ra::Documents::Deps{w.db, w.numbers, w.catalog, w.backends, w.sealer, hyphens, w.clock}};
    std::vector<ra::DocumentText> texts;
    texts.emplace_back("site.toml", standard);
    const auto report = w.run(documents.apply(std::move(texts), {}, administrator(), core::RequestId("applyrequest0000")));
    BOOST_TEST_REQUIRE(report.has_value());
    const auto& secret = report->secrets.at(0);
    BOOST_TEST(secret.key_id.front() != '-');
    BOOST_TEST(secret.mac_key.expose().front() != '-');
}

BOOST_AUTO_TEST_CASE(what_is_exported_applies_without_a_change) {
    World w;
    w.apply_standard();
    w.apply(R"([[profile]]
name = "rich"
description = "Quotes \" and \\ and\n two lines, ü"
keys = ["rsa-3072", "ed25519"]
key_usage = ["digitalSignature"]
extended_key_usage = ["serverAuth", "clientAuth"]
subject = []
ip_names = true
challenges = ["dns-account-01", "http-01"]
caa = "enforce"
caa_identities = ["ca.example"]
must_staple = true
names_limit = 7
enabled = false

[[account]]
name = "temporary"
endpoint = "web"
method = "open"
names = ["*", "192.0.2.1", "10.0.0.0/8"]
wildcard = true
expires = "2030-01-01T00:00:00Z"
)").value();
    const auto exported = all_objects(w);
    BOOST_TEST(contains(exported, "secret = \"keep\""));
    const auto again = w.apply(exported, prune());
    BOOST_TEST_REQUIRE(again.has_value(), (again ? "" : again.error().detail + exported));
    BOOST_TEST(!again->changed);
    BOOST_TEST(again->plan.size() == 9U);
    BOOST_TEST(all_objects(w) == exported);
}

BOOST_AUTO_TEST_CASE(an_administrator_of_one_tenant_stays_in_it) {
    World w;
    w.apply_standard();
    w.apply("[[tenant]]\nname = \"second\"\n[[profile]]\ntenant = \"second\"\nname = \"p\"\n").value();
    const auto by = tenant_administrator(w.catalog.current()->tenant("second")->id);
    // Whether others exist is not its matter: the same words for both.
    const auto told = [&](const std::string& document) {
        const auto refused = w.apply(document, {}, by);
        BOOST_TEST_REQUIRE(!refused.has_value());
        return refused.error().detail;
    };
    for (const std::string tenant : {"default", "third", "system"}) {
        BOOST_TEST(told("[[tenant]]\nname = \"" + tenant + "\"\n") == "site.toml:1: tenant[0]: only an administrator of every tenant changes a tenant");
        BOOST_TEST(told("[[profile]]\ntenant = \"" + tenant + "\"\nname = \"p\"\n") == "site.toml:1: profile[0]: there is no tenant named " + tenant);
        BOOST_TEST(told("[[account]]\ntenant = \"" + tenant + "\"\nname = \"a\"\nendpoint = \"web\"\nmethod = \"system\"\n") ==
                   "site.toml:1: account[0]: there is no tenant named " + tenant);
    }
    // Its own tenant may be named, but a suspension is not the suspended one's to lift.
    BOOST_TEST(w.apply("[[tenant]]\nname = \"second\"\n", {}, by).has_value());
    w.apply("[[tenant]]\nname = \"second\"\nenabled = false\n").value();
    check_refused(w.apply("[[tenant]]\nname = \"second\"\n", {}, by), ProblemKind::malformed, "only an administrator of every tenant changes a tenant");
    BOOST_TEST(!w.catalog.current()->tenant("second")->active);
    BOOST_TEST(w.apply("[[profile]]\ntenant = \"second\"\nname = \"q\"\n", {}, by)->changed);
    const auto exported = w.run(w.documents.export_all(by));
    BOOST_TEST(contains(exported, "name = \"p\""));
    BOOST_TEST(!contains(exported, "default"));
}

BOOST_AUTO_TEST_SUITE_END()
