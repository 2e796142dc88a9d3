#include "core/crypto/security_identifier.hpp"
#include "tests/unit/ra/policy_case.hpp"

/// Names that phones, laptops and people have: kinds, scopes, subjects, strong mapping.
BOOST_AUTO_TEST_SUITE(ra_policy_identity)

using namespace postern;
using namespace postern::test;
using namespace postern::test::policy;
using core::ProblemKind;

namespace {

using Kind = ra::Evidence::Kind;

GeneralName email(std::string text) { return {GeneralNameType::email, std::move(text)}; }
GeneralName uri(std::string text) { return {GeneralNameType::uri, std::move(text)}; }
GeneralName upn(std::string text) { return {GeneralNameType::upn, std::move(text)}; }

const std::string sid = "S-1-5-21-3623811015-3361044348-30300820-1104";
const std::string sid_uri = "tag:microsoft.com,2022-09-14:sid:" + sid;

/// A phone with the right challenge. Its profile certifies every kind and its account's scope has some of each, until a case
/// takes something away.
struct Phone : Case {
    Phone() {
        device("phone-1", {"phone-*"});
        auto& p = profile();
        p.email_names = p.uri_names = p.upn_names = true;
        account->scope.emails = {"jane@corp.example", "*@mail.corp.example"};
        account->scope.uris = {"urn:device:7", "IntuneDeviceId://*", "https://corp.example/users/*"};
        account->scope.upns = {"*@corp.example", "HOST$@corp.example"};
        catalog.organizations[0].principal_names = true;
    }
    ra::Profile& profile() { return catalog.profiles[0]; }
    void names(const std::vector<GeneralName>& wished) { csr(wished, {"phone-1"}); }
    void proven_by(Kind kind) { request.evidence = {ra::Evidence::of(kind, "it", now)}; }
    /// As the front end of an account of Intune composes it.
    void by_intune(ra::StrongMapping mapping) {
        profile().strong_mapping = mapping;
        request.evidence = {ra::Evidence::of(Kind::challenge, "code", now), ra::Evidence::of(Kind::intune, "tenant", now)};
    }
    void subject(const std::vector<crypto::DnEntry>& entries, const std::vector<GeneralName>& wished = {}, bool sid_extension = false) {
        crypto::DistinguishedName name;
        name.entries = entries;
        CsrParts parts;
        parts.subject = name.to_der();
        core::Bytes extensions = wished.empty() ? core::Bytes() : dns_names_extension(wished);
        if (sid_extension) extensions = joined(extensions, csr_extension(crypto::oid_security_identifier, crypto::security_identifier_extension(sid)));
        if (!extensions.empty()) parts.attributes = extension_request(extensions);
        request.csr = crypto::Csr::parse(parts.sign(key())).value();
    }
    /// What a check said that it looked at.
    std::string told(std::string_view check) const {
        for (const auto& e : trace.entries())
            if (e.check == check) return e.input;
        return "it did not run";
    }
};
const crypto::DnEntry phone_1(DnAttribute::common_name, "phone-1");

void expect_refusal(Phone& phone, ProblemKind kind, std::string_view check, std::string_view text) {
    phone.trace = ra::Trace();
    const auto r = phone.decide();
    BOOST_TEST(!r.has_value(), "it was let through");
    if (!r) check_problem(r.error(), kind, check, text);
}
void expect_names(Phone& phone, const std::vector<GeneralName>& expected) {
    phone.trace = ra::Trace();
    expect_pass(phone);
    BOOST_TEST((ra::resolve_content(phone.input()).names == expected));
}

}  // namespace

BOOST_AUTO_TEST_CASE(names_within_the_scope_are_certified_octet_by_octet) {
    Phone phone;
    const std::vector<GeneralName> names{email("jane@corp.example"), email("any.one+tag@mail.corp.example"), uri("urn:device:7"), uri("IntuneDeviceId://A,b:c"),
                                         uri("https://corp.example/users/1?a=%20#f"), upn("Jörg.O'Neill@CORP.example"), upn("host$@corp.example")};
    phone.names(names);
    expect_names(phone, names);
    // A mailbox's domain has one spelling; its local part is its owner's matter.
    phone.names({email("Jane.Doe@MAIL.Corp.Example")});
    expect_names(phone, {email("Jane.Doe@mail.corp.example")});
}

