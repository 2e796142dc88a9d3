#include "ra/policy/policy.hpp"

#include "tests/unit/ra/policy_case.hpp"

BOOST_AUTO_TEST_SUITE(ra_policy)

using namespace postern;
using namespace postern::test;
using namespace postern::test::policy;
using core::ProblemKind;

namespace {

struct Refusal {
    std::string_view check;
    ProblemKind kind;
    std::string_view text;
    void (*spoil)(Case&);
};

}  // namespace

BOOST_AUTO_TEST_CASE(every_check_runs_in_the_order_of_the_design) {
    Case c;
    expect_pass(c);
    std::vector<std::string> checks;
    for (const auto& e : c.trace.entries()) {
        checks.push_back(e.check);
        BOOST_TEST((e.verdict == ra::Verdict::pass));
        BOOST_TEST(!e.input.empty(), e.check);
    }
    const std::vector<std::string> order{
        "issuing.open", "tenant.active", "endpoint.active", "account.active", "account.binding", "requester.active",
        "account.organization", "evidence.sufficient", "intune.kind", "challenge.valid", "device.allowed", "profile.allowed", "profile.paused",
        "profile.backend", "profile.term", "key.allowed", "key.blocked", "key.reuse", "csr.extensions", "csr.attributes",
        "subject.text", "subject.form", "names.form", "csr.alternative_names", "csr.security_identifier", "names.agreed",
        "challenge.binding", "device.names", "names.count", "names.profile", "names.scope", "names.suffix", "names.homograph",
        "names.domain", "names.principal", "names.provable", "names.proven", "subject.common_name", "subject.fields", "approval.officer"};
    BOOST_TEST(checks == order, boost::test_tools::per_element());
    const auto json = c.trace.to_json();
    BOOST_TEST(json.starts_with(R"([{"check":"issuing.open","input":"gate open","verdict":"pass"},{"check":"tenant.active",)"));
}

