#pragma once
#include "ra/policy/policy.hpp"
#include "tests/support/csr.hpp"
#include "tests/unit/ra/world.hpp"

/// A request as policy sees it.
namespace postern::test::policy {

using crypto::DnAttribute;
using crypto::GeneralName;
using crypto::GeneralNameType;

inline const auto now = core::from_ms(1'800'000'000'000);

inline GeneralName host(std::string name) { return {GeneralNameType::dns, std::move(name)}; }
inline GeneralName ip(std::string name) { return {GeneralNameType::ip, std::move(name)}; }

/// One request that passes every check, until a case spoils something.
struct Case {
    Case() {
        ra::Tenant tenant;
        tenant.id = core::TenantId(1);
        tenant.name = "default";
        catalog.tenants.push_back(tenant);
        ra::Organization organization;
        organization.id = core::OrganizationId(2);
        organization.tenant = tenant.id;
        organization.name = organization.legal_name = "acme";
        organization.country = "DE";
        catalog.organizations.push_back(organization);
        organization.id = core::OrganizationId(3);
        organization.name = "other";
        catalog.organizations.push_back(organization);
        ra::Department department;
        department.id = core::DepartmentId(4);
        department.tenant = tenant.id;
        department.organization = core::OrganizationId(2);
        department.name = "it";
        catalog.departments.push_back(department);
        ra::Domain domain;
        domain.tenant = tenant.id;
        domain.name = "corp.example";
        domain.organization = core::OrganizationId(2);
        catalog.domains.push_back(domain);
        ra::Profile profile;
        profile.id = core::ProfileId(5);
        profile.tenant = tenant.id;
        profile.name = "server";
        profile.version = 3;
        profile.backend = "scripted";
        profile.lifetime = 24h * 30;
        profile.longest = 24h * 60;
        profile.keys.push_back(*crypto::KeySpec::from("ec-p256"));
        profile.keys.push_back(*crypto::KeySpec::from("rsa-2048"));
        profile.extended_key_usage = {"1.3.6.1.5.5.7.3.1"};
        profile.subject = {"CN", "OU", "O", "C"};
        catalog.profiles.push_back(profile);
        profile.id = core::ProfileId(6);
        profile.name = "other";
        catalog.profiles.push_back(profile);
        ra::Endpoint endpoint;
        endpoint.id = core::EndpointId(7);
        endpoint.tenant = tenant.id;
        endpoint.name = "web";
        endpoint.profiles = {"server"};
        catalog.endpoints.push_back(endpoint);
        account.emplace();
        account->id = core::AccountId(8);
        account->tenant = tenant.id;
        account->endpoint = endpoint.id;
        account->name = "team";
        account->organization = core::OrganizationId(2);
        account->department = core::DepartmentId(4);
        account->scope.names = {"corp.example", ".corp.example", ".example.net", "192.0.2.1"};
        request.endpoint = endpoint.id;
        request.account = account->id;
        backends.add("scripted", ca);
        request.evidence.push_back(ra::Evidence::of(ra::Evidence::Kind::account_key, "thumbprint", now));
        ask({host("www.corp.example"), host("corp.example")});
    }

    /// A SCEP device of that name, with a challenge.
    void device(const std::string& common_name, std::vector<std::string> patterns) {
        request.via = catalog.endpoints[0].protocol = ra::Protocol::scep;
        request.agreed_names.reset();
        request.evidence = {ra::Evidence::of(ra::Evidence::Kind::challenge, "code", now)};
        account->method = ra::AccountMethod::access_code;
        account->common_names = std::move(patterns);
        auto& profile = catalog.profiles[0];
        profile.text_common_name = true;
        profile.extended_key_usage = {"1.3.6.1.5.5.7.3.2"};
        csr({}, {common_name});
    }
    /// The order agreed on these names, they were proven, and the CSR asks for them.
    void ask(const std::vector<GeneralName>& names) {
        request.agreed_names = names;
        for (const auto& n : names) prove(n, "http-01");
        csr(names);
    }
    void prove(const GeneralName& name, std::string method, core::TimePoint until = now + 1h) {
        request.evidence.push_back(ra::Evidence::validated(name.type == GeneralNameType::ip ? "ip" : "dns", name.value, std::move(method), now, until));
    }
    void csr(const std::vector<GeneralName>& names, const std::vector<std::string>& common_names = {}, const crypto::PrivateKey& with = key()) {
        crypto::DistinguishedName subject;
        for (const auto& cn : common_names) subject.entries.emplace_back(DnAttribute::common_name, cn);
        request.csr = crypto::Csr::parse(crypto::make_csr(with, subject, names)).value();
    }
    /// A CSR for the order's names with that subject and more attributes and extensions.
    void csr_with(core::BytesView subject, const core::Bytes& extensions = {}, const core::Bytes& attributes = {}) {
        CsrParts parts;
        parts.subject = core::to_bytes(subject);
        parts.attributes = joined(extension_request(joined(dns_names_extension(*request.agreed_names), extensions)), attributes);
        request.csr = crypto::Csr::parse(parts.sign(key())).value();
    }
    /// "CN" and the like with this string type.
    static core::Bytes subject_of(std::string_view oid, std::uint8_t tag, core::BytesView value) {
        crypto::der::Writer out;
        out.begin(crypto::der::sequence).begin(crypto::der::set).begin(crypto::der::sequence).oid(oid).primitive(tag, value);
        out.end().end().end();
        return out.take();
    }
    void organization(std::string_view text) { csr_with(subject_of("2.5.4.10", crypto::der::utf8_string, core::as_bytes(text))); }
    void usage(std::string_view oid) {
        crypto::der::Writer out;
        out.begin(crypto::der::sequence).oid(server_auth).oid(oid).end();
        csr_with(nothing(), csr_extension(crypto::oid_extended_key_usage, out.bytes()));
    }
    static core::Bytes nothing() { return core::from_hex("3000").value(); }
    static constexpr std::string_view server_auth = "1.3.6.1.5.5.7.3.1";
    static const crypto::PrivateKey& key() {
        static const auto made = crypto::PrivateKey::generate(crypto::KeySpec());
        return made;
    }
    [[nodiscard]] ra::PolicyInput input() const {
        const auto* endpoint = catalog.endpoint(request.endpoint);
        const auto* held = account ? &*account : nullptr;
        ra::PolicyInput in{request, catalog, backends, endpoint ? catalog.tenant(endpoint->tenant) : nullptr, endpoint, held,
                           ra::choose_profile(request, catalog, endpoint, held), now, {}, {}, {}};
        ra::fill_names(in);
        return in;
    }
    core::Result<void> decide() {
        const auto in = input();
        return ra::decide(in, trace);
    }

    crypto::SystemRandom random;
    ScriptedCa ca{random};
    ca::Backends backends;
    ra::Catalog catalog;
    std::optional<ra::Account> account;
    ra::EnrollmentRequest request;
    ra::Trace trace;
};

inline void expect_pass(Case& c) {
    const auto r = c.decide();
    BOOST_TEST(r.has_value(), (r ? "" : r.error().check + ": " + r.error().detail));
}

}  // namespace postern::test::policy