BOOST_AUTO_TEST_CASE(every_kind_is_denied_until_a_profile_and_a_scope_allow_it) {
    struct Denied {
        GeneralName name;
        bool ra::Profile::*flag;
        std::string_view refusal;
        std::string_view outside;
    };
    const Denied kinds[] = {
        {email("jane@corp.example"), &ra::Profile::email_names, "the profile certifies no e-mail addresses", "which covers no email at all"},
        {uri("urn:device:7"), &ra::Profile::uri_names, "the profile certifies no URIs", "which covers no uri at all"},
        {upn("jane@corp.example"), &ra::Profile::upn_names, "the profile certifies no principal names", "which covers no upn at all"},
        {ip("192.0.2.1"), &ra::Profile::ip_names, "the profile certifies no IP addresses", "which covers no name at all"},
    };
    for (const auto& kind : kinds) BOOST_TEST_CONTEXT(crypto::to_text(kind.name)) {
        Phone phone;
        phone.names({kind.name});
        phone.profile().*kind.flag = false;
        expect_refusal(phone, ProblemKind::bad_csr, "csr.alternative_names", kind.refusal);
        phone.profile().*kind.flag = true;
        phone.account->scope = ra::NameScope();
        expect_refusal(phone, ProblemKind::rejected_identifier, "names.scope", crypto::to_text(kind.name) + ": outside the scope of account team, " + std::string(kind.outside));
        // Hosts in the scope are none of the other kinds.
        phone.account->scope.names = {"*"};
        if (kind.name.type != GeneralNameType::ip) expect_refusal(phone, ProblemKind::rejected_identifier, "names.scope", kind.outside);
    }
    Phone phone;
    phone.names({email("jane@other.test")});
    const auto r = phone.decide();
    BOOST_TEST_REQUIRE(!r.has_value());
    BOOST_TEST_REQUIRE(r.error().subproblems.size() == 1U);
    BOOST_TEST(r.error().subproblems[0].identifier_type == "email");
    BOOST_TEST(r.error().subproblems[0].identifier == "jane@other.test");
}

BOOST_AUTO_TEST_CASE(scopes_cover_what_they_say_and_nothing_beside_it) {
    const std::pair<GeneralName, bool> cases[] = {
        {email("jane@corp.example"), true},         {email("jane@CORP.example"), true},           {email("Jane@corp.example"), false},
        {email("x@mail.corp.example"), true},       {email("x@a.mail.corp.example"), false},      {email("x@xmail.corp.example"), false},
        {email("jane@corp.example.test"), false},   {uri("urn:device:7"), true},                  {uri("urn:device:77"), false},
        {uri("URN:device:7"), false},               {uri("IntuneDeviceId://x"), true},            {uri("intunedeviceid://x"), false},
        {uri("https://corp.example/users/x"), true}, {uri("https://corp.example/user"), false},   {uri("https://corp.example.test/users/x"), false},
        {uri("http://corp.example/users/x"), false}, {upn("jane@corp.example"), true},            {upn("jane@corp.EXAMPLE"), true},
        {upn("jane@sub.corp.example"), false},      {upn("jane@xcorp.example"), false},           {upn("HOST$@corp.example"), true},
        {upn("host$@CORP.example"), true},          {upn("DC01$@corp.example"), false},
    };
    for (const auto& [name, covered] : cases) BOOST_TEST_CONTEXT(crypto::to_text(name)) {
        Phone phone;
        phone.names({name});
        if (covered) expect_pass(phone);
        else expect_refusal(phone, ProblemKind::rejected_identifier, "names.scope", "outside the scope of account team");
    }
    Phone open;
    open.account->scope.emails = open.account->scope.uris = open.account->scope.upns = {"*"};
    open.names({email("a@any.test"), uri("urn:any"), upn("a@any.test")});
    expect_pass(open);
    open.names({upn("DC01$@any.test")});
    expect_refusal(open, ProblemKind::rejected_identifier, "names.scope", "upn:DC01$@any.test: outside the scope");
}