BOOST_AUTO_TEST_CASE(every_check_refuses_with_its_name_and_its_reason) {
    using enum ProblemKind;
    const Refusal cases[] = {
        {"tenant.active", forbidden, "there is no such tenant", [](Case& c) { c.catalog.tenants.clear(); }},
        {"tenant.active", forbidden, "the tenant is disabled", [](Case& c) { c.catalog.tenants[0].active = false; }},
        {"endpoint.active", forbidden, "the endpoint is disabled", [](Case& c) { c.catalog.endpoints[0].active = false; }},
        {"endpoint.active", forbidden, "the endpoint does not serve est", [](Case& c) { c.request.via = ra::Protocol::est; }},
        {"account.active", forbidden, "there is no such endpoint account", [](Case& c) { c.account.reset(); }},
        {"account.active", forbidden, "belongs to another endpoint", [](Case& c) { c.account->endpoint = core::EndpointId(99); }},
        {"account.active", forbidden, "belongs to another endpoint", [](Case& c) { c.account->tenant = core::TenantId(99); }},
        {"account.active", forbidden, "the account is disabled", [](Case& c) { c.account->active = false; }},
        {"account.active", forbidden, "the account expired at 2027-01-15T08:00:00Z", [](Case& c) { c.account->expires = now; }},
        {"account.binding", forbidden, "the endpoint requires an external account binding",
         [](Case& c) { c.account->method = ra::AccountMethod::open; c.catalog.endpoints[0].account_required = true; }},
        {"account.organization", forbidden, "the account's organization is gone", [](Case& c) { c.catalog.organizations.clear(); }},
        {"account.organization", forbidden, "the organization is disabled", [](Case& c) { c.catalog.organizations[0].active = false; }},
        {"account.organization", forbidden, "not of its organization", [](Case& c) { c.catalog.departments[0].organization = core::OrganizationId(3); }},
        {"account.organization", forbidden, "the department is disabled", [](Case& c) { c.catalog.departments[0].active = false; }},
        {"evidence.sufficient", forbidden, "no signature of an account key", [](Case& c) { c.request.evidence.erase(c.request.evidence.begin()); }},
        {"evidence.sufficient", forbidden, "only the server itself enrolls here",
         [](Case& c) { c.request.via = c.catalog.endpoints[0].protocol = ra::Protocol::system; }},
        {"evidence.sufficient", forbidden, "no evidence is defined for this protocol",
         [](Case& c) { c.request.via = c.catalog.endpoints[0].protocol = ra::Protocol::rest; }},
        {"evidence.sufficient", forbidden, "neither a password, nor a token, nor a certificate",
         [](Case& c) { c.request.via = c.catalog.endpoints[0].protocol = ra::Protocol::est; }},
        {"evidence.sufficient", forbidden, "neither a challenge nor a certificate of this endpoint",
         [](Case& c) { c.request.via = c.catalog.endpoints[0].protocol = ra::Protocol::scep; }},
        {"evidence.sufficient", forbidden, "neither a challenge nor a certificate of this endpoint", [](Case& c) { c.device("phone-1", {"*"}), c.account->method = ra::AccountMethod::eab; }},
        {"subject.common_name", rejected_identifier, "none that account team may ask for", [](Case& c) { c.device("phone-1", {"tablet-*", "phone", "*-2"}); }},
        {"subject.common_name", bad_csr, "contains an HTML entity", [](Case& c) { c.device("A &amp; B", {"*"}); }},
        {"profile.allowed", invalid_profile, "there is no such profile here", [](Case& c) { c.request.profile = "gone"; }},
        {"profile.allowed", invalid_profile, "the endpoint does not offer this profile", [](Case& c) { c.request.profile = "other"; }},
        {"profile.allowed", invalid_profile, "neither endpoint nor account allows any profile", [](Case& c) { c.account->profiles = {"other"}; }},
        {"profile.allowed", invalid_profile, "the account may not use this profile",
         [](Case& c) { c.account->profiles = {"other"}, c.request.profile = "server"; }},
        {"profile.allowed", invalid_profile, "the profile is disabled", [](Case& c) { c.catalog.profiles[0].active = false; }},
        {"profile.backend", unavailable, "no CA backend of that name is configured", [](Case& c) { c.catalog.profiles[0].backend = "gone"; }},
        {"profile.term", malformed, "further back than the profile's backdate", [](Case& c) { c.request.not_before = now - 1h; }},
        {"profile.term", malformed, "further back than the profile's backdate", [](Case& c) { c.request.not_before = now - 61s; }},
        {"profile.term", malformed, "longer than the profile's 60d", [](Case& c) { c.request.not_after = now + 24h * 60 + 1s; }},
        {"profile.term", malformed, "notBefore lies too far ahead", [](Case& c) { c.request.not_before = now + 24h * 61; }},
        {"profile.term", malformed, "notAfter is not after notBefore and now", [](Case& c) { c.request.not_after = now; }},
        {"profile.term", malformed, "longer than the profile's 60d", [](Case& c) { c.request.not_after = now + 24h * 61; }},
        {"key.allowed", bad_public_key, "the profile takes ec-p256, rsa-2048",
         [](Case& c) {
             const auto ed25519 = crypto::PrivateKey::generate(*crypto::KeySpec::from("ed25519"));
             c.csr(*c.request.agreed_names, {}, ed25519);
         }},
        {"csr.extensions", bad_csr, "asks for the extended key usage any purpose (2.5.29.37.0), which the profile does not give",
         [](Case& c) { c.usage("2.5.29.37.0"); }},
        {"csr.extensions", bad_csr, "code signing", [](Case& c) { c.usage("1.3.6.1.5.5.7.3.3"); }},
        {"csr.extensions", bad_csr, "OCSP signing", [](Case& c) { c.usage("1.3.6.1.5.5.7.3.9"); }},
        {"csr.extensions", bad_csr, "smart card logon", [](Case& c) { c.usage("1.3.6.1.4.1.311.20.2.2"); }},
        {"csr.extensions", bad_csr, "certificate request agent", [](Case& c) { c.usage("1.3.6.1.4.1.311.20.2.1"); }},
        {"subject.text", bad_csr, "the subject's O has a control character", [](Case& c) { c.organization("Ex\x1b[31mample"); }},
        {"subject.text", bad_csr, "changes the direction of writing", [](Case& c) { c.organization("Ex\xe2\x80\xae" "elpma"); }},
        {"subject.text", bad_csr, "an invisible one", [](Case& c) { c.organization("Ex\xe2\x80\x8b" "ample"); }},
        {"subject.text", bad_csr, "the subject's O begins or ends with a space", [](Case& c) { c.organization(" Example"); }},
        {"subject.text", bad_csr, "the subject's O begins or ends with a space", [](Case& c) { c.organization("Example\xc2\xa0"); }},
        {"subject.form", bad_csr, "several attributes; write one attribute each",
         [](Case& c) { c.csr_with(core::from_hex("3016" "3114" "3008" "060355040b" "0c0161" "3008" "060355040b" "0c0162").value()); }},
        {"subject.form", bad_csr, "T61String or BMPString", [](Case& c) { c.csr_with(Case::subject_of("2.5.4.10", crypto::der::t61_string, core::as_bytes("Ex"))); }},
        {"subject.form", bad_csr, "T61String or BMPString",
         [](Case& c) { c.csr_with(Case::subject_of("2.5.4.10", crypto::der::bmp_string, core::from_hex("00450078").value())); }},
        {"names.form", bad_csr, "the request names nothing to certify", [](Case& c) { c.request.agreed_names.reset(), c.csr({}); }},
        {"names.form", malformed, "a label is empty", [](Case& c) { c.request.agreed_names.reset(), c.csr({host("a..b")}); }},
        {"csr.alternative_names", bad_csr, "certifies no IP addresses", [](Case& c) { c.csr({host("corp.example"), ip("192.0.2.1")}); }},
        {"csr.alternative_names", bad_csr, "certifies no e-mail addresses", [](Case& c) { c.csr({{GeneralNameType::email, "a@corp.example"}}); }},
        {"csr.alternative_names", bad_csr, "certifies no URIs", [](Case& c) { c.csr({{GeneralNameType::uri, "spiffe://corp.example"}}); }},
        {"csr.alternative_names", bad_csr, "no profile certifies names of that type",
         [](Case& c) {
             GeneralName other;
             other.der = core::from_hex("a00b06032a0304a0040c026869").value();  // otherName, UTF-8 "hi"
             c.csr({host("corp.example"), other});
         }},
        {"names.count", malformed, "the profile allows 1 names a certificate", [](Case& c) { c.catalog.profiles[0].names_limit = 1; }},
        {"names.profile", rejected_identifier, "192.0.2.1: the profile certifies no IP addresses",
         [](Case& c) { c.ask({ip("192.0.2.1")}), c.csr({}, {"192.0.2.1"}); }},
        {"names.scope", rejected_identifier,
         "www.other.test: outside the scope of account team, which covers corp.example, .corp.example, .example.net, 192.0.2.1",
         [](Case& c) { c.ask({host("corp.example"), host("www.other.test")}); }},
        {"names.scope", rejected_identifier, "*.corp.example: outside the scope", [](Case& c) { c.ask({host("*.corp.example")}); }},
        {"names.suffix", rejected_identifier, "co.uk is a public suffix, below which names have many owners; only an account whose scope lists \"co.uk\" itself",
         [](Case& c) { c.account->scope.names = {"*"}, c.ask({host("co.uk")}); }},
        {"names.suffix", rejected_identifier, "co.uk is a public suffix", [](Case& c) { c.account->scope.names = {".uk"}, c.ask({host("co.uk")}); }},
        {"names.suffix", rejected_identifier, "only an account whose scope lists \".co.uk\" with wildcard = true may ask for it",
         [](Case& c) { c.account->scope.names = {".uk"}, c.account->scope.wildcard = true, c.ask({host("*.co.uk")}); }},
        {"names.homograph", rejected_identifier, "the label xn--80ak6aa92e is made of letters that look like ASCII ones",
         [](Case& c) { c.account->scope.names = {".com"}, c.ask({host("www.xn--80ak6aa92e.com")}); }},
        {"names.domain", rejected_identifier, "domain xn--80ak6aa92e.com is suspended",
         [](Case& c) {
             c.account->scope.names = {"xn--80ak6aa92e.com"};
             c.catalog.domains[0].name = "xn--80ak6aa92e.com";
             c.catalog.domains[0].active = false;
             c.ask({host("xn--80ak6aa92e.com")});
         }},
        {"names.domain", rejected_identifier, "domain corp.example is suspended", [](Case& c) { c.catalog.domains[0].active = false; }},
        {"names.domain", rejected_identifier, "delegated to another organization", [](Case& c) { c.catalog.domains[0].organization = core::OrganizationId(3); }},
        {"names.proven", rejected_identifier, "corp.example: nobody proved control of it", [](Case& c) { c.request.evidence.resize(2); }},
        {"names.proven", rejected_identifier, "the validation by http-01 expired at 2027-01-15T08:00:00Z",
         [](Case& c) { c.request.evidence.resize(2), c.prove(host("corp.example"), "http-01", now); }},
        {"names.proven", rejected_identifier, "http-01 cannot prove a wildcard",
         [](Case& c) { c.account->scope.wildcard = true, c.ask({host("*.corp.example")}); }},
        {"names.proven", rejected_identifier, "tls-alpn-01 cannot prove a wildcard",
         [](Case& c) { c.account->scope.wildcard = true, c.ask({host("*.corp.example")}), c.request.evidence.back().method = "tls-alpn-01"; }},
        {"names.proven", rejected_identifier, "dns-01 cannot prove an address",
         [](Case& c) {
             const GeneralName address(GeneralNameType::ip, "192.0.2.1");
             c.catalog.profiles[0].ip_names = true;
             c.ask({address}), c.request.evidence.back().method = "dns-01";
         }},
        {"names.proven", rejected_identifier, "it was proven by http-01, which the profile does not take any more",
         [](Case& c) { c.catalog.profiles[0].challenges = {"dns-01"}; }},
        {"names.provable", rejected_identifier, "wildcards are proven by dns-01, and the profile takes no such challenge",
         [](Case& c) {
             c.catalog.profiles[0].challenges = {"http-01", "tls-alpn-01"};
             c.account->scope.wildcard = true, c.ask({host("*.corp.example")});
         }},
        {"names.provable", rejected_identifier, "addresses are proven by http-01 or tls-alpn-01, and the profile takes no such challenge",
         [](Case& c) {
             c.catalog.profiles[0].challenges = {"dns-01", "dns-account-01"};
             c.catalog.profiles[0].ip_names = true, c.ask({GeneralName(GeneralNameType::ip, "192.0.2.1")});
         }},
        {"subject.common_name", bad_csr, "a TLS server certificate has one",
         [](Case& c) { c.csr(*c.request.agreed_names, {"corp.example", "www.corp.example"}); }},
        {"subject.common_name", bad_csr, "at most 64",
         [](Case& c) {
             const auto name = std::string(60, 'a') + ".corp.example";
             c.ask({host(name)}), c.csr({}, {name});
         }},
    };
    for (const auto& refusal : cases) BOOST_TEST_CONTEXT(refusal.check << ": " << refusal.text) {
        Case c;
        refusal.spoil(c);
        const auto r = c.decide();
        BOOST_TEST_REQUIRE(!r.has_value());
        check_problem(r.error(), refusal.kind, refusal.check, refusal.text);
        BOOST_TEST(c.trace.entries().back().check == refusal.check);
        BOOST_TEST((c.trace.entries().back().verdict == ra::Verdict::refuse));
        BOOST_TEST(contains(c.trace.to_json(), R"("verdict":"refuse","reason":)"));
    }
}

