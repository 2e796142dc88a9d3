#include "ra/bodies.hpp"

#include <algorithm>

#include "ca/lint.hpp"
#include "ra/body.hpp"

namespace postern::ra {

using core::Result;

std::optional<Approval> read_approval(Body& body, std::string_view text, std::string_view more) {
    for (const auto a : {Approval::none, Approval::officer})
        if (to_string(a) == text) return a;
    body.fail("approval", "known here: none, officer" + std::string(more));
    return std::nullopt;
}

Result<Tenant> read_tenant(const store::ObjectRow& row) {
    Tenant t;
    t.id = core::TenantId(row.id);
    t.name = row.name;
    t.active = active(row);
    t.version = row.version;
    return t;
}

Result<Organization> read_organization(const store::ObjectRow& row) {
    Organization o;
    o.id = core::OrganizationId(row.id);
    o.tenant = core::TenantId(row.tenant_id);
    o.name = row.name;
    o.active = active(row);
    o.legal_name = row.name;
    Body body(row);
    // What stands in subjects obeys the lints' rules here already, or every finalize would be refused.
    using Attribute = crypto::DnAttribute;
    const auto subject = [&](std::string_view key, std::string& into, Attribute attribute) {
        body.text(key, into, 512);
        if (!body.root()[key].exists()) return;
        if (const auto why = ca::why_no_subject_value(crypto::DnEntry(attribute, into)); !why.empty()) body.fail(key, why);
    };
    subject("legal_name", o.legal_name, Attribute::organization);
    subject("country", o.country, Attribute::country);
    subject("state", o.state, Attribute::state);
    subject("locality", o.locality, Attribute::locality);
    body.flag("principal_names", o.principal_names);
    if (body.failure()) return *body.failure();
    return o;
}

Result<Department> read_department(const store::ObjectRow& row) {
    Department d;
    d.id = core::DepartmentId(row.id);
    d.tenant = core::TenantId(row.tenant_id);
    d.name = row.name;
    d.active = active(row);
    if (const auto id = key_id<core::OrganizationId>(row, 0)) d.organization = *id;
    return d;
}

Result<Domain> read_domain(const store::ObjectRow& row) {
    Domain d;
    d.tenant = core::TenantId(row.tenant_id);
    d.active = active(row);
    d.organization = key_id<core::OrganizationId>(row, 0);
    NameRules rules;
    rules.wildcard = false;
    rules.single_label = true;
    auto name = normalize_dns(row.name, rules);
    if (!name) return name.error();
    d.name = std::move(*name);
    Body body(row);
    d.proof = static_cast<DomainProof>(body.word("proven_by", {"none", "http", "dns", "mail"}));
    std::string until;
    body.text("proven_until", until, 40);
    const auto end = until.empty() ? std::nullopt : core::from_rfc3339(until);
    if (!until.empty() && !end) body.fail("proven_until", "expected a time such as \"2027-01-31T00:00:00Z\"");
    if ((d.proof == DomainProof::none) != until.empty()) body.fail("proven_until", "goes with proven_by: a proof counts up to a day");
    if (end) d.proven_until = *end;
    if (body.failure()) return *body.failure();
    return d;
}

Result<ca::BackendDescription> read_backend(const store::ObjectRow& row) {
    ca::BackendDescription d;
    d.name = row.name;
    d.active = active(row);
    Body body(row);
    std::string kind, description;
    body.text("kind", kind, 64);
    if (kind != "command") body.fail("kind", "known here: command");
    body.text("description", description, 1024);
    const auto plain = [](std::string_view text, std::size_t longest) {
        return !text.empty() && text.size() <= longest && text.find('\0') == std::string_view::npos;
    };
    body.list("argv", [&](std::string_view text) -> std::string {
        if (!plain(text, 4096)) return "expected 1 to 4096 octets without NUL";
        d.argv.emplace_back(text);
        return {};
    });
    if (d.argv.empty() || d.argv.size() > 64 || !d.argv.front().starts_with('/')) body.fail("argv", "expected the absolute path of a program and its arguments, no shell line");
    body.list("environment", [&](std::string_view text) -> std::string {
        const auto name = text.substr(0, text.find('='));
        const auto good = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
        if (name.empty() || name.size() == text.size() || !plain(text, 4096) || !std::all_of(name.begin(), name.end(), good)) return "expected NAME=value";
        d.environment.emplace_back(text);
        return {};
    });
    body.text("directory", d.directory, 4096);
    if (!d.directory.starts_with('/') || d.directory.find('\0') != std::string::npos) body.fail("directory", "expected an absolute path");
    body.text("trust_anchors", d.trust_anchors, std::size_t{256} * 1024);
    body.list("operations", [&](std::string_view text) -> std::string {
        constexpr std::array known{"poll", "lookup", "revoke", "test"};
        if (std::find(known.begin(), known.end(), text) == known.end()) return "known here: poll, lookup, revoke, test";
        d.operations.emplace_back(text);
        return {};
    });
    const auto within = [&](std::string_view key, std::chrono::milliseconds& into, std::chrono::milliseconds least, std::chrono::milliseconds most) {
        body.duration(key, into);
        if (into < least || into > most) body.fail(key, "expected " + core::format_duration(least) + " to " + core::format_duration(most));
    };
    using std::chrono::hours, std::chrono::seconds, std::chrono::minutes;
    // Together with the wait for its turn it stays below what the store's records take for the age of a lost node.
    within("timeout", d.timeout, seconds(1), minutes(2));
    within("pending_limit", d.pending_limit, minutes(1), hours(24 * 366));
    within("longest_lifetime", d.longest_lifetime, minutes(1), hours(24 * 3660));
    within("earlier", d.earlier, seconds(1), hours(24 * 30));
    if (body.root()["later"].exists()) within("later", d.later, seconds(1), hours(24 * 30));
    body.number("output_limit", d.output_limit, 1024, 1024 * 1024);
    body.number("at_once", d.at_once, 1, 64);
    body.number("queue", d.queue, 0, 1024);
    body.number("serial_octets", d.serial_octets, 1, 20);
    body.flag("publicly_trusted", d.publicly_trusted);
    if (body.failure()) return *body.failure();
    return d;
}

}  // namespace postern::ra
