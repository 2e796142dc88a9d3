#include <algorithm>

#include "core/crypto/certificate.hpp"
#include "ra/bodies.hpp"
#include "ra/body.hpp"
#include "ra/scope_entries.hpp"

namespace postern::ra {

using core::Problem;
using core::Result;

namespace {

constexpr std::size_t most_anchors = 100;

/// A key of another method would be one that does nothing.
void only_of_method(Body& body, const Account& account, AccountMethod own, std::initializer_list<std::string_view> keys) {
    if (account.method == own) return;
    for (const auto key : keys)
        if (body.root()[key].exists()) body.fail(key, "is for accounts of method " + std::string(to_string(own)));
}

void read_intune(Body& body, Account& a) {
    only_of_method(body, a, AccountMethod::intune, {"azure_account", "kind", "deliver_first", "renewal_by_certificate", "answer_within"});
    if (a.method != AccountMethod::intune) return;
    auto& s = a.intune;
    body.text("azure_account", s.azure_account, 100);
    if (s.azure_account.empty()) body.fail("azure_account", "is missing: the name of the azure_account by which Intune is asked");
    std::string kind;
    body.text("kind", kind, 16);
    if (kind != "client" && kind != "device") body.fail("kind", "known here: client (certificates of persons), device");
    s.kind = kind == "client" ? IntuneSettings::Kind::client : IntuneSettings::Kind::device;
    body.flag("deliver_first", s.deliver_first);
    body.flag("renewal_by_certificate", s.renewal_by_certificate);
    body.duration("answer_within", s.answer_within);
    // Devices wait for some 30 seconds.
    if (s.answer_within < std::chrono::seconds(1) || s.answer_within > std::chrono::seconds(25)) body.fail("answer_within", "expected 1s to 25s");
}

/// RFC 7617 §2: the first colon ends the user name.
void read_basic(Body& body, Account& a) {
    if (a.method != AccountMethod::certificate) only_of_method(body, a, AccountMethod::basic, {"user"});
    a.user = a.name;
    body.text("user", a.user, 100);
    const auto sent_alike = [](char c) { return c >= ' ' && c < 0x7f && c != ':'; };
    if (!std::all_of(a.user.begin(), a.user.end(), sent_alike)) body.fail("user", "expected printable ASCII without a colon");
}

void read_one_time(Body& body, Account& a) {
    only_of_method(body, a, AccountMethod::one_time, {"unbound", "challenge_lifetime", "longest_challenge_lifetime", "outstanding"});
    auto& s = a.one_time;
    body.flag("unbound", s.unbound);
    body.duration("challenge_lifetime", s.lifetime);
    body.duration("longest_challenge_lifetime", s.longest);
    body.number("outstanding", s.outstanding, 1, 100'000);
    if (s.longest > std::chrono::hours(24 * 30)) body.fail("longest_challenge_lifetime", "longer than 30 days");
    if (s.lifetime > s.longest) body.fail("challenge_lifetime", "longer than longest_challenge_lifetime");
    if (!s.unbound && body.root()["outstanding"].exists()) body.fail("outstanding", "counts unbound challenges, and this account has unbound = false");
}

void read_binding(Body& body, Account& a) {
    only_of_method(body, a, AccountMethod::eab, {"single_use", "challenges"});
    body.flag("single_use", a.single_use);
    a.challenges = static_cast<Challenges>(body.word("challenges", {"required", "preauthorized", "none"}));
    // Such an account has every name of its scope: somebody must have thought of each.
    if (a.challenges == Challenges::none && std::find(a.scope.names.begin(), a.scope.names.end(), "*") != a.scope.names.end()) body.fail("challenges", "\"none\" goes with a scope that lists names, without \"*\"");
}

void read_webhook(Body& body, Account& a) {
    only_of_method(body, a, AccountMethod::webhook, {"url", "webhook_id", "timeout"});
    if (a.method != AccountMethod::webhook) return;
    auto& s = a.webhook;
    body.text("url", s.url, 2048);
    const auto visible = [](std::string_view text) { return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; }); };
    if (!s.url.starts_with("https://") || s.url.size() < 9 || !visible(s.url) || s.url.find_first_of("@#") != s.url.npos)
        body.fail("url", "expected a URL such as \"https://mdm.example.com/scep\", without user and fragment");
    s.id = a.name;
    body.text("webhook_id", s.id, 128);
    if (s.id.empty() || !visible(s.id)) body.fail("webhook_id", "expected visible ASCII characters");
    body.duration("timeout", s.timeout);
    if (s.timeout > std::chrono::seconds(20)) body.fail("timeout", "longer than 20 s: the device would not wait");
    body.text("trust_anchors", s.trust_anchors, 64 * 1024);
    if (!s.trust_anchors.empty() && s.trust_anchors.find("-----BEGIN CERTIFICATE-----") == std::string::npos)
        body.fail("trust_anchors", "expected certificates, PEM");
}

/// Whose certificates count, and which devices.
void read_devices(Body& body, Account& a) {
    const bool certificate = a.method == AccountMethod::certificate;
    if (!certificate && a.method != AccountMethod::webhook && body.root()["trust_anchors"].exists())
        body.fail("trust_anchors", "is for accounts of method certificate or webhook");
    only_of_method(body, a, AccountMethod::certificate, {"revocation", "device_names", "with_password"});
    if (!certificate && a.method != AccountMethod::basic)
        for (const auto* key : {"device_serial", "devices", "first_use"})
            if (body.root()[key].exists()) body.fail(key, "is for accounts of method certificate or basic");
    auto& s = a.devices;
    s.serial = static_cast<DeviceSettings::Serial>(body.word("device_serial", {"subject", "common-name", "hardware-module"}));
    s.naming = static_cast<DeviceSettings::Naming>(body.word("device_names", {"serial-number", "scope"}));
    s.listed = body.word("devices", {"any", "listed"}) == 1;
    body.flag("first_use", s.first_use);
    body.flag("with_password", s.with_password);
    body.text("revocation", s.revocation, 100);
    if (a.method == AccountMethod::basic && s.serial == DeviceSettings::Serial::hardware_module)
        body.fail("device_serial", "a request has no hardware-module; known here: subject, common-name");
    if (!certificate) return;
    body.text("trust_anchors", s.trust_anchors, 256 * 1024);
    const auto anchors = crypto::from_pem("CERTIFICATE", s.trust_anchors);
    if (!anchors || anchors->empty()) return body.fail("trust_anchors", "expected certificates, PEM: of the manufacturer's CA, or of another CA whose certificates count");
    if (anchors->size() > most_anchors) return body.fail("trust_anchors", "at most " + std::to_string(most_anchors) + " certificates");
    for (const auto& der : *anchors)
        if (const auto parsed = crypto::Certificate::parse(der); !parsed) body.fail("trust_anchors", "a certificate cannot be read: " + parsed.error().detail);
}

}  // namespace