BOOST_AUTO_TEST_CASE(what_a_csr_says_beside_its_names_is_passed_over_and_told) {
    Case c;
    crypto::der::Writer usage;
    usage.begin(crypto::der::sequence).oid(Case::server_auth).oid("1.3.6.1.5.5.7.3.2").end();
    const auto bytes = [](std::string_view hex) { return core::from_hex(hex).value(); };
    core::Bytes extensions = csr_extension(crypto::oid_basic_constraints, bytes("30060101ff020100"), "0101ff");
    extensions = joined(extensions, csr_extension(crypto::oid_key_usage, bytes("03020106")));
    extensions = joined(extensions, csr_extension("2.5.29.30", bytes("300ca00a3008820665782e636f6d")));
    extensions = joined(extensions, csr_extension(crypto::oid_extended_key_usage, usage.bytes()));
    extensions = joined(extensions, csr_extension("1.3.6.1.4.1.311.25.2", bytes("0500")));
    extensions = joined(extensions, csr_extension("1.3.6.1.4.1.311.20.2", bytes("1e020041")));
    extensions = joined(extensions, csr_extension("1.2.3.4", bytes("0500")));
    c.csr_with(Case::nothing(), extensions, csr_attribute("1.3.6.1.4.1.311.13.2.1", bytes("0500")));
    expect_pass(c);
    const auto json = c.trace.to_json();
    BOOST_TEST(contains(json, R"("check":"csr.extensions","input":"not followed: basicConstraints, keyUsage, nameConstraints, extendedKeyUsage, )"
                              R"(Windows security identifier, Windows template name, 1.2.3.4")"), json);
    BOOST_TEST(contains(json, R"("check":"csr.attributes","input":"not read: Windows name and value pairs")"), json);
    const auto content = ra::resolve_content(c.input());
    BOOST_TEST((content.extended_key_usage == std::vector<std::string>{"1.3.6.1.5.5.7.3.1"}));
    BOOST_TEST((content.key_usage == std::vector{crypto::KeyUsageBit::digital_signature}));
}

