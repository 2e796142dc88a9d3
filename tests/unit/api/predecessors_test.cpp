#include "tests/unit/api/rest.hpp"

BOOST_AUTO_TEST_SUITE(api_predecessors)

using namespace postern;
using namespace postern::test;

namespace {

/// A CA elsewhere and a device that it served.
struct Elsewhere {
    explicit Elsewhere(core::TimePoint now) : ca(issue(now, true, "Old CA")), device(issue(now, false, "printer-7")) {}
    [[nodiscard]] crypto::Certificate issue(core::TimePoint now, bool authority, const std::string& subject) const {
        const auto name = [](const std::string& text) {
            crypto::DistinguishedName out;
            out.entries.emplace_back(crypto::DnAttribute::common_name, text);
            return out.to_der();
        };
        crypto::CertificateShape shape;
        shape.algorithm = key.default_algorithm();
        shape.issuer_der = name("Old CA");
        shape.ca = authority;
        shape.key_usage = {authority ? crypto::KeyUsageBit::key_cert_sign : crypto::KeyUsageBit::digital_signature};
        crypto::CertificateFields fields;
        fields.serial = core::Bytes(8, authority ? 0x11 : 0x22);
        fields.not_before = now - 24h;
        fields.not_after = now + 24h * 20;
        fields.subject_der = name(subject);
        fields.spki = key.public_key().spki();
        const auto tbs = crypto::CertificateTemplate(shape).to_be_signed(fields);
        return crypto::Certificate::parse(crypto::assemble_signed(tbs, shape.algorithm, key.sign(shape.algorithm, tbs))).value();
    }
    crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeySpec());
    crypto::Certificate ca, device;
};

const std::string devices_toml = R"([[profile]]
name = "device"
keys = ["rsa-2048"]
backend = "scripted"
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]
[[endpoint]]
name = "devices"
protocol = "scep"
ra = "builtin"
profiles = ["device"]
[[account]]
name = "devices"
endpoint = "devices"
method = "access_code"
common_names = ["*"]
secret = {generate = true}
[[endpoint]]
name = "strict"
protocol = "scep"
ra = "builtin"
profiles = ["device"]
renewal = false
[[account]]
name = "strict"
endpoint = "strict"
method = "access_code"
common_names = ["*"]
secret = {generate = true}
)";

std::string predecessor_body(const Elsewhere& old, std::string_view more = R"(,"crl":"http://ca.example/ca.crl")") {
    return R"({"name":"old","certificates":[")" + core::base64(old.ca.der()) + R"("])" + std::string(more) + "}";
}
std::string import_body(const crypto::Certificate& certificate, std::string_view endpoint = "devices", std::string_view more = {}) {
    return R"({"predecessor":"old","endpoint":")" + std::string(endpoint) + R"(","account":")" + std::string(endpoint) + R"(","source":"export.pem","certificates":[")" +
           core::base64(certificate.der()) + "\"]" + std::string(more) + "}";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_predecessor_and_what_it_issued_are_its_tenants) {
    Rest w;
    w.apply(devices_toml).value();
    const Elsewhere old(w.clock.now());
    BOOST_TEST(w.local(Method::post, v1 + "predecessors", predecessor_body(old)).status == 200U);
    const auto imported = w.local(Method::post, v1 + "imported-certificates", import_body(old.device));
    BOOST_TEST_REQUIRE(imported.status == 200U, imported.body);
    BOOST_TEST(parsed(imported).root()["added"].integer().value() == 1);
    const auto number = parsed(imported).root()["import"].integer().value();

    BOOST_TEST(contains(w.with(w.auditor, Method::get, v1 + "predecessors").body, "\"left\":1"));
    BOOST_TEST(w.with(w.stranger, Method::get, v1 + "predecessors").body.empty());
    BOOST_TEST(contains(w.with(w.auditor, Method::get, v1 + "imported-certificates?search=PRINTER").body, "CN=printer-7"));
    BOOST_TEST(w.with(w.auditor, Method::get, v1 + "imported-certificates?search=%25").body.empty());
    BOOST_TEST(w.with(w.stranger, Method::get, v1 + "imported-certificates").body.empty());
    check_error(w.with(w.stranger, Method::post, v1 + "imported-certificates", import_body(old.device)), 404, -102, "there is no SCEP or EST endpoint devices");
    check_error(w.with(w.stranger, Method::post, v1 + "imported-certificates/remove", R"({"hex":"2222222222222222"})"), 404, -102, "no imported certificate");
    check_error(w.with(w.stranger, Method::post, v1 + "predecessors/remove", R"({"name":"old"})"), 404, -102, "there is no predecessor old");
    // Another principal's import is nobody's to go on with.
    check_error(w.with(w.administrator_token, Method::post, v1 + "imported-certificates", import_body(old.device, "devices", ",\"import\":" + std::to_string(number))), 404, -102, "there is no import");
    check_error(w.local(Method::post, v1 + "certificates/2222222222222222/revoke", "{}"), 409, -1112, "issued by a predecessor");
    check_error(w.local(Method::post, v1 + "predecessors/remove", R"({"name":"old"})"), 409, -1112, "--with-certificates");
    BOOST_TEST(w.with(w.officer, Method::post, v1 + "imported-certificates/remove", R"({"hex":"2222222222222222"})").body == R"({"removed":1})");
    BOOST_TEST(w.local(Method::post, v1 + "predecessors/remove", R"({"name":"old"})").body == R"({"certificates":0})");
}

