#include "est/manufacturer.hpp"

#include <algorithm>

#include "core/base/encoding.hpp"
#include "core/crypto/certificate_uses.hpp"
#include "core/crypto/chain.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/hardware_module.hpp"
#include "ra/bodies.hpp"
#include "ra/predecessors.hpp"
#include "store/tables/authority.hpp"

namespace postern::est {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

constexpr int most_issuers = 6;
constexpr std::string_view client_auth = "1.3.6.1.5.5.7.3.2", any_purpose = "2.5.29.37.0";

Problem refuse(std::string_view check, std::string why) { return {ProblemKind::forbidden, std::move(why), std::string(check)}; }

/// The leaf alone. RFC 5280 §4.2.1.12: without the extension it is for everything.
Result<void> judge_leaf(const crypto::Certificate& certificate, core::TimePoint now) {
    if (now < certificate.not_before() || now > certificate.not_after())
        return refuse("credential.validity", "the client certificate is valid from " + core::rfc3339(certificate.not_before()) + " to " + core::rfc3339(certificate.not_after()));
    if (const auto role = ra::authority_role(certificate); !role.empty()) return refuse("credential.purpose", "the client certificate is " + role + ", which enrolls nothing here");
    const auto uses = crypto::extended_key_usage(certificate);
    const auto good = [](const std::string& use) { return use == client_auth || use == any_purpose; };
    if (!uses->empty() && std::none_of(uses->begin(), uses->end(), good))
        return refuse("credential.purpose", "the client certificate is not for client authentication (extendedKeyUsage)");
    return {};
}

/// Subjects of the CAs that issue here, those of before too.
Task<std::vector<core::Bytes>> own_issuers(Parts& parts, const Call& call) {
    std::vector<core::Bytes> out;
    const auto add = [&](core::BytesView der) {
        if (auto ca = crypto::Certificate::parse(der)) out.push_back(ca->subject_der());
    };
    auto none = store::values();
    const auto rows = co_await parts.deps.db.read(store::authority_all, std::move(none));
    for (const auto& row : rows) add(store::AuthorityRow::from(row).certificate);
    for (const auto& name : call.endpoint.profiles) {
        const auto* profile = call.catalog->profile(call.endpoint.tenant, name);
        auto* backend = profile ? parts.deps.backends.find(profile->backend) : nullptr;
        if (backend == nullptr) continue;
        // Those above a foreign one are not its own.
        if (const auto chain = backend->chain(backend->issuer()); !chain.empty()) add(chain.front());
    }
    co_return out;
}

std::string one_of(const crypto::DistinguishedName& subject, crypto::DnAttribute type) {
    const auto values = subject.values(type);
    return values.size() == 1 ? values.front() : std::string();
}

std::string serial_of(const crypto::Certificate& certificate, ra::DeviceSettings::Serial where) {
    switch (where) {
        case ra::DeviceSettings::Serial::subject: return one_of(certificate.subject(), crypto::DnAttribute::serial_number);
        case ra::DeviceSettings::Serial::common_name: return one_of(certificate.subject(), crypto::DnAttribute::common_name);
        case ra::DeviceSettings::Serial::hardware_module: return crypto::hardware_module_serial(certificate).value_or("");
    }
    return {};
}

/// Up to its trust anchor, which stands last; the leaf itself may be one.
Task<Result<std::vector<crypto::Certificate>>> path_of(Parts& parts, const crypto::Certificate& leaf, const std::vector<crypto::Certificate>& sent, const ra::Account& account) {
    crypto::PathMaterial material;
    material.leaf = leaf;
    material.sent = sent;
    material.most_issuers = most_issuers;
    const auto anchors = crypto::from_pem("CERTIFICATE", account.devices.trust_anchors);
    for (const auto& der : anchors.value())
        if (auto anchor = crypto::Certificate::parse(der)) material.declared.push_back(std::move(*anchor));
    const auto now = parts.now();
    const auto work = [material = std::move(material), now] { return crypto::verified_path(material, now); };
    auto path = co_await parts.deps.pool.run(work);
    if (path && path->empty()) path->push_back(leaf);
    co_return path;
}

Task<Result<void>> judge_revocation(Parts& parts, const Call& call, const Vouched& vouched) {
    const auto& name = vouched.account.devices.revocation;
    if (name.empty()) co_return Result<void>();
    auto wanted = name;
    const auto who = co_await ra::find_predecessor(parts.deps.db, call.endpoint.tenant, std::move(wanted));
    if (!who) co_return refuse("credential.revoked", "nobody says what was revoked: there is no predecessor " + name);
    auto certificate = vouched.certificate;
    auto id = call.request.id;
    const auto stands = co_await parts.deps.predecessor_status.check(who->row.id, std::move(certificate), std::move(id), call.request.deadline);
    if (!stands) co_return refuse("credential.revoked", stands.error().detail);
    co_return Result<void>();
}

Task<std::optional<store::EstDeviceRow>> row_of(Parts& parts, const Vouched& vouched) {
    if (vouched.serial.empty() || !vouched.account.devices.tells_apart()) co_return std::nullopt;
    auto named = store::values(vouched.account.id, vouched.serial, vouched.anchor, vouched.anchor_sha256);
    const auto rows = co_await parts.deps.db.read(store::est_device_find, std::move(named));
    if (rows.empty()) co_return std::nullopt;
    co_return store::EstDeviceRow::from(rows.front());
}

}  // namespace