BOOST_AUTO_TEST_CASE(a_profile_may_give_what_is_refused_elsewhere) {
    Case c;
    c.catalog.profiles[0].extended_key_usage = {"1.3.6.1.5.5.7.3.3"};
    c.usage("1.3.6.1.5.5.7.3.3");
    expect_pass(c);
    // No TLS server reads this subject: it is rebuilt, whatever its form.
    c.csr_with(core::from_hex("3016" "3114" "3008" "060355040b" "0c0161" "3008" "060355040b" "0c0162").value());
    expect_pass(c);
}

BOOST_AUTO_TEST_CASE(internal_names_and_suffixes_are_for_scopes_that_list_them) {
    struct Wish {
        std::vector<std::string> scope;
        std::string name;
    };
    for (const auto& wish : {Wish{{".lan"}, "nas.lan"}, Wish{{"nas.lan"}, "nas.lan"}, Wish{{"*"}, "nas.lan"}, Wish{{"co.uk"}, "co.uk"},
                             Wish{{"xn--80ak6aa92e.com"}, "xn--80ak6aa92e.com"}, Wish{{".xn--p1ai"}, "xn--n1aen.xn--p1ai"}}) {
        Case c;
        c.account->scope.names = wish.scope;
        c.ask({host(wish.name)});
        BOOST_TEST_CONTEXT(wish.name) { expect_pass(c); }
    }
    Case c;
    c.account->scope.names = {".co.uk"};
    c.account->scope.wildcard = true;
    c.ask({host("*.co.uk")});
    c.prove(host("*.co.uk"), "dns-01");
    expect_pass(c);
}

