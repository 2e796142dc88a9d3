#include "ra/blocked_keys.hpp"

#include <algorithm>

#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"
#include "core/json/writer.hpp"
#include "ra/audit.hpp"
#include "store/tables/audit.hpp"

namespace postern::ra {

using core::Problem;
using core::ProblemKind;

namespace {

constexpr std::string_view blocked_action = "key.blocked";

void append(store::Values& out, const crypto::Fingerprints& f) {
    out.emplace_back(f.spki);
    out.emplace_back(f.number);
    if (f.modulus.empty())
        out.emplace_back(std::monostate{});
    else
        out.emplace_back(f.modulus);
}

bool names(const crypto::Fingerprints& f, const core::Bytes& digest) {
    return digest == f.spki || digest == f.number || digest == f.modulus;
}

/// Six: those of the subject's key, then the requester's or NULL.
store::Values digests_of(const JudgedKeys& keys) {
    store::Values digests;
    append(digests, crypto::fingerprints(keys.subject));
    if (keys.requester)
        append(digests, crypto::fingerprints(*keys.requester));
    else
        digests.resize(6, std::monostate{});
    return digests;
}

/// The certificate's key; one that would be refused today is known by its SPKI alone.
crypto::Fingerprints key_of(const store::CertificateRow& certificate) {
    if (const auto read = crypto::Certificate::parse(certificate.der))
        if (const auto key = crypto::PublicKey::from_spki(read->spki(), crypto::KeyUse::csr)) return crypto::fingerprints(*key);
    crypto::Fingerprints out;
    out.spki = certificate.spki_sha256;
    return out;
}

AuditRecord record_of(std::string_view action, const Principal& by, const core::RequestId& request, core::TimePoint now) {
    AuditRecord record;
    record.at = now;
    record.tenant = by.tenant;
    record.request = request;
    record.actor = by.actor;
    record.action = std::string(action);
    record.object_kind = "key";
    return record;
}

}  // namespace

core::Task<std::optional<KeyBlock>> find_block(store::Database& db, JudgedKeys keys) {
    auto digests = digests_of(keys);
    const auto rows = co_await db.read(store::blocked_key_find, std::move(digests));
    if (rows.empty()) co_return std::nullopt;
    KeyBlock out;
    out.row = store::BlockedKeyRow::from(rows.front());
    out.of_requester = !names(crypto::fingerprints(keys.subject), out.row.digest);
    co_return out;
}

void guard_unblocked(store::Batch& batch, const JudgedKeys& keys) { batch.add(store::blocked_key_none, digests_of(keys)); }

void add_compromised(store::Batch& batch, const store::CertificateRow& certificate, std::int64_t audit_id, core::TimePoint now,
                     store::Expect expect) {
    add_block(batch, key_of(certificate), "keyCompromise", "certificate " + core::hex(certificate.serial), audit_id, now, expect);
}

std::string block_text(const KeyBlock& block) {
    return (block.of_requester ? "the key that signed the request is blocked (" : "the key is blocked (") + block.row.reason +
           "): whoever holds it may not be its owner; make a new key";
}

void add_block(store::Batch& batch, const crypto::Fingerprints& key, std::string_view reason, std::string_view source,
               std::int64_t audit_id, core::TimePoint now, store::Expect expect) {
    store::BlockedKeyRow row;
    row.reason = reason;
    row.source = source;
    row.audit = audit_id;
    row.created = now;
    for (const auto& digest : {key.spki, key.number}) {
        if (digest.empty()) continue;
        row.digest = digest;
        batch.add(store::blocked_key_insert, row.insert_values(), expect);
    }
}

core::Task<core::Result<std::int64_t>> BlockedKeys::block(Order order, Principal by, core::RequestId request) {
    const auto now = deps_.clock.now();
    store::Batch batch;
    std::int64_t import = 0;
    if (order.continues) {
        import = *order.continues;
        batch.add(store::audit_import_guard, store::values(import, blocked_action, by.actor.kind, by.actor.name));
    } else {
        import = co_await deps_.numbers.next(store::Series::audit);
        auto record = record_of(blocked_action, by, request, now);
        if (order.digests.size() == 1) record.object_id = core::hex(order.digests.front());
        json::Writer detail;
        detail.begin_object().member("reason", order.reason).member("source", order.source).member("keys", order.expected).end_object();
        record.detail = detail.take();
        add_audit(batch, import, record);
    }
    store::BlockedKeyRow row;
    row.reason = std::move(order.reason);
    row.source = std::move(order.source);
    row.audit = import;
    row.created = now;
    for (auto& digest : order.digests) {
        row.digest = std::move(digest);
        batch.add(store::blocked_key_insert, row.insert_values(), store::Expect::any);
    }
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return Problem(ProblemKind::not_found, "there is no import " + std::to_string(import) + " of yours to go on with");
    co_return import;
}

core::Task<core::Result<std::size_t>> BlockedKeys::unblock(std::vector<core::Bytes> digests, Principal by, core::RequestId request) {
    std::ranges::sort(digests);
    digests.erase(std::unique(digests.begin(), digests.end()), digests.end());
    store::Values wanted;
    for (auto& digest : digests) wanted.emplace_back(std::move(digest));
    wanted.resize(6, std::monostate{});
    const auto rows = co_await deps_.db.read(store::blocked_key_find, std::move(wanted));
    if (rows.empty()) co_return Problem(ProblemKind::not_found, "that key is not blocked");
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    auto record = record_of("key.unblocked", by, request, deps_.clock.now());
    store::Batch batch;
    json::Writer detail;
    detail.begin_object().key("keys").begin_array();
    for (const auto& raw : rows) {
        const auto row = store::BlockedKeyRow::from(raw);
        batch.add(store::blocked_key_remove, store::values(row.digest));
        detail.begin_object().member("key", core::hex(row.digest)).member("reason", row.reason).member("source", row.source).end_object();
        record.object_id = core::hex(row.digest);
    }
    detail.end_array().end_object();
    record.detail = detail.take();
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return Problem(ProblemKind::conflict, "somebody else unblocked it meanwhile");
    co_return rows.size();
}

core::Task<store::Rows> BlockedKeys::page(core::Bytes after, std::int64_t limit) {
    return deps_.db.read(store::blocked_key_page, store::values(after, limit));
}

core::Task<std::optional<KeyBlock>> BlockedKeys::find(crypto::PublicKey key) {
    return find_block(deps_.db, JudgedKeys(std::move(key)));
}

}  // namespace postern::ra
