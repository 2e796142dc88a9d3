#include "api/clients/configuration.hpp"

#include <regex>
#include <set>

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "tests/unit/ra/world.hpp"

BOOST_AUTO_TEST_SUITE(api_clients)

using namespace postern;
using namespace postern::test;
using namespace postern::api::clients;

namespace {

/// The root and the issuing CA of a world, as an endpoint's facts.
struct Told : World {
    Told() {
        crypto::CertificateShape shape;
        shape.algorithm = key.default_algorithm();
        shape.ca = true;
        shape.key_usage = {crypto::KeyUsageBit::key_cert_sign};
        for (const auto* name : {"Issuing & Co", "Root"}) facts.chain.push_back(authority(shape, name));
        facts.endpoint = "phones";
        facts.https = "https://ra.test";
        facts.http = "http://ra.test";
        facts.ra = facts.chain.front().der();
        facts.profile.name = "phone";
        facts.profile.lifetime = std::chrono::hours(24 * 365);
        facts.profile.keys = {crypto::KeySpec(crypto::KeyType::rsa, 3072), crypto::KeySpec(crypto::KeyType::rsa, 2048), crypto::KeySpec()};
        facts.profile.extended_key_usage = {"1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4"};
        facts.name = "phone-7";
        facts.est_base = "https://est.test";
    }
    crypto::Certificate authority(crypto::CertificateShape shape, const std::string& name) {
        crypto::DistinguishedName dn;
        dn.entries.emplace_back(crypto::DnAttribute::common_name, name);
        shape.issuer_der = dn.to_der();
        crypto::CertificateFields fields;
        fields.serial = core::Bytes(16, 0x11);
        fields.not_before = clock.now();
        fields.not_after = clock.now() + std::chrono::hours(24);
        fields.subject_der = dn.to_der();
        fields.spki = key.public_key().spki();
        fields.subject_key_id = key.public_key().key_identifier();
        const auto tbs = crypto::CertificateTemplate(shape).to_be_signed(fields);
        return crypto::Certificate::parse(crypto::assemble_signed(tbs, shape.algorithm, key.sign(shape.algorithm, tbs))).value();
    }
    std::string file(const Configuration& made, std::string_view name) {
        for (const auto& each : made.files)
            if (each.name == name) return {each.content.begin(), each.content.end()};
        BOOST_ERROR("no file " << name);
        return {};
    }
    crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeySpec());
    Facts facts;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(every_client_has_its_word_and_its_protocol, Told) {
    for (const auto protocol : {ra::Protocol::scep, ra::Protocol::acme, ra::Protocol::est}) {
        std::istringstream words(known_clients(protocol));
        for (std::string word; words >> word;) {
            if (word.back() == ',') word.pop_back();
            const auto known = clients_from(word);
            const auto client = std::ranges::find(known, protocol, &protocol_of);
            BOOST_TEST_REQUIRE((client != known.end()), word);
            BOOST_TEST(to_string(*client) == word);
            const auto made = configure(*client, facts);
            BOOST_TEST_REQUIRE(made.has_value(), word);
            BOOST_TEST((!made->text.empty() && made->text.back() == '\n' && !made->values.empty()), word);
        }
    }
    BOOST_TEST(clients_from("nokia").empty());
    BOOST_TEST(clients_from("strongswan").size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(a_profile_without_rsa_suits_no_scep_client, Told) {
    facts.profile.keys = {crypto::KeySpec()};
    check_refused(configure(Client::apple, facts), core::ProblemKind::conflict, "takes no RSA keys");
    BOOST_TEST(configure(Client::certbot, facts).has_value());
}

BOOST_FIXTURE_TEST_CASE(an_apple_profile_is_signed_when_it_is_whole, Told) {
    const auto draft = configure(Client::apple, facts).value();
    BOOST_TEST_REQUIRE(draft.files.size() == 1U);
    BOOST_TEST((!draft.files[0].sign && draft.files[0].name == "phones.template.mobileconfig"));
    BOOST_TEST(contains(file(draft, "phones.template.mobileconfig"), std::string("<string>") + std::string(code_placeholder) + "</string>"));
    facts.challenge.emplace(std::string("s<cret&"));
    const auto whole = configure(Client::apple, facts).value();
    BOOST_TEST((whole.files[0].sign && whole.files[0].name == "phones.mobileconfig"));
    const auto plist = file(whole, "phones.mobileconfig");
    for (const auto* part : {"<string>s&lt;cret&amp;</string>", "<string>CN=Issuing &amp; Co</string>", "<string>com.apple.security.pkcs1</string>", "<string>com.apple.security.root</string>",
                             "<integer>2048</integer>"})
        BOOST_TEST(contains(plist, part), part);
    for (const auto& [name, value] : whole.values) BOOST_TEST(!contains(value, "s<cret"), name);
}

BOOST_FIXTURE_TEST_CASE(an_apple_fingerprint_is_that_of_the_highest_certificate_given, Told) {
    const auto of = [&](ra::ScepSettings::Chain chain) {
        facts.scep.chain = chain;
        return file(configure(Client::apple, facts).value(), "phones.template.mobileconfig");
    };
    const auto issuing = core::base64(crypto::sha1(facts.issuer().der())), root = core::base64(crypto::sha1(facts.root().der()));
    using Chain = ra::ScepSettings::Chain;
    BOOST_TEST((contains(of(Chain::issuer), issuing) && !contains(of(Chain::issuer), root)));
    BOOST_TEST((contains(of(Chain::chain), issuing) && !contains(of(Chain::chain), root)));
    BOOST_TEST((contains(of(Chain::chain_and_root), root) && !contains(of(Chain::chain_and_root), issuing)));
}

BOOST_FIXTURE_TEST_CASE(while_a_root_succeeds_another_both_are_trusted, Told) {
    crypto::CertificateShape shape;
    shape.algorithm = key.default_algorithm();
    shape.ca = true;
    shape.key_usage = {crypto::KeyUsageBit::key_cert_sign};
    facts.other_roots.push_back(authority(shape, "Old Root"));
    facts.account_required = false;
    const auto pem = [](const crypto::Certificate& c) { return crypto::to_pem("CERTIFICATE", c.der()); };
    const auto both = pem(facts.root()) + pem(facts.other_roots[0]);
    for (const auto client : {Client::certbot, Client::lego, Client::caddy, Client::cert_manager, Client::est_curl})
        BOOST_TEST(file(configure(client, facts).value(), "root.pem") == both, to_string(client));
    BOOST_TEST(configure(Client::cert_manager, facts)->text.find(core::base64(core::as_bytes(both))) != std::string::npos);
    for (const auto client : {Client::strongswan, Client::est_strongswan, Client::certmonger}) {
        const auto made = configure(client, facts).value();
        BOOST_TEST((file(made, "root.pem") == pem(facts.root()) && file(made, "root-2.pem") == pem(facts.other_roots[0]) && file(made, "issuing-ca.pem") == pem(facts.issuer())), to_string(client));
    }
    BOOST_TEST(configure(Client::est_strongswan, facts)->text.find("root-2.pem") != std::string::npos);
    BOOST_TEST(file(configure(Client::intune, facts).value(), "root-2.cer") == std::string(facts.other_roots[0].der().begin(), facts.other_roots[0].der().end()));
    const auto windows = file(configure(Client::windows, facts).value(), "phones.syncml.xml");
    BOOST_TEST(windows.find("RootCATrustedCertificates/Root/" + sha1_hex(facts.other_roots[0])) != std::string::npos);
    const auto profile = file(configure(Client::apple, facts).value(), "phones.template.mobileconfig");
    BOOST_TEST((profile.find("<string>root-2.cer</string>") != std::string::npos && profile.find(core::base64(facts.other_roots[0].der()).substr(0, 40)) != std::string::npos));
}

BOOST_FIXTURE_TEST_CASE(what_stays_the_same_has_the_same_uuid, Told) {
    BOOST_TEST(stable_uuid("a") == stable_uuid("a"));
    BOOST_TEST(stable_uuid("a") != stable_uuid("b"));
    const auto uuid = stable_uuid("a");
    BOOST_TEST((uuid.size() == 36U && uuid[14] == '8' && uuid[8] == '-' && uuid[23] == '-'));
}

BOOST_FIXTURE_TEST_CASE(windows_nodes_follow_the_profile, Told) {
    facts.profile.key_usage = {crypto::KeyUsageBit::digital_signature};
    const auto made = configure(Client::windows, facts).value();
    const auto xml = file(made, "phones.syncml.xml");
    for (const auto* part : {"/SCEP/phones/Install/EKUMapping</LocURI>", "<Data>1.3.6.1.5.5.7.3.2+1.3.6.1.5.5.7.3.4</Data>", "<Data>128</Data>", "<Data>365</Data>", "<Exec>"})
        BOOST_TEST(contains(xml, part), part);
    BOOST_TEST(contains(xml, "<Data>" + sha1_hex(facts.issuer()) + "</Data>"));
    // Trust comes before what rests on it.
    BOOST_TEST((xml.find("RootCATrustedCertificates/Root") < xml.find("ServerURL") && xml.find("RootCATrustedCertificates/CA") < xml.find("ServerURL")));
}

BOOST_FIXTURE_TEST_CASE(a_shell_reads_what_was_given, Told) {
    facts.challenge.emplace(std::string("a'b$c"));
    BOOST_TEST(contains(configure(Client::strongswan, facts).value().text, "--password 'a'\\''b$c'"));
    BOOST_TEST(contains(configure(Client::certmonger, facts).value().text, "-L 'a'\\''b$c'"));
}

BOOST_FIXTURE_TEST_CASE(acme_clients_need_keys_where_the_endpoint_does, Told) {
    BOOST_TEST(contains(configure(Client::cert_manager, facts).value().text, "externalAccountBinding"));
    BOOST_TEST(contains(configure(Client::certbot, facts).value().text, " --eab-kid=KEY_ID --eab-hmac-key=MAC_KEY -d phone-7\n"));
    BOOST_TEST(contains(configure(Client::lego, facts).value().text, " --eab --kid=KEY_ID --hmac=MAC_KEY --http -d phone-7 run\n"));
    facts.account_required = false;
    for (const auto client : {Client::certbot, Client::lego, Client::caddy, Client::cert_manager}) BOOST_TEST(!contains(configure(client, facts).value().text, "KEY"));
}

BOOST_FIXTURE_TEST_CASE(names_for_kubernetes_are_valid_and_each_endpoints_own, Told) {
    // The pattern of a subdomain that the API server has names match.
    const std::regex subdomain("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");
    const std::regex named("name: (postern-[^\n]*)");
    std::set<std::string> seen;
    const std::string long_one(64, 'w');
    for (const auto& endpoint : std::vector<std::string>{"web", "web-team", "web_team", "web.team", "web_team.eu-", "web_team.eu_", "web-team-eu", "9", "a--", "a-_", long_one, long_one.substr(1)}) {
        facts.endpoint = endpoint;
        const auto text = configure(Client::cert_manager, facts).value().text;
        std::vector<std::string> names;
        for (std::sregex_iterator at(text.begin(), text.end(), named), end; at != end; ++at) names.push_back((*at)[1]);
        BOOST_REQUIRE(names.size() == 3U);
        for (const auto& name : names) {
            BOOST_TEST((std::regex_match(name, subdomain) && name.size() <= 253), name);
            for (std::size_t at = 0; at != std::string::npos; at = name.find('.', at + 1)) BOOST_TEST(std::min(name.find('.', at + 1), name.size()) - at <= 64U, name);
            BOOST_TEST(seen.insert(name).second, name);
        }
        BOOST_TEST((names[1] == names[0] + "-account" && names[2] == names[0] + "-eab"));
        BOOST_TEST(contains(text, "create secret generic " + names[2] + " "));
    }
    facts.endpoint = "web-team";
    BOOST_TEST(contains(configure(Client::cert_manager, facts).value().text, "  name: postern-web-team\n"));
}

BOOST_FIXTURE_TEST_CASE(a_password_of_est_reaches_the_shell_whole_and_no_command_line_of_curl, Told) {
    facts.user = "line 4";
    facts.challenge.emplace(std::string("a'b\"c\\d$e"));
    const auto curl = configure(Client::est_curl, facts).value();
    BOOST_TEST(contains(curl.text, "(umask 077; printf '%s\\n' 'user = \"line 4:a'\\''b\\\"c\\\\d$e\"' > est.curl)\n"));
    BOOST_TEST(contains(curl.text, "-K est.curl -H 'Content-Type: application/pkcs10'"));
    BOOST_TEST(contains(curl.text, "'https://est.test/.well-known/est/phones/simpleenroll'"));
    const auto pki = configure(Client::est_strongswan, facts).value();
    BOOST_TEST(contains(pki.text, "--userpass 'line 4:a'\\''b\"c\\d$e'"));
    BOOST_TEST(contains(pki.text, "--url 'https://est.test/est/phones'"));
    for (const auto& [name, value] : pki.values) BOOST_TEST(!contains(value, "$e"), name);
}

BOOST_FIXTURE_TEST_CASE(est_lines_follow_the_endpoint_and_the_profile, Told) {
    using Credential = ra::EstSettings::Credential;
    const auto lines = [&](Client client, Credential credential) {
        facts.est.credential = credential;
        return configure(client, facts).value().text;
    };
    for (const auto client : {Client::est_curl, Client::est_strongswan}) {
        const auto either = lines(client, Credential::either), certificate = lines(client, Credential::certificate), both = lines(client, Credential::both);
        BOOST_TEST((contains(either, std::string(password_placeholder)) && !contains(either, "factory-cert.pem")));
        BOOST_TEST((!contains(certificate, std::string(password_placeholder)) && contains(certificate, "--cert factory-cert.pem --key factory-key.pem")));
        BOOST_TEST((contains(both, std::string(password_placeholder)) && contains(both, "--cert factory-cert.pem --key factory-key.pem")));
        BOOST_TEST((contains(either, "rsa") && contains(either, "3072")));
    }
    facts.profile.keys = {crypto::KeySpec(crypto::KeyType::ec_p384, 384)};
    facts.profile.text_common_name = true;
    BOOST_TEST((contains(lines(Client::est_curl, Credential::either), "ec_paramgen_curve:P-384") && !contains(lines(Client::est_curl, Credential::either), "subjectAltName")));
    BOOST_TEST((contains(lines(Client::est_strongswan, Credential::either), "ecdsa --size 384") && !contains(lines(Client::est_strongswan, Credential::either), "--san")));
    facts.profile.text_common_name = false;
    BOOST_TEST(contains(lines(Client::est_curl, Credential::either), "'subjectAltName=DNS:phone-7'"));
    BOOST_TEST(contains(lines(Client::est_strongswan, Credential::either), "--san 'phone-7'"));
    facts.est.renewal = false;
    BOOST_TEST(contains(lines(Client::est_curl, Credential::either), "renews no certificates"));
    BOOST_TEST(!contains(lines(Client::est_curl, Credential::either), "simplereenroll"));
}

BOOST_AUTO_TEST_SUITE_END()
