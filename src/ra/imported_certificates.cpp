#include "ra/imported_certificates.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/serial_text.hpp"
#include "core/json/escape.hpp"
#include "core/json/writer.hpp"
#include "ra/audit.hpp"
#include "ra/enrollment_steps.hpp"
#include "store/tables/audit.hpp"
#include "store/tables/objects.hpp"

namespace postern::ra {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

namespace {

constexpr std::string_view imported_action = "certificate.imported";

/// Somewhere in the text, in any letter case.
std::string like_pattern(std::string_view text) {
    std::string out = "%";
    for (const char c : text) {
        if (c == '!' || c == '%' || c == '_') out += '!';
        out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return out + "%";
}

store::ImportedCertificateRow row_of(const crypto::Certificate& certificate) {
    store::ImportedCertificateRow row;
    const auto digest = crypto::sha256(certificate.der());
    row.serial = certificate.serial();
    row.sha256 = {digest.begin(), digest.end()};
    row.subject = json::printable(certificate.subject().to_text());
    row.names = names_json(certificate.alt_names());
    row.status = "issued";
    row.not_before = certificate.not_before();
    row.not_after = certificate.not_after();
    row.der = certificate.der();
    return row;
}

/// Another tenant's is as absent as none.
const Endpoint* endpoint_of(const Catalog& catalog, const std::string& name, const Principal& by) {
    for (const auto protocol : {Protocol::scep, Protocol::est})
        if (const auto* endpoint = catalog.endpoint(protocol, name); endpoint != nullptr && (!by.tenant || *by.tenant == endpoint->tenant)) return endpoint;
    return nullptr;
}

std::string why_not_theirs(const Predecessor& predecessor, const crypto::Certificate& certificate) {
    for (const auto& each : predecessor.certificates) {
        if (each.subject_der() != certificate.issuer_der()) continue;
        return "its signature is not one of predecessor " + predecessor.row.name + " (SHA-256, SHA-384 or SHA-512 with RSA or ECDSA are understood)";
    }
    return "it was not issued by predecessor " + predecessor.row.name;
}

}  // namespace

struct ImportedCertificates::Judged {
    Judged() = default;
    std::vector<store::ImportedCertificateRow> good;
    Report report;
};

ImportedCertificates::Judged ImportedCertificates::judge(const Predecessor& predecessor, std::vector<core::Bytes> ders, core::TimePoint now) {
    Judged out;
    std::set<core::Bytes> seen;
    for (std::size_t at = 0; at < ders.size(); ++at) {
        const auto certificate = crypto::Certificate::parse(ders[at]);
        if (!certificate) {
            out.report.refused.emplace_back(at, certificate.error().detail);
            continue;
        }
        if (const auto role = authority_role(*certificate); !role.empty()) {
            out.report.refused.emplace_back(at, "it is " + role + ", which never renews here");
            continue;
        }
        if (!predecessor.issuer_of(*certificate)) {
            out.report.refused.emplace_back(at, why_not_theirs(predecessor, *certificate));
            continue;
        }
        if (certificate->not_after() < now) {
            ++out.report.expired;
            continue;
        }
        auto row = row_of(*certificate);
        if (seen.insert(row.sha256).second)
            out.good.push_back(std::move(row));
        else
            ++out.report.known;
    }
    return out;
}

/// What is on record for the endpoint already stays as it is.
Task<void> ImportedCertificates::drop_known(core::EndpointId endpoint, Judged& judged, Report& report) {
    std::set<core::Bytes> known;
    for (std::size_t at = 0; at < judged.good.size(); at += store::imported_certificate_known_size) {
        auto asked = store::values(endpoint);
        for (auto i = at; i < std::min(at + store::imported_certificate_known_size, judged.good.size()); ++i) asked.emplace_back(judged.good[i].sha256);
        asked.resize(1 + store::imported_certificate_known_size, std::monostate{});
        const auto rows = co_await deps_.db.read(store::imported_certificate_known, std::move(asked));
        for (const auto& row : rows) known.insert(row.blob(0));
    }
    report.known += static_cast<std::int64_t>(known.size());
    std::erase_if(judged.good, [&](const store::ImportedCertificateRow& row) { return known.contains(row.sha256); });
}

Task<Result<ImportedCertificates::Report>> ImportedCertificates::add(Order order, Principal by, core::RequestId request) {
    const auto catalog = deps_.catalog.current();
    const auto* endpoint = endpoint_of(*catalog, order.endpoint, by);
    if (!endpoint) co_return Problem(ProblemKind::not_found, "there is no SCEP or EST endpoint " + order.endpoint + "; what is imported renews at one");
    auto named = store::values(order.account, endpoint->tenant, nullptr);
    const auto ids = co_await store::read_one(deps_.db, store::account_by_name, std::move(named));
    const core::AccountId account_id(ids ? ids->integer(0) : 0);
    const auto account = co_await find_account(deps_.db, account_id);
    // One name may be that of an endpoint of each protocol: the account says which.
    if (account && account->endpoint != endpoint->id)
        if (const auto* other = catalog->endpoint(Protocol::est, order.endpoint); other && other->id == account->endpoint) endpoint = other;
    if (!(endpoint->protocol == Protocol::est ? endpoint->est.renewal : endpoint->scep.renewal)) co_return Problem(ProblemKind::malformed, "endpoint " + order.endpoint + " renews no certificates (renewal = false)");
    if (!account || account->endpoint != endpoint->id)
        co_return Problem(ProblemKind::not_found, "endpoint " + order.endpoint + " has no account " + order.account);
    const auto predecessor = co_await find_predecessor(deps_.db, endpoint->tenant, order.predecessor);
    if (!predecessor) co_return Problem(ProblemKind::not_found, "there is no predecessor " + order.predecessor + "; `postern ca import --predecessor` makes it known");

    const auto now = deps_.clock.now();
    auto ders = std::move(order.certificates);
    const auto work = [&] { return judge(*predecessor, std::move(ders), now); };
    auto done = co_await deps_.pool.run(work);
    if (!done) co_return done.error();
    auto& judged = *done;
    auto report = std::move(judged.report);
    co_await drop_known(endpoint->id, judged, report);

    store::Batch batch;
    if (order.continues) {
        report.import = *order.continues;
        batch.add(store::audit_import_guard, store::values(report.import, imported_action, by.actor.kind, by.actor.name));
    } else {
        report.import = co_await deps_.numbers.next(store::Series::audit);
        AuditRecord record;
        record.at = now;
        record.tenant = endpoint->tenant;
        record.request = std::move(request);
        record.actor = by.actor;
        record.action = std::string(imported_action);
        record.object_kind = "endpoint";
        record.object_id = order.endpoint;
        json::Writer detail;
        detail.begin_object().member("predecessor", order.predecessor).member("account", order.account).member("source", order.source).end_object();
        record.detail = detail.take();
        add_audit(batch, report.import, record);
    }
    auto number = std::int64_t{0};
    if (!judged.good.empty()) number = co_await deps_.numbers.next(store::Series::certificate, static_cast<std::int64_t>(judged.good.size()));
    for (auto& row : judged.good) {
        row.id = store::ImportedCertificateId(number++);
        row.tenant = endpoint->tenant;
        row.predecessor = predecessor->row.id;
        row.endpoint = endpoint->id;
        row.account = account->id;
        row.audit = report.import;
        row.created = now;
        batch.add(store::imported_certificate_insert, row.insert_values(), store::Expect::any);
    }
    report.added = static_cast<std::int64_t>(judged.good.size());
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written && written.error().kind == store::Conflict::Kind::referenced)
        co_return Problem(ProblemKind::conflict, "the predecessor, the endpoint or the account was removed meanwhile");
    if (!written) co_return Problem(ProblemKind::not_found, "there is no import " + std::to_string(report.import) + " of yours to go on with");
    co_return report;
}

Task<store::Rows> ImportedCertificates::page(std::int64_t after, std::int64_t limit, std::string text, Principal by) {
    return deps_.db.read(store::imported_certificate_page, store::values(after, limit, by.tenant, like_pattern(text)));
}

Task<std::vector<store::ImportedCertificateRow>> ImportedCertificates::find(std::string hex, Principal by) {
    std::vector<store::ImportedCertificateRow> out;
    const auto digest = crypto::sha256_from_text(hex);
    const auto octets = digest ? digest : crypto::serial_from_text(hex);
    if (!octets) co_return out;
    const bool by_digest = digest.has_value();
    auto key = store::values(core::BytesView(*octets), by.tenant);
    const auto rows = co_await deps_.db.read(by_digest ? store::imported_certificate_by_digest : store::imported_certificate_by_serial, std::move(key));
    for (const auto& raw : rows) out.push_back(store::ImportedCertificateRow::from(raw));
    co_return out;
}

Task<Result<std::size_t>> ImportedCertificates::remove(std::string hex, Principal by, core::RequestId request) {
    const auto found = co_await find(hex, by);
    if (found.empty()) co_return Problem(ProblemKind::not_found, "no imported certificate with serial or SHA-256 " + hex);
    // CAs count from 1, many of them.
    const auto another = [&](const store::ImportedCertificateRow& row) { return row.sha256 != found.front().sha256; };
    if (std::ranges::any_of(found, another))
        co_return Problem(ProblemKind::conflict, "several certificates have serial " + hex + ", for serials are unique with their issuer; name one by its SHA-256 (postern cert show --external " + hex + ")");
    store::Batch batch;
    for (const auto& row : found) {
        const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
        AuditRecord record;
        record.at = deps_.clock.now();
        record.tenant = row.tenant;
        record.request = request;
        record.actor = by.actor;
        record.action = "certificate.forgotten";
        record.object_kind = "imported_certificate";
        record.object_id = core::hex(row.sha256);
        json::Writer detail;
        detail.begin_object().member("serial", core::hex(row.serial)).member("subject", row.subject).end_object();
        record.detail = detail.take();
        batch.add(store::imported_certificate_remove, store::values(row.id));
        add_audit(batch, audit_id, record);
    }
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return Problem(ProblemKind::conflict, "somebody else deleted it meanwhile");
    co_return found.size();
}

}  // namespace postern::ra