BOOST_AUTO_TEST_CASE(an_unknown_endpoint_is_refused) {
    Case c;
    c.request.endpoint = core::EndpointId(99);
    check_refused(c.decide(), ProblemKind::forbidden, "there is no such tenant");
}

BOOST_AUTO_TEST_CASE(each_bad_name_is_a_subproblem) {
    Case c;
    c.ask({host("a.other.test"), host("corp.example"), host("b.other.test")});
    const auto r = c.decide();
    BOOST_TEST_REQUIRE(!r.has_value());
    BOOST_TEST_REQUIRE(r.error().subproblems.size() == 2U);
    BOOST_TEST(r.error().subproblems[0].identifier == "a.other.test");
    BOOST_TEST(r.error().subproblems[1].identifier == "b.other.test");
    BOOST_TEST(r.error().subproblems[1].identifier_type == "dns");
}

BOOST_AUTO_TEST_CASE(the_csr_asks_for_exactly_what_was_agreed) {
    struct Wish {
        std::vector<GeneralName> names;
        std::vector<std::string> common_names;
        std::string_view refusal;  // empty: it passes
    };
    const Wish wishes[] = {
        {{host("corp.example"), host("www.corp.example")}, {}, ""},
        {{host("WWW.corp.example"), host("CORP.example")}, {"Corp.Example"}, ""},
        {{host("www.corp.example")}, {"corp.example"}, ""},
        {{host("corp.example"), host("corp.example"), host("www.corp.example")}, {}, ""},
        {{}, {"corp.example"}, "the CSR lacks www.corp.example, which the order has"},
        {{host("corp.example")}, {}, "the CSR lacks www.corp.example, which the order has"},
        {{host("corp.example"), host("www.corp.example"), host("mail.corp.example")}, {}, "asks for mail.corp.example, which is not in the order"},
        {{host("corp.example"), host("www.corp.example")}, {"mail.corp.example"}, "asks for mail.corp.example, which is not in the order"},
        {{host("corp.example"), host("www.corp.example")}, {"192.0.2.1"}, "asks for 192.0.2.1, which is not in the order"},
        {{host("corp.example"), host("www.corp.example")}, {"John Doe"}, "the common name is none of the order's identifiers"},
        {{host("corp.example"), host("-.corp.example")}, {}, "a label begins or ends with a hyphen"},
    };
    for (const auto& wish : wishes) {
        Case c;
        c.csr(wish.names, wish.common_names);
        BOOST_TEST_CONTEXT(wish.refusal) {
            if (wish.refusal.empty()) {
                expect_pass(c);
                continue;
            }
            const auto r = c.decide();
            BOOST_TEST_REQUIRE(!r.has_value());
            check_problem(r.error(), ProblemKind::bad_csr, "names.agreed", wish.refusal);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_order_of_one_name_is_met_by_a_common_name_alone) {
    Case c;
    c.ask({host("corp.example")});
    c.csr({}, {"corp.example"});
    expect_pass(c);
}

BOOST_AUTO_TEST_CASE(without_an_agreement_the_names_are_the_csrs) {
    Case c;
    c.request.agreed_names.reset();
    c.csr({host("WWW.corp.example"), host("www.corp.example")}, {"corp.example"});
    const auto in = c.input();
    BOOST_TEST((in.names == std::vector{host("www.corp.example"), host("corp.example")}));
    c.csr({host("corp.example")}, {"John Doe"});
    BOOST_TEST((c.input().names == std::vector{host("corp.example")}));
    c.csr({}, {"192.0.2.1"});
    BOOST_TEST((c.input().names == std::vector{ip("192.0.2.1")}));
}

BOOST_AUTO_TEST_CASE(content_comes_from_the_profile_and_the_organization) {
    Case c;
    const auto in = c.input();
    const auto content = ra::resolve_content(in);
    BOOST_TEST(content.subject.to_text() == "CN=www.corp.example,OU=it,O=acme,C=DE");
    BOOST_TEST((content.names == *c.request.agreed_names));
    BOOST_TEST((content.not_before == now - 1min));
    BOOST_TEST((content.not_after == now - 1min + 24h * 30 - 1s));
    BOOST_TEST((content.key_usage == std::vector{crypto::KeyUsageBit::digital_signature}));
    BOOST_TEST(content.tls_server);
    BOOST_TEST(!content.must_staple);
    BOOST_TEST(content.profile_version == 3);
}

BOOST_AUTO_TEST_CASE(dates_that_were_asked_for_are_given_and_never_stretch_the_term) {
    Case c;
    c.request.not_before = now + 24h;
    c.request.not_after = now + 48h;
    expect_pass(c);
    auto content = ra::resolve_content(c.input());
    BOOST_TEST((content.not_before == now + 24h && content.not_after == now + 48h));

    c.request.not_before.reset();
    content = ra::resolve_content(c.input());
    BOOST_TEST((content.not_before == now - 1min && content.not_after == now + 48h));

    // The longest term: backdating would make it longer still.
    c.request.not_after = now + 24h * 60;
    expect_pass(c);
    content = ra::resolve_content(c.input());
    BOOST_TEST((content.not_before == now && content.not_after == now + 24h * 60));
}

BOOST_AUTO_TEST_CASE(a_common_name_is_one_of_the_names_or_absent) {
    Case c;
    c.csr(*c.request.agreed_names, {"CORP.example"});
    BOOST_TEST(ra::resolve_content(c.input()).subject.values(DnAttribute::common_name).at(0) == "corp.example");
    c.ask({host(std::string(60, 'a') + ".corp.example")});
    BOOST_TEST(ra::resolve_content(c.input()).subject.values(DnAttribute::common_name).empty());
}

BOOST_AUTO_TEST_CASE(a_larger_rsa_key_is_as_good) {
    Case c;
    const auto rsa = crypto::PrivateKey::generate(*crypto::KeySpec::from("rsa-3072"));
    c.csr(*c.request.agreed_names, {}, rsa);
    expect_pass(c);
    const auto content = ra::resolve_content(c.input());
    BOOST_TEST((content.key_usage == std::vector{crypto::KeyUsageBit::digital_signature, crypto::KeyUsageBit::key_encipherment}));
    c.catalog.profiles[0].keys = {*crypto::KeySpec::from("rsa-4096")};
    check_refused(c.decide(), ProblemKind::bad_public_key, "the profile takes rsa-4096");
}

BOOST_AUTO_TEST_SUITE_END()