BOOST_AUTO_TEST_CASE(what_is_imported_is_judged_one_by_one) {
    Rest w;
    w.apply(devices_toml).value();
    const Elsewhere old(w.clock.now()), other(w.clock.now());
    w.local(Method::post, v1 + "predecessors", predecessor_body(old));
    const auto why = [&](const crypto::Certificate& certificate) {
        const auto report = parsed(w.local(Method::post, v1 + "imported-certificates", import_body(certificate)));
        return std::string(report.root()["refused"].items().at(0)["why"].string().value());
    };
    BOOST_TEST(contains(why(old.ca), "it is a CA's certificate, which never renews here"));
    BOOST_TEST(contains(why(other.device), "its signature is not one of predecessor old"));
    w.clock.advance(24h * 21);
    BOOST_TEST(parsed(w.local(Method::post, v1 + "imported-certificates", import_body(old.device))).root()["expired"].integer().value() == 1);
    check_error(w.local(Method::post, v1 + "imported-certificates", import_body(old.device, "strict")), 400, -7, "renews no certificates");
    check_error(w.local(Method::post, v1 + "imported-certificates", import_body(old.device, "nowhere")), 404, -102, "there is no SCEP or EST endpoint nowhere");
    check_error(w.local(Method::post, v1 + "imported-certificates", R"({"predecessor":"old","endpoint":"devices","account":"devices","source":"x","certificates":[]})"), 400, -7, "expected 1 to 1000");
}