Task<Result<Vouched>> find_vouched(Parts& parts, const Call& call, crypto::Certificate certificate) {
    auto of_endpoint = store::values(call.endpoint.id);
    const auto rows = co_await parts.deps.db.read(store::account_anchored, std::move(of_endpoint));
    if (rows.empty()) co_return refuse("credential.certificate", "no record here knows the client certificate, and no account of this endpoint takes those of a manufacturer");
    if (const auto good = judge_leaf(certificate, parts.now()); !good) co_return good.error();
    std::vector<crypto::Certificate> sent;
    if (call.request.peer.tls_facts)
        for (const auto& der : call.request.peer.tls_facts->sent)
            if (auto each = crypto::Certificate::parse(der)) sent.push_back(std::move(*each));  // what cannot be read leads nowhere
    const auto own = co_await own_issuers(parts, call);
    const auto ours = [&](const crypto::Certificate& c) { return std::ranges::find(own, c.issuer_der()) != own.end() || std::ranges::find(own, c.subject_der()) != own.end(); };
    // Ours are known by their record, and one that only bears our name is a forgery: no anchor makes either good.
    const auto look_alike = refuse("credential.certificate", "the client certificate names a CA of this server as its issuer, and no record here knows it");
    if (ours(certificate)) co_return look_alike;
    std::optional<Vouched> first;
    std::string why = "no account could be read";
    for (const auto& row : rows) {
        auto account = ra::read_account(store::ObjectRow::from(row));
        if (!account) continue;  // unreadable denies
        const auto path = co_await path_of(parts, certificate, sent, *account);
        if (!path) {
            why = path.error().detail;
            continue;
        }
        if (std::any_of(path->begin(), path->end(), ours)) co_return look_alike;
        Vouched found;
        const auto& anchor = path->back();
        found.serial = serial_of(certificate, account->devices.serial);
        found.anchor = one_of(anchor.subject(), crypto::DnAttribute::common_name);
        if (found.anchor.empty()) found.anchor = anchor.subject().to_text();
        found.anchor_sha256 = core::hex(crypto::sha256(anchor.der()));
        found.account = std::move(*account);
        found.certificate = certificate;
        found.row = co_await row_of(parts, found);
        const bool welcome = !found.account.devices.listed || (found.row && found.row->listed);
        if (!first || welcome) first = std::move(found);
        if (welcome) break;
    }
    if (!first) co_return refuse("credential.chain", "the client certificate is not of a manufacturer that this endpoint knows: " + why);
    const auto stands = co_await judge_revocation(parts, call, *first);
    if (!stands) co_return stands.error();
    co_return std::move(*first);
}

}  // namespace postern::est