BOOST_AUTO_TEST_CASE(names_that_are_none_are_refused) {
    Phone phone;
    phone.account->scope.emails = phone.account->scope.uris = phone.account->scope.upns = {"*"};
    const std::pair<GeneralName, std::string_view> cases[] = {
        {email("jane"), "is no mailbox"},                     {email("@corp.example"), "is no mailbox"},
        {email("a@b@corp.example"), "has a domain that"},     {email("Jane <jane@corp.example>"), "is no mailbox"},
        {email("\"a b\"@corp.example"), "is no mailbox"},     {email(".a@corp.example"), "is no mailbox"},
        {email("a..b@corp.example"), "is no mailbox"},        {email("a@"), "has a domain that is empty"},
        {email("a@[192.0.2.1]"), "has a domain that"},        {email("a@192.0.2.1"), "is an IP address"},
        {email("a,b@corp.example"), "is no mailbox"},         {email(std::string(65, 'a') + "@corp.example"), "is no mailbox"},
        {email("a@" + std::string(254, 'b')), "is longer than 254 octets"},
        {uri("corp.example"), "is no absolute URI"},          {uri("1a:b"), "is no absolute URI"},
        {uri("urn:"), "is no absolute URI"},                  {uri("urn:a b"), "has a character that a URI writes as %"},
        {uri("urn:a%2"), "has a character"},                  {uri("urn:a%zz"), "has a character"},
        {uri("urn:<a>"), "has a character"},                  {uri("https://corp.example@evil.test/"), "has user information"},
        {uri("https://corp.example/users/../admin"), "has a segment"}, {uri("https://corp.example/users/%2e%2E/admin"), "has a segment"},
        {uri("https://corp.example/users/.%2e"), "has a segment"}, {uri("urn:" + std::string(2048, 'a')), "is longer than 2048 octets"},
        {upn("jane"), "is no principal name"},                {upn("@corp.example"), "is no principal name"},
        {upn("corp\\jane@corp.example"), "is no principal name"}, {upn("a@b@corp.example"), "has a suffix that"},
        {upn("a b@corp.example"), "is no principal name"},    {upn("a*@corp.example"), "is no principal name"},
        {upn("a\xe2\x80\xae" "b@corp.example"), "an invisible one"}, {upn("a@corp_example"), "has a suffix that"},
        {upn("a@"), "has a suffix that is empty"},            {upn(std::string(250, 'a') + "@corp.example"), "is longer than 256 octets"},
    };
    for (const auto& [name, text] : cases) BOOST_TEST_CONTEXT(crypto::to_text(name)) {
        phone.names({name});
        expect_refusal(phone, ProblemKind::malformed, "names.form", text);
    }
}

BOOST_AUTO_TEST_CASE(a_profile_may_leave_out_what_it_does_not_certify) {
    Phone phone;
    GeneralName service;
    service.der = core::from_hex("a00e06062b0601050202a0040c026869").value();
    phone.profile().drop_other_names = true;
    phone.profile().uri_names = phone.profile().upn_names = false;
    phone.names({email("jane@corp.example"), uri("not a uri at all"), upn("boss@corp.example"), ip("192.0.2.1"), service});
    expect_names(phone, {email("jane@corp.example")});
    BOOST_TEST(phone.told("csr.alternative_names") ==
               "5 alternative names, left out: uri:not a uri at all, upn:boss@corp.example, 192.0.2.1, other:a00e06062b0601050202a0040c026869");
    // Names of a kind that it certifies are never left out.
    phone.names({email("boss@other.test"), upn("jane@corp.example")});
    expect_refusal(phone, ProblemKind::rejected_identifier, "names.scope", "email:boss@other.test: outside the scope");
    // A device with nothing but its common name is one still.
    phone.names({upn("jane@corp.example")});
    expect_names(phone, {});
    // What says who somebody is to a directory is refused all the same.
    phone.names({uri(sid_uri)});
    expect_refusal(phone, ProblemKind::bad_csr, "csr.security_identifier", "the profile maps none (strong_mapping)");
}

BOOST_AUTO_TEST_CASE(a_mailbox_is_in_a_domain_of_the_organization) {
    Phone phone;
    phone.names({email("jane@corp.example")});
    phone.catalog.domains[0].active = false;
    expect_refusal(phone, ProblemKind::rejected_identifier, "names.domain", "email:jane@corp.example: domain corp.example is suspended");
    phone.catalog.domains[0].active = true;
    phone.catalog.domains[0].organization = core::OrganizationId(3);
    expect_refusal(phone, ProblemKind::rejected_identifier, "names.domain", "domain corp.example is delegated to another organization");
}

