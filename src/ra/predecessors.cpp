#include "ra/predecessors.hpp"

#include <algorithm>

#include "core/base/encoding.hpp"
#include "core/crypto/certificate_uses.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/revocation_list.hpp"
#include "core/json/writer.hpp"
#include "ra/audit.hpp"
#include "store/tables/imported_certificate.hpp"
#include "store/tables/imported_certificate_portion.hpp"

namespace postern::ra {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

namespace {

constexpr std::size_t most_certificates = 50, longest_url = 2000;
/// So many imported certificates are taken away by one batch.
constexpr std::int64_t certificates_at_once = 1000;

core::Bytes digest_of(core::BytesView der) {
    const auto digest = crypto::sha256(der);
    return {digest.begin(), digest.end()};
}

/// Called by nobody but this server, so it may be an address of the house.
Result<void> check_url(const std::string& url, std::string_view what) {
    const bool web = url.starts_with("http://") || url.starts_with("https://");
    const bool plain = std::ranges::all_of(url, [](char c) { return c > ' ' && c < '\x7f'; });
    const auto authority = url.substr(std::min(url.find("//") + 2, url.size()));
    // Neither is ever sent: found out now, and not by the first device that renews.
    const bool sent = url.find('#') == std::string::npos && authority.substr(0, authority.find_first_of("/?")).find('@') == std::string::npos;
    if (web && plain && !sent) return Problem(ProblemKind::malformed, std::string(what) + ": a URL without user, password and fragment is expected");
    const bool hosted = !authority.empty() && authority.front() != '/' && authority.front() != '?' && authority.front() != ':';
    if (url.empty() || (web && plain && hosted && url.size() <= longest_url)) return {};
    return Problem(ProblemKind::malformed, std::string(what) + ": expected an absolute http or https URL (LDAP is not spoken here; CAs publish by HTTP too)");
}

Result<void> check_authority(const crypto::Certificate& certificate) {
    const auto named = "\"" + certificate.subject().to_text() + "\" ";
    if (!certificate.is_ca()) return Problem(ProblemKind::bad_content, named + "is no CA's certificate; certificates of devices come by `postern cert import`");
    const auto key = crypto::PublicKey::from_spki(certificate.spki(), crypto::KeyUse::authority);
    if (!key) return Problem(ProblemKind::bad_content, named + "has a key that nothing here can rest on: " + key.error().detail);
    return {};
}

/// A list that is handed over must be one of theirs; whether it is of today is asked when somebody renews.
Result<void> check_list(const core::Bytes& der, const std::vector<crypto::Certificate>& authorities) {
    const auto list = crypto::RevocationList::parse(der);
    if (!list) return list.error();
    if (!list->next_update()) return Problem(ProblemKind::bad_content, "the CRL does not say until when it counts (nextUpdate)");
    for (const auto& authority : authorities) {
        if (authority.subject_der() != list->issuer_der()) continue;
        const auto key = crypto::PublicKey::from_spki(authority.spki(), crypto::KeyUse::authority);
        if (key && list->signed_by(*key)) return {};
    }
    return Problem(ProblemKind::bad_content, "the CRL is signed by none of the predecessor's certificates");
}

Result<std::vector<crypto::Certificate>> read_authorities(const std::vector<core::Bytes>& ders) {
    std::vector<crypto::Certificate> out;
    for (const auto& der : ders) {
        auto certificate = crypto::Certificate::parse(der);
        if (!certificate) return certificate.error();
        if (auto good = check_authority(*certificate); !good) return good.error();
        const auto same = [&](const crypto::Certificate& other) { return other.der() == certificate->der(); };
        if (std::ranges::none_of(out, same)) out.push_back(std::move(*certificate));
    }
    return out;
}

Task<Predecessor> with_certificates(store::Database& db, store::PredecessorRow row) {
    Predecessor out;
    auto key = store::values(row.id);
    const auto rows = co_await db.read(store::predecessor_certificates, std::move(key));
    for (const auto& each : rows) out.certificates.push_back(crypto::Certificate::parse(each.blob(0)).value());
    out.row = std::move(row);
    co_return out;
}

AuditRecord record_of(std::string_view action, const Tenant& tenant, const std::string& name, const Principal& by, core::RequestId request, core::TimePoint now) {
    AuditRecord record;
    record.at = now;
    record.tenant = tenant.id;
    record.request = std::move(request);
    record.actor = by.actor;
    record.action = std::string(action);
    record.object_kind = "predecessor";
    record.object_id = tenant.name + "/" + name;
    return record;
}

}  // namespace

const crypto::Certificate* Predecessor::issuer_of(const crypto::Certificate& leaf) const {
    for (const auto& each : certificates) {
        if (each.subject_der() != leaf.issuer_der()) continue;
        const auto key = crypto::PublicKey::from_spki(each.spki(), crypto::KeyUse::authority);
        if (key && leaf.signed_by(*key)) return &each;
    }
    return nullptr;
}

std::string authority_role(const crypto::Certificate& certificate) {
    if (certificate.is_ca()) return "a CA's certificate";
    const auto uses = crypto::extended_key_usage(certificate);
    if (!uses) return "a certificate whose purposes cannot be read";
    for (const auto& use : *uses) {
        if (use == crypto::eku_ocsp_signing) return "an OCSP responder's certificate";
        if (use == crypto::eku_request_agent || use == crypto::eku_cmc_registration || use == crypto::eku_cmc_authority)
            return "a registration authority's certificate";
    }
    return {};
}

Task<std::optional<Predecessor>> find_predecessor(store::Database& db, store::PredecessorId id) {
    auto key = store::values(id);
    const auto row = co_await store::read_one(db, store::predecessor_by_id, std::move(key));
    if (!row) co_return std::nullopt;
    auto read = store::PredecessorRow::from(*row);
    co_return co_await with_certificates(db, std::move(read));
}

Task<std::optional<Predecessor>> find_predecessor(store::Database& db, core::TenantId tenant, std::string name) {
    auto key = store::values(tenant, name);
    const auto row = co_await store::read_one(db, store::predecessor_by_name, std::move(key));
    if (!row) co_return std::nullopt;
    auto read = store::PredecessorRow::from(*row);
    co_return co_await with_certificates(db, std::move(read));
}

Result<const Tenant*> Predecessors::tenant_of(const Catalog& catalog, const std::string& name, const Principal& by) const {
    const auto* own = by.tenant ? catalog.tenant(*by.tenant) : nullptr;
    const auto wanted = !name.empty() ? name : own ? own->name : std::string("default");
    const auto* tenant = catalog.tenant(std::string_view(wanted));
    if (!tenant || (by.tenant && *by.tenant != tenant->id)) return Problem(ProblemKind::not_found, "there is no tenant " + wanted);
    return tenant;
}

Task<Result<Predecessor>> Predecessors::put(Order order, Principal by, core::RequestId request) {
    const auto catalog = deps_.catalog.current();
    const auto tenant = tenant_of(*catalog, order.tenant, by);
    if (!tenant) co_return tenant.error();
    for (const auto& [url, what] : {std::pair(&order.crl_url, "crl"), std::pair(&order.ocsp_url, "ocsp")})
        if (*url)
            if (auto good = check_url(**url, what); !good) co_return good.error();
    auto fresh = read_authorities(order.certificates);
    if (!fresh) co_return fresh.error();

    auto found = co_await find_predecessor(deps_.db, (*tenant)->id, order.name);
    const bool known = found.has_value();
    Predecessor out = known ? std::move(*found) : Predecessor();
    const auto is_known = [&](const crypto::Certificate& c) {
        return std::ranges::any_of(out.certificates, [&](const crypto::Certificate& other) { return other.der() == c.der(); });
    };
    std::erase_if(*fresh, is_known);
    if (out.certificates.size() + fresh->size() > most_certificates)
        co_return Problem(ProblemKind::malformed, "a predecessor has at most " + std::to_string(most_certificates) + " certificates; make one for each CA that issued");
    const auto first_added = out.certificates.size();
    for (auto& certificate : *fresh) out.certificates.push_back(std::move(certificate));
    if (out.certificates.empty()) co_return Problem(ProblemKind::malformed, "name the predecessor's certificates (--cert)");

    auto& row = out.row;
    if (order.crl_url) row.crl_url = *order.crl_url;
    if (order.crl_url) row.crl_file = false;
    if (order.ocsp_url) row.ocsp_url = *order.ocsp_url;
    if (order.crl) {
        if (auto good = check_list(*order.crl, out.certificates); !good) co_return good.error();
        row.crl_file = true;
        row.crl_url.clear();
    }
    if (row.crl_url.empty() && row.ocsp_url.empty() && !row.crl_file)
        co_return Problem(ProblemKind::malformed, "name the predecessor's CRL (--crl) or OCSP responder (--ocsp): where the status is not known, nothing renews");
    row.updated = deps_.clock.now();
    row.updated_by = by.actor.kind + " " + by.actor.name;
    if (!known) {
        row.id = store::PredecessorId(co_await deps_.numbers.next(store::Series::backend));
        row.tenant = (*tenant)->id;
        row.name = order.name;
        row.created = row.updated;
    }
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    auto record = record_of(known ? "predecessor.changed" : "predecessor.created", **tenant, order.name, by, std::move(request), row.updated);
    json::Writer detail;
    detail.begin_object().member("crl", order.crl ? "a file, SHA-256 " + core::hex(digest_of(*order.crl)) : row.crl_url).member("ocsp", row.ocsp_url);
    detail.key("added").begin_array();
    store::Batch batch;
    if (known)
        batch.add(store::predecessor_update, store::values(row.id, row.crl_url, row.ocsp_url, row.updated, row.updated_by));
    else
        batch.add(store::predecessor_insert, row.insert_values());
    if (order.crl || order.crl_url) batch.add(store::predecessor_crl_set, store::values(row.id, order.crl));
    for (auto at = first_added; at < out.certificates.size(); ++at) {
        const auto& der = out.certificates[at].der();
        const auto digest = digest_of(der);
        batch.add(store::predecessor_certificate_insert, store::values(row.id, digest, der), store::Expect::any);
        detail.string(core::hex(digest));
    }
    detail.end_array().end_object();
    record.detail = detail.take();
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return Problem(ProblemKind::conflict, "somebody else changed predecessor " + order.name + " at the same moment; ask again");
    co_return out;
}

Task<std::vector<Predecessors::Listed>> Predecessors::list(Principal by, std::string name) {
    const auto catalog = deps_.catalog.current();
    std::vector<Listed> out;
    for (std::int64_t after = 0;;) {
        auto key = store::values(after, by.tenant);
        const auto rows = co_await deps_.db.read(store::predecessor_page, std::move(key));
        if (rows.empty()) co_return out;
        for (const auto& raw : rows) {
            auto row = store::PredecessorRow::from(raw);
            after = row.id.get();
            if (!name.empty() && row.name != name) continue;
            Listed listed;
            if (const auto* tenant = catalog->tenant(row.tenant)) listed.tenant = tenant->name;
            auto of_it = store::values(row.id);
            const auto counts = co_await store::read_one(deps_.db, store::imported_certificate_count, std::move(of_it));
            listed.imported = counts->integer(0);
            listed.left = counts->integer(1);
            listed.predecessor = co_await with_certificates(deps_.db, std::move(row));
            out.push_back(std::move(listed));
        }
    }
}

Task<Result<std::int64_t>> Predecessors::remove(std::string tenant, std::string name, bool with_certificates, Principal by, core::RequestId request) {
    const auto catalog = deps_.catalog.current();
    const auto owner = tenant_of(*catalog, tenant, by);
    if (!owner) co_return owner.error();
    const auto found = co_await find_predecessor(deps_.db, (*owner)->id, name);
    if (!found) co_return Problem(ProblemKind::not_found, "there is no predecessor " + name + " of tenant " + (*owner)->name);
    auto of_it = store::values(found->row.id);
    const auto counts = co_await store::read_one(deps_.db, store::imported_certificate_count, std::move(of_it));
    const auto imported = counts->integer(0);
    Problem in_use(ProblemKind::conflict, std::to_string(imported) + " imported certificates rest on predecessor " + name + ", " +
                                              std::to_string(counts->integer(1)) + " of them not renewed yet; --with-certificates takes their right to renew away too");
    if (imported > 0 && !with_certificates) co_return in_use;

    // What was decided is on record before the first of many is gone.
    json::Writer detail;
    detail.begin_object().member("certificates", imported).end_object();
    const auto told = detail.take();
    for (auto left = imported; left > certificates_at_once; left -= certificates_at_once) {
        store::Batch portion;
        portion.add(store::imported_certificates_remove_some, store::values(found->row.id, certificates_at_once), store::Expect::any);
        if (left == imported) {
            const auto number = co_await deps_.numbers.next(store::Series::audit);
            auto begun = record_of("predecessor.certificates_removed", **owner, name, by, request, deps_.clock.now());
            begun.detail = told;
            add_audit(portion, number, begun);
        }
        const auto gone = co_await deps_.db.write(std::move(portion));
        gone.value();
    }
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    auto record = record_of("predecessor.removed", **owner, name, by, std::move(request), deps_.clock.now());
    record.detail = told;
    store::Batch batch;
    if (with_certificates) batch.add(store::imported_certificates_remove, store::values(found->row.id), store::Expect::any);
    batch.add(store::predecessor_certificates_remove, store::values(found->row.id), store::Expect::any);
    batch.add(store::predecessor_remove, store::values(found->row.id));
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    // An import came between.
    if (!written) co_return in_use;
    co_return imported;
}

}  // namespace postern::ra