BOOST_AUTO_TEST_CASE(a_predecessor_says_how_its_status_is_known) {
    Rest w;
    const Elsewhere old(w.clock.now());
    check_error(w.local(Method::post, v1 + "predecessors", predecessor_body(old, "")), 400, -7, "nothing renews");
    check_error(w.local(Method::post, v1 + "predecessors", predecessor_body(old, R"(,"crl":"ldap://x")")), 400, -7, "http or https");
    check_error(w.local(Method::post, v1 + "predecessors", predecessor_body(old, R"(,"crl":"http://x","crlDer":"MAA=")")), 400, -7, "not both");
    check_error(w.local(Method::post, v1 + "predecessors", R"({"name":"Old CA","crl":"http://x"})"), 400, -7, "expected 1 to 64 of a-z");
    check_error(w.local(Method::post, v1 + "predecessors", R"({"name":"old","crl":"http://x"})"), 400, -7, "name the predecessor's certificates");
    // What is not said stays.
    w.local(Method::post, v1 + "predecessors", predecessor_body(old));
    const auto more = w.local(Method::post, v1 + "predecessors", R"({"name":"old","ocsp":"http://ca.example/ocsp"})");
    BOOST_TEST((contains(more.body, "http://ca.example/ca.crl") && contains(more.body, "http://ca.example/ocsp")), more.body);
}

BOOST_AUTO_TEST_CASE(the_built_in_ca_s_successor_is_no_tenant_s) {
    Rest w;
    for (const std::string path : {"ca/successor", "ca/successor/withdraw"}) {
        check_error(w.with(w.officer, Method::post, v1 + path, "{}"), 403, -3, "this needs administrator");
        check_error(w.with(w.stranger, Method::post, v1 + path, "{}"), 403, -3, "the built-in CA is every tenant's");
    }
    const auto prepare = [&](const std::string& more) {
        return w.with(w.administrator_token, Method::post, v1 + "ca/successor", R"({"takesOver":"2027-01-31T00:00:00Z")" + more + "}");
    };
    const std::string made = R"({"takesOver":"2027-01-31T00:00:00Z"})";
    BOOST_TEST((prepare("").status == 201U && prepare("").body == made), prepare("").body);
    BOOST_TEST(prepare(R"(,"root":false)").body == made);
    BOOST_TEST(prepare(R"(,"root":true)").body == R"({"takesOver":"2027-01-31T00:00:00Z","root":{}})");
    check_error(prepare(R"(,"root":"yes")"), 400, -7, "$.root");
    check_error(prepare(R"(,"roots":true)"), 400, -7, "roots");
    const auto withdrawn = w.with(w.administrator_token, Method::post, v1 + "ca/successor/withdraw");
    BOOST_TEST((withdrawn.status == 200U && withdrawn.body == R"({"authority":"0badcafe"})"), withdrawn.body);
}

BOOST_AUTO_TEST_CASE(clients_are_told_how_to_enroll) {
    Rest w;
    w.apply(devices_toml).value();
    const auto ask = [&](const std::string& body) { return w.with(w.officer, Method::post, v1 + "client-configurations", body); };
    check_error(ask(R"({"endpoint":"devices","for":"apple"})"), 503, -1, "no certificate yet that clients encrypt to");
    const Elsewhere any(w.clock.now());
    w.operations.chain = {any.ca.der()};
    w.operations.ra = any.device.der();
    const auto signed_one = ask(R"({"endpoint":"devices","for":"apple","challenge":"secret"})");
    BOOST_TEST_REQUIRE(signed_one.status == 200U, signed_one.body);
    const auto document = parsed(signed_one);
    const auto file = core::from_base64(document.root()["files"].items().at(0)["content"].string().value()).value();
    BOOST_TEST((file.front() == 'S' && contains(core::as_text(file), "<string>secret</string>")));
    BOOST_TEST(!contains(document.root()["text"].string().value(), "secret"));
    BOOST_TEST(ask(R"({"endpoint":"web","for":"certbot"})").status == 200U);
    check_error(ask(R"({"endpoint":"web","for":"certbot","user":"x"})"), 400, -7, "only clients of EST endpoints have one");
    check_error(ask(R"({"endpoint":"devices","for":"est-curl"})"), 409, -1112, "--for takes: apple, intune");

    check_error(ask(R"({"endpoint":"devices","for":"certbot"})"), 409, -1112, "--for takes: apple, intune");
    check_error(ask(R"({"endpoint":"nowhere","for":"apple"})"), 404, -102, "there is no endpoint nowhere");
    check_error(ask(R"({"endpoint":"devices","for":"nokia"})"), 400, -7, "expected one of apple");
    check_error(ask(R"({"endpoint":"devices","for":"cisco","name":"a\"b"})"), 400, -7, "expected 1 to 64 letters");
    check_error(ask(R"({"endpoint":"devices","for":"cisco","challenge":"a\nb"})"), 400, -7, "expected an access code");
    check_error(ask(R"({"endpoint":"devices","for":"cisco","challenge":"a?b"})"), 409, -1112, "asks IOS for help");
    check_error(ask(R"({"endpoint":"web","for":"certbot","name":"$HOME"})"), 400, -7, "expected a DNS name or an address");
    BOOST_TEST(contains(ask(R"({"endpoint":"web","for":"certbot","name":"WWW.corp.example"})").body, "-d www.corp.example"));
    BOOST_TEST(contains(ask(R"({"endpoint":"web","for":"lego","name":"192.0.2.7"})").body, "-d 192.0.2.7"));
    const auto strangers = w.with(w.stranger, Method::post, v1 + "client-configurations", R"({"endpoint":"devices","for":"apple"})");
    check_error(strangers, 404, -102, "there is no endpoint devices");
}

BOOST_AUTO_TEST_SUITE_END()