BOOST_AUTO_TEST_CASE(an_organization_allows_principal_names) {
    Phone phone;
    phone.names({upn("jane@corp.example")});
    expect_pass(phone);
    BOOST_TEST(phone.told("names.principal") == "allowed by organization acme");
    phone.catalog.organizations[0].principal_names = false;
    expect_refusal(phone, ProblemKind::rejected_identifier, "names.principal", "organization acme does not allow principal names (principal_names)");
    phone.account->organization.reset();
    phone.account->department.reset();
    expect_refusal(phone, ProblemKind::rejected_identifier, "names.principal", "account team belongs to no organization, and an organization must allow principal names");
}

BOOST_AUTO_TEST_CASE(common_names_are_hosts_or_the_persons_own) {
    Phone phone;
    phone.profile().text_common_name = false;
    phone.csr({email("jane@corp.example"), host("www.corp.example")}, {});
    BOOST_TEST(ra::resolve_content(phone.input()).subject.values(DnAttribute::common_name).at(0) == "www.corp.example");
    phone.csr({email("jane@corp.example"), upn("jane@corp.example")}, {"jane@corp.example"});
    BOOST_TEST(ra::resolve_content(phone.input()).subject.values(DnAttribute::common_name).at(0) == "jane@corp.example");
    phone.csr({email("jane@corp.example"), uri("urn:device:7")}, {"urn:device:7"});
    BOOST_TEST(ra::resolve_content(phone.input()).subject.values(DnAttribute::common_name).empty());
}

BOOST_AUTO_TEST_CASE(subjects_take_from_the_csr_what_the_template_names) {
    Phone phone;
    const crypto::DnEntry mailbox(DnAttribute::email, "jane@CORP.example"), serial(DnAttribute::serial_number, "FOC1234"), unit(DnAttribute::organizational_unit, "Domain Admins");
    crypto::DnEntry uid(DnAttribute::other, "root");
    uid.oid = "0.9.2342.19200300.100.1.1";
    phone.account->serial_numbers = {"FOC*"};
    phone.profile().subject = {"CN", "O"};
    phone.subject({phone_1, mailbox, serial, unit, uid});
    expect_pass(phone);
    BOOST_TEST(ra::resolve_content(phone.input()).subject.to_text() == "CN=phone-1,O=acme");
    BOOST_TEST(phone.told("subject.fields") == "none of the CSR's");
    phone.profile().subject = {"CN", "O", "E", "serialNumber"};
    phone.trace = ra::Trace();
    expect_pass(phone);
    BOOST_TEST(ra::resolve_content(phone.input()).subject.to_text() == "E=jane@corp.example,serialNumber=FOC1234,CN=phone-1,O=acme");
    BOOST_TEST(phone.told("subject.fields") == "serialNumber=FOC1234, E=jane@corp.example");
    phone.subject({phone_1});
    expect_pass(phone);
    BOOST_TEST(ra::resolve_content(phone.input()).subject.to_text() == "CN=phone-1,O=acme");

    struct Wrong {
        std::vector<crypto::DnEntry> entries;
        ProblemKind kind;
        std::string_view text;
    };
    const Wrong wrong[] = {
        {{phone_1, {DnAttribute::serial_number, "XOC1"}}, ProblemKind::rejected_identifier, "the subject's serialNumber is none that account team may ask for (serial_numbers)"},
        {{phone_1, {DnAttribute::email, "boss@corp.example"}}, ProblemKind::rejected_identifier, "the subject's E is none that account team may ask for (emails)"},
        {{phone_1, serial, serial}, ProblemKind::bad_csr, "the subject has serialNumber more than once"},
        {{phone_1, mailbox, mailbox}, ProblemKind::bad_csr, "the subject has E more than once"},
        {{phone_1, {DnAttribute::email, "jane"}}, ProblemKind::bad_csr, "is no mailbox"},
        {{phone_1, {DnAttribute::serial_number, "FOC_1"}}, ProblemKind::bad_csr, "has characters that a PrintableString cannot hold"},
        {{phone_1, {DnAttribute::serial_number, "FOC" + std::string(62, '1')}}, ProblemKind::bad_csr, "64 are the most"},
    };
    for (const auto& each : wrong) BOOST_TEST_CONTEXT(each.text) {
        phone.subject(each.entries);
        expect_refusal(phone, each.kind, "subject.fields", each.text);
    }
    phone.subject({phone_1, mailbox});
    phone.catalog.domains[0].active = false;
    expect_refusal(phone, ProblemKind::rejected_identifier, "subject.fields", "the subject's E: domain corp.example is suspended");
}