Result<Account> read_account(const store::ObjectRow& row) {
    Account a;
    a.id = core::AccountId(row.id);
    a.tenant = core::TenantId(row.tenant_id);
    a.name = row.name;
    a.active = active(row);
    a.version = row.version;
    if (const auto id = key_id<core::EndpointId>(row, 0)) a.endpoint = *id;
    a.organization = key_id<core::OrganizationId>(row, 1);
    a.department = key_id<core::DepartmentId>(row, 2);
    const auto* method = std::get_if<std::string>(&row.keys.at(3));
    bool known = false;
    for (const auto m : {AccountMethod::open, AccountMethod::eab, AccountMethod::system, AccountMethod::access_code, AccountMethod::one_time, AccountMethod::webhook,
                         AccountMethod::intune, AccountMethod::basic, AccountMethod::certificate})
        if (method && to_string(m) == *method) a.method = m, known = true;
    if (!known) return Problem(core::ProblemKind::malformed, "$.method: known here: access_code, basic, certificate, eab, intune, one_time, open, webhook");
    if (const auto* id = std::get_if<std::string>(&row.keys.at(4))) a.public_id = *id;
    if (const auto* sealed = std::get_if<core::Bytes>(&row.keys.at(5))) a.secret_sealed = *sealed;
    Body body(row);
    body.not_empty("profiles");
    body.list("profiles", [&](std::string_view text) -> std::string {
        a.profiles.emplace_back(text);
        return {};
    });
    body.list("names", [&](std::string_view text) { return read_host_entry(text, a.scope); });
    body.flag("wildcard", a.scope.wildcard);
    body.list("emails", [&](std::string_view text) { return read_email_entry(text, a.scope); });
    body.list("uris", [&](std::string_view text) { return read_uri_entry(text, a.scope); });
    body.list("upns", [&](std::string_view text) { return read_upn_entry(text, a.scope); });
    const auto patterns = [&](std::string_view key, std::vector<std::string>& into) {
        body.list(key, [&](std::string_view text) -> std::string {
            if (text.empty() || text.size() > 256) return "expected 1 to 256 octets";
            into.emplace_back(text);
            return {};
        });
    };
    patterns("common_names", a.common_names);
    patterns("serial_numbers", a.serial_numbers);
    // An order of ACME names hosts alone: these would do nothing.
    if (a.method == AccountMethod::eab)
        for (const auto* key : {"emails", "uris", "upns", "serial_numbers"})
            if (body.root()[key].exists()) body.fail(key, "is for accounts of SCEP endpoints");
    std::string approval = "inherit";
    body.text("approval", approval, 16);
    if (approval != "inherit") a.approval = read_approval(body, approval, ", inherit");
    read_intune(body, a);
    std::string expires;
    body.text("expires", expires, 40);
    if (!expires.empty()) {
        a.expires = core::from_rfc3339(expires);
        if (!a.expires) body.fail("expires", "expected a time such as \"2027-01-31T00:00:00Z\"");
    }
    read_one_time(body, a);
    read_binding(body, a);
    read_webhook(body, a);
    read_basic(body, a);
    read_devices(body, a);
    if (body.failure()) return *body.failure();
    return a;
}

}  // namespace postern::ra
