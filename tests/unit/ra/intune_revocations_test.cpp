#include "tests/unit/ra/documents_support.hpp"
#include "tests/unit/ra/intune_world.hpp"

/// What Intune wants revoked, and what it hears of it.
BOOST_AUTO_TEST_SUITE(ra_intune_revocations)

using namespace postern;
using namespace postern::test;
using azure::RevocationCode;

namespace {

struct Queue : IntuneWorld {
    explicit Queue(std::string text = std::string(intune_documents)) : IntuneWorld(std::move(text)) { static_cast<void>(enroll("sealed").value()); }
    void ask(const std::string& context, const std::string& serial, const std::string& issuer_id = "0badcafe", const std::string& issuer = "CN=Scripted CA") {
        azure::RevocationRequest r;
        r.context = context;
        r.serial = serial;
        r.issuer = issuer;
        r.issuer_id = issuer_id;
        intune.queue.push_back(std::move(r));
    }
    core::Result<ra::IntuneRevocations::Report> poll() {
        return run(intune_revocations.poll(azure_account(), core::RequestId("pollrequest00000")));
    }
    std::string serial() { return core::hex(certificates().at(0).serial); }
    /// Code of everything that was uploaded, by context.
    std::map<std::string, RevocationCode> told() {
        std::map<std::string, RevocationCode> out;
        for (const auto& upload : intune.uploads)
            for (const auto& result : upload) out[result.context] = result.code;
        return out;
    }
};

std::string upper(std::string text) {
    for (auto& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(it_is_revoked_and_told) {
    Queue w;
    w.ask("c1", "00" + upper(w.serial()));
    const auto report = w.poll().value();
    BOOST_TEST((report.asked == 1 && report.revoked == 1 && report.told == 1));
    BOOST_TEST(w.certificates().at(0).status == "revoked");
    BOOST_TEST((w.told() == std::map<std::string, RevocationCode>{{"c1", RevocationCode::none}}));
    const auto audit = w.audits("certificate.revoked").at(0);
    BOOST_TEST(audit.text(6) + " " + audit.text(7) == "intune default/corp");
    BOOST_TEST(w.poll().value().asked == 0);
    BOOST_TEST(w.intune.uploads.size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_same_again_is_answered_the_same_and_another_is_a_conflict) {
    Queue w;
    w.ask("c1", w.serial());
    static_cast<void>(w.poll().value());
    w.ask("c1", w.serial());
    w.ask("c2", w.serial());
    const auto report = w.poll().value();
    BOOST_TEST((report.revoked == 0 && report.told == 2));
    BOOST_TEST((w.told() == std::map<std::string, RevocationCode>{{"c1", RevocationCode::none}, {"c2", RevocationCode::conflict}}));
}

BOOST_AUTO_TEST_CASE(what_is_not_ours_is_left_alone) {
    Queue w;
    w.ask("foreign", w.serial(), "deadbeef");
    w.ask("foreign name", "01", "", "CN=Somebody else");
    const auto report = w.poll().value();
    BOOST_TEST((report.foreign == 2 && report.told == 0));
    BOOST_TEST(w.intune.uploads.empty());
    BOOST_TEST(w.certificates().at(0).status == "issued");
}

BOOST_AUTO_TEST_CASE(the_name_alone_finds_it_too) {
    Queue w;
    w.ask("c1", w.serial(), "", w.intune.successes.at(0).issuer);
    BOOST_TEST(w.poll().value().revoked == 1);
}

BOOST_AUTO_TEST_CASE(an_unknown_serial_is_said) {
    Queue w;
    store::AuthorityRow authority;
    authority.key_id = "0badcafe";
    authority.kind = "root";
    authority.issuer_id = authority.key_id;
    authority.certificate = w.certificates().at(0).der;  // of no matter here
    authority.created = w.clock.now();
    w.execute(store::authority_insert, authority.insert_values());
    w.ask("unknown", "0123");
    w.ask("junk", "no serial", "0BADCAFE");
    const auto report = w.poll().value();
    BOOST_TEST((report.refused == 2 && report.told == 2));
    BOOST_TEST((w.told() == std::map<std::string, RevocationCode>{{"junk", RevocationCode::parameter_invalid}, {"unknown", RevocationCode::certificate_not_found}}));
}

BOOST_AUTO_TEST_CASE(another_tenants_intune_has_no_say) {
    Queue w;
    auto other = std::make_shared<azure::Account>(*w.azure_account());
    other->id = 4711;
    other->directory = "99999999-2222-3333-4444-555555555555";
    w.ask("c1", w.serial());
    const auto report = w.run(w.intune_revocations.poll(other, core::RequestId("pollrequest00000"))).value();
    BOOST_TEST(report.revoked == 0);
    BOOST_TEST(w.certificates().at(0).status == "issued");
}

BOOST_AUTO_TEST_CASE(another_application_of_the_same_directory_brings_the_same_queue) {
    Queue w;
    auto other = std::make_shared<azure::Account>(*w.azure_account());
    other->id = 4711;
    other->application = "77777777-7777-8888-9999-aaaaaaaaaaaa";
    w.ask("c1", w.serial());
    const auto report = w.run(w.intune_revocations.poll(other, core::RequestId("pollrequest00000"))).value();
    BOOST_TEST((report.revoked == 1 && w.told().at("c1") == RevocationCode::none));
    BOOST_TEST(w.certificates().at(0).status == "revoked");
}

BOOST_AUTO_TEST_CASE(the_name_of_the_directory_alone_gives_no_say) {
    Queue w;
    for (const auto address : {&azure::Addresses::login, &azure::Addresses::graph}) {
        auto other = std::make_shared<azure::Account>(*w.azure_account());
        other->id = 4711;
        other->addresses.*address = "https://localhost:8443/";
        w.ask("c" + other->addresses.login, w.serial());
        BOOST_TEST(w.run(w.intune_revocations.poll(other, core::RequestId("pollrequest00000"))).value().revoked == 0);
    }
    auto other = std::make_shared<azure::Account>(*w.azure_account());
    other->id = 4711;
    other->addresses.services.emplace_back("localhost");
    w.ask("c", w.serial());
    BOOST_TEST(w.run(w.intune_revocations.poll(other, core::RequestId("pollrequest00000"))).value().revoked == 0);
    BOOST_TEST(w.certificates().at(0).status == "issued");
}

BOOST_AUTO_TEST_CASE(a_fault_of_one_account_stops_no_other) {
    const std::string second = R"(
[[azure_account]]
name = "second"
directory = "99999999-2222-3333-4444-555555555555"
application = "66666666-7777-8888-9999-aaaaaaaaaaaa"
secret = {value = "a client secret"}

[[endpoint]]
name = "tablets"
protocol = "scep"
ra = "builtin"
profiles = ["phone"]

[[account]]
name = "tablets"
endpoint = "tablets"
method = "intune"
azure_account = "second"
kind = "device"
common_names = ["phone-*"]
)";
    Queue w(std::string(intune_documents) + second);
    std::map<std::string, int> asked;
    w.intune.during_download = [&](const azure::Account& account) {
        ++asked[account.name];
        throw std::runtime_error("a page that no store keeps");
    };
    const auto look = [&](std::chrono::minutes later) {
        w.clock.advance(later);
        w.run(w.intune_revocations.round());
    };
    look(0min);  // draws the moment of the first look, within a minute
    look(1min);
    BOOST_TEST((asked == std::map<std::string, int>{{"corp", 1}, {"second", 1}}));
    look(1min);  // not at once again
    BOOST_TEST(asked["corp"] == 1);
    look(2min);
    BOOST_TEST((asked == std::map<std::string, int>{{"corp", 2}, {"second", 2}}));
}

BOOST_AUTO_TEST_CASE(a_result_that_was_not_taken_waits) {
    Queue w;
    w.ask("c1", w.serial());
    w.intune.upload_answers = {away()};
    BOOST_TEST((w.poll().error().check == "intune.unreachable"));
    BOOST_TEST(w.certificates().at(0).status == "revoked");
    const auto report = w.poll().value();
    BOOST_TEST((report.asked == 0 && report.told == 1));
    BOOST_TEST((w.intune.uploads.size() == 2U && w.told().at("c1") == RevocationCode::none));
}

BOOST_AUTO_TEST_CASE(one_result_that_intune_refuses_holds_nobody_up) {
    Queue w;
    w.ask("c1", w.serial());
    w.ask("c2", w.serial());
    const core::Problem no(core::ProblemKind::incorrect_response, "HTTP 400", "intune.rejected");
    w.intune.upload_answers = {no, no};
    BOOST_TEST(w.poll().value().told == 1);
    BOOST_TEST(w.intune.uploads.size() == 3U);
    BOOST_TEST(w.poll().value().told == 0);
}

BOOST_AUTO_TEST_CASE(documents_say_what_intune_cannot_do) {
    World w;
    const auto wrong = [&](std::string_view from, std::string_view to) {
        const auto report = w.apply(replaced(std::string(intune_documents), from, to));
        BOOST_TEST_REQUIRE(!report.has_value());
        return report.error().detail;
    };
    BOOST_TEST(contains(wrong("kind = \"device\"\n", ""), "kind: known here: client (certificates of persons), device"));
    BOOST_TEST(contains(wrong("kind = \"device\"", "kind = \"user\""), "kind: known here: client (certificates of persons), device"));
    BOOST_TEST(contains(wrong("azure_account = \"corp\"\n", ""), "azure_account: is missing"));
    BOOST_TEST(contains(wrong("azure_account = \"corp\"", "azure_account = \"other\""), "account phones is of method intune: there is no azure_account other"));
    BOOST_TEST(contains(wrong("answer_within = \"2s\"", "answer_within = \"40s\""), "answer_within: expected 1s to 25s"));
    BOOST_TEST(contains(wrong("protocol = \"scep\"", "protocol = \"acme\""), "method: intune is for endpoints of protocol scep"));
    BOOST_TEST(contains(wrong("method = \"intune\"", "method = \"access_code\"\nsecret = {generate = true}"), "is for accounts of method intune"));
    BOOST_TEST(contains(wrong("[\"clientAuth\"]", "[\"clientAuth\", \"emailProtection\"]"), "account phones is of method intune: profile phone gives emailProtection"));
    BOOST_TEST(contains(wrong("answer_within = \"2s\"", "[[account]]\nname = \"more\"\nendpoint = \"phones\"\nmethod = \"access_code\"\nsecret = {generate = true}"),
                        "account more would never be asked"));
    const std::string second = std::string(intune_documents) + "[[account]]\nname = \"second\"\nendpoint = \"phones\"\nmethod = \"intune\"\nkind = \"client\"\nazure_account = \"corp\"\n";
    BOOST_TEST(contains(w.apply(second).error().detail, "account second would never be asked"));
    BOOST_TEST(w.apply(intune_documents).has_value());
    // A profile that somebody changes later, alone.
    const auto changed = w.apply("[[profile]]\nname = \"phone\"\nlifetime = \"30d\"\nkeys = [\"rsa-2048\"]\nextended_key_usage = [\"clientAuth\", \"emailProtection\"]\n"
                                 "common_name = \"text\"\nsubject = [\"CN\"]\nbackend = \"scripted\"\n");
    BOOST_TEST(contains(changed.error().detail, "gives emailProtection"));
}

BOOST_AUTO_TEST_SUITE_END()