BOOST_AUTO_TEST_CASE(intune_vouches_for_a_security_identifier) {
    Phone phone;
    phone.profile().uri_names = false;  // strong mapping is a leave of its own
    phone.names({upn("jane@corp.example"), uri(sid_uri)});
    phone.by_intune(ra::StrongMapping::uri);
    expect_names(phone, {upn("jane@corp.example"), uri(sid_uri)});
    BOOST_TEST(ra::resolve_content(phone.input()).security_identifier.empty());
    BOOST_TEST(phone.told("csr.security_identifier") == sid + ", by Intune");
    phone.by_intune(ra::StrongMapping::extension);
    expect_names(phone, {upn("jane@corp.example")});
    BOOST_TEST(ra::resolve_content(phone.input()).security_identifier == sid);
    // Without one in the CSR there is none in the certificate.
    phone.names({upn("jane@corp.example")});
    expect_names(phone, {upn("jane@corp.example")});
    BOOST_TEST(ra::resolve_content(phone.input()).security_identifier.empty());
    phone.names({uri(sid_uri)});
    phone.by_intune(ra::StrongMapping::none);
    expect_refusal(phone, ProblemKind::bad_csr, "csr.alternative_names", "the profile certifies no URIs");
    phone.profile().uri_names = true;
    expect_refusal(phone, ProblemKind::bad_csr, "csr.security_identifier", "the profile maps none (strong_mapping)");
}

BOOST_AUTO_TEST_CASE(nobody_else_vouches_for_one) {
    for (const auto mapping : {ra::StrongMapping::none, ra::StrongMapping::uri, ra::StrongMapping::extension}) {
        Phone phone;
        phone.profile().strong_mapping = mapping;
        phone.account->scope.uris = {"*"};
        phone.names({uri(sid_uri)});
        const std::string_view why = mapping == ra::StrongMapping::none ? "the profile maps none" : "which is taken from a CSR alone that Intune validated";
        expect_refusal(phone, ProblemKind::bad_csr, "csr.security_identifier", why);
        phone.proven_by(Kind::certificate);
        expect_refusal(phone, ProblemKind::bad_csr, "csr.security_identifier", why);
        // A renewal, whatever vouched for the certificate at its time.
        phone.by_intune(mapping);
        phone.request.evidence.push_back(ra::Evidence::of(Kind::certificate, "digest", now));
        expect_refusal(phone, ProblemKind::bad_csr, "csr.security_identifier", why);
    }
    Phone server;  // another protocol
    server.by_intune(ra::StrongMapping::uri);
    server.request.via = server.catalog.endpoints[0].protocol = ra::Protocol::acme;
    server.request.evidence.push_back(ra::Evidence::of(Kind::account_key, "thumbprint", now));
    server.names({uri(sid_uri)});
    expect_refusal(server, ProblemKind::bad_csr, "csr.security_identifier", "which is taken from a CSR alone that Intune validated");
}

