#include "ca/builtin/builtin_ca.hpp"

#include <sys/stat.h>

#include "ca/builtin/builtin_impl.hpp"
#include "ca/builtin/ceremony.hpp"
#include "ca/builtin/routes.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/cms_build.hpp"
#include "store/tables/authority.hpp"

namespace postern::ca {
namespace {

bool exists(const std::string& path) {
    struct stat about {};
    return ::lstat(path.c_str(), &about) == 0;
}

/// RFC 5280 §5.3.1 without 7 (unassigned) and the two that only a hold knows (6, 8).
bool is_reason(unsigned reason) {
    return reason <= 10 && reason != 6 && reason != 7 && reason != 8;
}

core::Task<Hierarchy> first_start(BuiltinCa::Deps deps, const BuiltinConfig& config, KeyRows& keys,
                                  const std::string& root_pem_path) {
    // A root that clients already trust, and a database that knows nothing of it: never replaced
    // in silence.
    if (exists(root_pem_path))
        throw std::runtime_error(root_pem_path + " exists, but the database knows no CA: the database was lost or exchanged. Restore it from the backup, or move " +
                                 root_pem_path + " away to start with a new CA that every client must be told to trust");
    const auto now = deps.clock.now();
    deps.log.info("ca_creating", {{"root_key", config.root_key.to_string()}, {"issuing_key", config.issuing_key.to_string()}});
    auto job = [config, now, &random = deps.random] { return make_hierarchy(config, random, now); };
    auto made = co_await deps.pool.run(std::move(job));
    if (!made) throw std::runtime_error("the CA keys cannot be made now: " + made.error().detail);
    const auto shared = std::make_shared<const Hierarchy>(std::move(*made));
    const bool first = co_await record_hierarchy(shared, keys, deps.db, now);
    // Read back: the first start passes the same checks as every later one.
    auto loaded = co_await load_hierarchy(keys, deps.db, now);
    if (!loaded) throw std::runtime_error("the database says that a CA was made, but knows none; restore it from the backup");
    deps.log.info(first ? "ca_created" : "ca_created_elsewhere", {{"root", loaded->roots.front()->key_id}, {"issuing", loaded->issuing.front()->key_id}});
    co_return std::move(*loaded);
}

core::Task<core::Result<Outcome>> not_ours(std::string key_id) {
    co_return core::Problem(core::ProblemKind::bad_content, "the certificate was prepared for another issuing CA (" + key_id + ")");
}

}  // namespace

void write_root_pem(const std::string& path, const Authority& root) {
    const auto pem = crypto::to_pem("CERTIFICATE", root.certificate.der());
    replace_file(path, core::as_bytes(pem), 0644);
}

BuiltinCa::BuiltinCa() = default;
BuiltinCa::~BuiltinCa() = default;

core::Task<std::unique_ptr<BuiltinCa>> BuiltinCa::open(Deps deps, BuiltinConfig config, std::string root_pem_path) {
    while (config.public_http.ends_with('/')) config.public_http.pop_back();
    KeyRows keys(deps.db, deps.sealer, KeyFiles(config.keys_folder, deps.sealer), deps.clock, config.keys_in_database);
    auto hierarchy = co_await load_hierarchy(keys, deps.db, deps.clock.now());
    if (!hierarchy) {
        auto making = first_start(deps, config, keys, root_pem_path);
        hierarchy = co_await std::move(making);
    }
    const auto& today = *hierarchy->today(deps.clock.now());
    if (today.certificate.not_after() < deps.clock.now())
        deps.log.error("ca_expired", {{"issuing", today.key_id}, {"not_after", core::rfc3339(today.certificate.not_after())}});
    for (const auto* list : {&hierarchy->roots, &hierarchy->issuing})
        for (const auto& each : *list)
            if (!each->can_sign())
                deps.log.warning("ca_key_missing", {{"authority", each->key_id}, {"key", keys.where(each->key_id)}, {"not_after", core::rfc3339(each->certificate.not_after())},
                                                    {"why", "it has ended and nothing is signed by it any more: its CRL stays as it is"}});
    const auto root = hierarchy->root(deps.clock.now());
    write_root_pem(root_pem_path, *root);
    std::unique_ptr<BuiltinCa> out(new BuiltinCa);
    out->impl_ = std::make_unique<Impl>(deps, config, std::move(root_pem_path), std::move(*hierarchy));
    out->impl_->root_pem_of = root->key_id;
    co_await out->impl_->crls->load();
    co_return out;
}

void BuiltinCa::start(Purpose purpose) {
    impl_->deps.tasks.spawn(impl_->deps.executor, CrlSigner::run(impl_->crls, purpose == Purpose::serve));
}

core::Task<core::Result<void>> BuiltinCa::release_crls(core::Deadline deadline) {
    return CrlSigner::release(impl_->crls, deadline);
}

void BuiltinCa::look_for_unlisted() { impl_->crls->look_soon(); }

std::optional<LostNumber> BuiltinCa::lost_number() const { return impl_->crls->lost_number(); }

void BuiltinCa::halt_crls() { impl_->crls->halt(); }

void BuiltinCa::add_routes(http::Router& router) {
    const auto hierarchy = [impl = impl_.get()] { return impl->ready()->hierarchy; };
    add_authority_routes(router, hierarchy, impl_->crls, impl_->deps.clock);
}

core::Bytes BuiltinCa::root_der() const { return impl_->ready()->hierarchy.root(impl_->deps.clock.now())->certificate.der(); }

Capabilities BuiltinCa::capabilities() const noexcept {
    Capabilities out;
    out.revoke = true;
    return out;
}

core::Result<Prepared> BuiltinCa::prepare(const Authorized& authorized) {
    const auto ready = impl_->ready();
    const auto now = impl_->deps.clock.now();
    const auto& wanted = authorized.content().issuer_key_id;
    // Who asked for the next one may get it early; a former one issues no more, whoever asks.
    const auto successor = ready->hierarchy.successor(now);
    const auto& issuer = successor && wanted == successor->key_id ? successor : ready->hierarchy.today(now);
    auto* issuance = ready->find(issuer->key_id);
    // It had ended when it was loaded, and the clock was set back since.
    if (issuance == nullptr) return core::Problem(core::ProblemKind::unavailable, "the key of issuing CA " + issuer->key_id + " is missing; restore it from the backup");
    return issuance->prepare(authorized.content());
}

core::Task<core::Result<Outcome>> BuiltinCa::issue(const Authorized& authorized, const Prepared& prepared,
                                                   core::Deadline deadline) {
    auto* issuance = impl_->ready()->find(prepared.issuer_key_id);
    if (issuance == nullptr) return not_ours(prepared.issuer_key_id);
    return issuance->issue(authorized.content(), prepared, deadline);
}

core::Result<Checked> BuiltinCa::check(const Issued& issued, const Content& content, const Prepared& prepared) const {
    auto leaf = check_issued(issued.certificate, content, prepared.tbs, nullptr);
    if (!leaf) return leaf.error();
    Checked out;
    out.certificate = std::move(*leaf);
    out.issuer_key_id = issued.issuer_key_id;
    return out;
}

void BuiltinCa::record_revocation(store::Batch& batch, const Revoked& revoked) {
    // Both are the caller's faults: a revocation that no CRL of ours would ever show.
    if (revoked.serial.empty() || !is_reason(revoked.reason)) throw std::invalid_argument("not a revocation that a CRL can list");
    if (!impl_->crls->note_revocation(revoked.issuer_key_id))
        throw std::invalid_argument("CA " + revoked.issuer_key_id + " is none of this backend");
    batch.add(store::revocation_insert,
              store::values(revoked.issuer_key_id, revoked.serial, 0, revoked.at, static_cast<std::int64_t>(revoked.reason),
                            revoked.not_after),
              store::Expect::any);
}

core::Task<core::Result<void>> BuiltinCa::publish_revocations(core::Deadline deadline) {
    return CrlSigner::publish(impl_->crls, deadline);
}

std::vector<core::Bytes> BuiltinCa::chain(const std::string& issuer_key_id) const {
    const auto ready = impl_->ready();
    const auto& h = ready->hierarchy;
    const auto authority = h.find(issuer_key_id);
    std::vector<core::Bytes> out;
    if (!authority) return out;
    out.push_back(authority->certificate.der());
    for (const auto& each : h.way_from_older(*h.root_of(*authority), impl_->deps.clock.now())) out.push_back(each->certificate.der());
    return out;
}

/// chain() goes to the oldest root that a client may know alone; these end at its own root, at those between, and at newer ones.
std::vector<std::vector<core::Bytes>> BuiltinCa::alternate_chains(const std::string& issuer_key_id) const {
    const auto ready = impl_->ready();
    const auto& h = ready->hierarchy;
    const auto authority = h.find(issuer_key_id);
    std::vector<std::vector<core::Bytes>> out;
    if (!authority || authority->root) return out;
    const auto now = impl_->deps.clock.now();
    const auto root = h.root_of(*authority);
    const auto way = h.way_from_older(*root, now);
    std::vector<core::Bytes> shorter{authority->certificate.der()};
    for (const auto& each : way) {
        out.push_back(shorter);
        shorter.push_back(each->certificate.der());
    }
    std::vector<core::Bytes> longer{authority->certificate.der()};
    for (const auto& each : h.way_to_newer(*root, now)) {
        longer.push_back(each->certificate.der());
        out.push_back(longer);
    }
    return out;
}

std::vector<core::Bytes> BuiltinCa::path(const std::string& issuer_key_id) const {
    const auto ready = impl_->ready();
    const auto authority = ready->hierarchy.find(issuer_key_id);
    std::vector<core::Bytes> out;
    if (!authority) return out;
    out.push_back(authority->certificate.der());
    if (!authority->root) out.push_back(ready->hierarchy.root_of(*authority)->certificate.der());
    return out;
}

/// RFC 7030 §4.1.3: whatever leads from a certificate that somebody may hold to a root that somebody may know.
std::vector<core::Bytes> BuiltinCa::anchors() const {
    const auto ready = impl_->ready();
    const auto& h = ready->hierarchy;
    const auto now = impl_->deps.clock.now();
    const auto today = h.today(now);
    std::vector<core::Bytes> out;
    for (const auto& each : h.issuing)
        if (each != today && each->takes_over <= now && each->certificate.not_after() > now) out.push_back(each->certificate.der());
    for (const auto& each : h.crossed_at(now)) out.push_back(each->certificate.der());
    for (const auto& each : h.trusted(now)) out.push_back(each->certificate.der());
    return out;
}

core::TimePoint BuiltinCa::latest_not_after() const {
    return impl_->ready()->hierarchy.today(impl_->deps.clock.now())->certificate.not_after();
}

std::string BuiltinCa::issuer() const { return impl_->ready()->hierarchy.today(impl_->deps.clock.now())->key_id; }

core::Task<core::Result<core::Bytes>> BuiltinCa::sign_as_issuer(core::Bytes content, std::string content_type) {
    const auto today = impl_->ready()->hierarchy.today(impl_->deps.clock.now());
    if (today->key.public_key().type() == crypto::KeyType::ed25519)
        co_return core::Problem(core::ProblemKind::unsupported, "the issuing CA has an Ed25519 key, which CMS readers cannot verify");
    auto job = [today, content = core::SecretBytes(std::move(content)), type = std::move(content_type)] {
        const crypto::CmsIdentity identity(crypto::CmsCertificate::parse(today->certificate.der()).value(), today->key);
        return crypto::cms_sign(core::BytesView(content.expose()), {}, identity, crypto::CmsDigest::sha256, {}, type);
    };
    co_return co_await impl_->deps.pool.run(std::move(job));
}

std::optional<core::Bytes> BuiltinCa::crl(const std::string& issuer_key_id, core::BytesView) const {
    const auto newest = impl_->crls->newest(issuer_key_id);  // one shard covers all serials
    return newest ? std::optional(newest->der) : std::nullopt;
}

}  // namespace postern::ca