BOOST_AUTO_TEST_CASE(a_security_identifier_in_disguise_is_refused_even_from_intune) {
    GeneralName wide;  // an otherName that holds it in UTF-16
    std::string text;
    for (const char c : sid_uri) text += {'\0', c};
    crypto::der::Writer other;
    other.begin(crypto::der::context_constructed(0)).oid("1.3.6.1.4.1.311.25.1").begin(crypto::der::context_constructed(0));
    other.text(crypto::der::bmp_string, text).end().end();
    wide.der = other.take();
    std::string capitals = sid_uri;
    capitals[0] = 'T';
    const std::vector<GeneralName> disguises[] = {
        {uri(capitals)}, {uri(sid_uri + "0000000")}, {uri(sid_uri + "?")}, {uri(sid_uri + "%20")}, {uri("tag:microsoft.com%2c2022-09-14:sid:" + sid)},
        {uri("tag:microsoft.com,2022-09-14:sid:S-1-5-32-544")}, {uri("tag:microsoft.com,2022-09-14:SID:" + sid)}, {upn(sid_uri + "@corp.example")},
        {upn("microsoft.com,2022-09-14@corp.example")}, {wide},
    };
    for (const auto& names : disguises) BOOST_TEST_CONTEXT(crypto::to_text(names.front())) {
        Phone phone;
        phone.by_intune(ra::StrongMapping::uri);
        phone.account->scope.uris = phone.account->scope.upns = {"*"};
        phone.profile().drop_other_names = true;
        phone.profile().upn_names = false;
        phone.names(names);
        expect_refusal(phone, ProblemKind::bad_csr, "csr.security_identifier", "looks like a security identifier of Windows and is none");
    }
    Phone phone;
    phone.by_intune(ra::StrongMapping::extension);
    phone.names({uri(sid_uri), uri("tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500")});
    expect_refusal(phone, ProblemKind::bad_csr, "csr.security_identifier", "the CSR names two security identifiers of Windows");
    phone.names({uri(sid_uri), uri(sid_uri)});
    expect_refusal(phone, ProblemKind::bad_csr, "csr.security_identifier", "the CSR names two security identifiers of Windows");
    phone.names({host("tag:microsoft.com,2022-09-14:sid:" + sid)});
    expect_refusal(phone, ProblemKind::malformed, "names.form", "is not a DNS name");
    phone.account->common_names = {"*"};
    phone.subject({{DnAttribute::common_name, "Tag:microsoft.com,2022-09-14:sid:" + sid}});
    expect_refusal(phone, ProblemKind::bad_csr, "csr.security_identifier", "has no place in a subject");
    phone.subject({phone_1, {DnAttribute::organizational_unit, sid_uri}});
    expect_refusal(phone, ProblemKind::bad_csr, "csr.security_identifier", "has no place in a subject");
    phone.request.csr = crypto::Csr::parse([&] {
        CsrParts parts;
        std::string utf16;
        for (const char c : sid_uri) utf16 += {'\0', c};
        parts.subject = Case::subject_of("2.5.4.3", crypto::der::bmp_string, core::as_bytes(utf16));
        return parts.sign(Case::key());
    }()).value();
    expect_refusal(phone, ProblemKind::bad_csr, "csr.security_identifier", "has no place in a subject");
}

BOOST_AUTO_TEST_CASE(the_extension_of_a_csr_is_left_out_or_refused) {
    for (const auto mapping : {ra::StrongMapping::none, ra::StrongMapping::uri, ra::StrongMapping::extension}) {
        Phone phone;
        phone.by_intune(mapping);
        phone.subject({phone_1}, {}, true);
        expect_pass(phone);
        BOOST_TEST(ra::resolve_content(phone.input()).security_identifier.empty());
        BOOST_TEST(phone.told("csr.security_identifier") == "none; the extension that the CSR asks for is left out");
        BOOST_TEST(phone.told("csr.extensions") == "not followed: Windows security identifier");
        phone.profile().refuse_sid_extension = true;
        expect_refusal(phone, ProblemKind::bad_csr, "csr.security_identifier", "asks for the extension 1.3.6.1.4.1.311.25.2, which the profile refuses (sid_extension)");
    }
    // The URI counts, whatever the extension beside it says.
    Phone phone;
    phone.by_intune(ra::StrongMapping::extension);
    phone.subject({phone_1}, {uri("tag:microsoft.com,2022-09-14:sid:S-1-5-21-7-8-9-1001")}, true);
    expect_pass(phone);
    BOOST_TEST(ra::resolve_content(phone.input()).security_identifier == "S-1-5-21-7-8-9-1001");
}

/// Orders name hosts alone: whatever else a profile lets through for devices is no part of one.
BOOST_AUTO_TEST_CASE(an_order_of_acme_has_no_other_kinds) {
    for (const bool drop : {false, true})
        for (const auto& name : {email("jane@corp.example"), uri("urn:device:7"), upn("jane@corp.example")}) BOOST_TEST_CONTEXT(crypto::to_text(name)) {
            Case c;
            auto& profile = c.catalog.profiles[0];
            profile.email_names = profile.uri_names = profile.upn_names = !drop;
            profile.drop_other_names = drop;
            c.account->scope.emails = c.account->scope.uris = c.account->scope.upns = {"*"};
            auto names = *c.request.agreed_names;
            names.push_back(name);
            c.csr(names);
            const auto r = c.decide();
            BOOST_TEST_REQUIRE(!r.has_value());
            check_problem(r.error(), ProblemKind::bad_csr, "names.agreed", "the CSR asks for " + crypto::to_text(name) + ", which is not in the order");
        }
}

BOOST_AUTO_TEST_SUITE_END()
