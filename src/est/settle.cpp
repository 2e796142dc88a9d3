#include <algorithm>

#include "core/base/encoding.hpp"
#include "est/requester.hpp"
#include "ra/binding_text.hpp"
#include "store/tables/requester.hpp"

/// What a requester may do with this very request.
namespace postern::est {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

constexpr std::string_view oid_change_subject_name = "1.3.6.1.5.5.7.7.36";  ///< RFC 6402 §2.8

core::Bytes digest_of(const crypto::PublicKey& key) {
    const auto digest = key.spki_sha256();
    return {digest.begin(), digest.end()};
}

/// Of the certificate, else of the request.
std::string serial_of(const Requester& requester, const crypto::Csr& csr) {
    if (requester.vouched) return requester.vouched->serial;
    const bool in_name = requester.account.devices.serial == ra::DeviceSettings::Serial::common_name;
    const auto values = csr.subject().values(in_name ? crypto::DnAttribute::common_name : crypto::DnAttribute::serial_number);
    return values.size() == 1 ? values.front() : std::string();
}

/// The evidence that the device's row is beside.
void rest_on(Requester& requester, std::int64_t row, const crypto::PublicKey* key) {
    for (auto& e : requester.evidence) {
        if (e.kind != ra::Evidence::Kind::manufacturer && e.kind != ra::Evidence::Kind::password) continue;
        if (!e.requester.empty()) continue;
        e = std::move(e).resting_on(store::device_requester.kind, row, key ? key->spki() : core::Bytes());
        return;
    }
}

/// The first key of a device that no list has.
Task<void> remember(Parts& parts, const Call& call, Requester& requester, const crypto::PublicKey& key) {
    store::EstDeviceRow row;
    row.id = co_await parts.deps.numbers.next(store::Series::device);
    row.tenant = call.endpoint.tenant;
    row.endpoint = call.endpoint.id;
    row.account = requester.account.id;
    row.serial_number = requester.device->serial;
    row.manufacturer = requester.device->manufacturer;
    row.listed = false;
    row.pinned_spki = requester.device->key;
    row.pinned = row.created = parts.now();
    row.created_by = "est " + requester.name;
    rest_on(requester, row.id, requester.vouched ? &key : nullptr);
    const auto id = row.id;
    requester.claim = [row = std::move(row)](store::Batch& batch, core::EnrollmentId enrollment) mutable {
        row.pinned_enrollment = enrollment;
        batch.add(store::est_device_seen, row.insert_values());
    };
    requester.release = [id](store::Batch& batch, core::EnrollmentId enrollment) { batch.add(store::est_device_unpin, store::values(id, enrollment), store::Expect::any); };
}

/// One that is on the list, or came before.
void take(Parts& parts, Requester& requester, const store::EstDeviceRow& row, const crypto::PublicKey& key) {
    auto& device = *requester.device;
    device.listed = row.listed;
    device.pinned = row.pinned_spki;
    if (row.pinned) device.pinned_at = *row.pinned;
    if (!row.subject.empty() || !row.names.empty()) {
        device.named_by_serial = false;
        requester.binding.emplace();
        if (!row.subject.empty()) requester.binding->subject = ra::subject_from_stored(row.subject);
        if (!row.names.empty()) requester.binding->names = ra::names_from_stored(row.names);
    }
    rest_on(requester, row.id, requester.vouched ? &key : nullptr);
    const auto id = row.id;
    if (!device.first_use || !row.pinned_spki.empty()) {
        // Whoever removes it comes before the intent or after it.
        requester.claim = [id](store::Batch& batch, core::EnrollmentId) { batch.add(store::est_device_guard, store::values(id)); };
        return;
    }
    const auto now = parts.now();
    requester.claim = [id, spki = device.key, now](store::Batch& batch, core::EnrollmentId enrollment) {
        batch.add(store::est_device_pin, store::values(id, core::BytesView(spki), now, enrollment));
    };
    requester.release = [id](store::Batch& batch, core::EnrollmentId enrollment) { batch.add(store::est_device_unpin, store::values(id, enrollment), store::Expect::any); };
}

/// Which device it is, where the account tells them apart. Whoever renews is known by a record.
Task<void> tell_device(Parts& parts, const Call& call, Requester& requester, const crypto::Csr& csr) {
    const auto& settings = requester.account.devices;
    const bool by_scope = settings.naming == ra::DeviceSettings::Naming::scope;
    if (requester.renewal || requester.token || (!settings.tells_apart() && (!requester.vouched || by_scope))) co_return;
    const auto key = requester.vouched && requester.key ? *requester.key : csr.key();
    ra::Device device;
    device.serial = serial_of(requester, csr);
    if (requester.vouched) device.manufacturer = requester.vouched->anchor;
    device.must_be_listed = settings.listed;
    device.first_use = settings.first_use;
    device.named_by_serial = requester.vouched.has_value() && !by_scope;
    device.key = digest_of(key);
    requester.device = std::move(device);
    if (!settings.tells_apart() || requester.device->serial.empty()) co_return;
    std::optional<store::EstDeviceRow> row = requester.vouched ? requester.vouched->row : std::nullopt;
    if (!requester.vouched) {
        const std::string nobody;
        auto named = store::values(requester.account.id, requester.device->serial, nobody, nobody);
        const auto rows = co_await parts.deps.db.read(store::est_device_find, std::move(named));
        if (!rows.empty()) row = store::EstDeviceRow::from(rows.front());
    }
    if (row)
        take(parts, requester, *row, key);
    else if (settings.first_use && !settings.listed)
        co_await remember(parts, call, requester, key);
}

/// Of a certificate that another CA issued, it is asked whether it still stands.
Task<Result<void>> judge_renewal(Parts& parts, const Call& call, const ra::RenewalRight& right, const crypto::Csr& csr) {
    const auto names = co_await ra::check_same_names(parts.deps.db, right, csr);
    if (!names) co_return names.error();
    if (!right.predecessor) co_return Result<void>();
    auto certificate = right.certificate;
    auto id = call.request.id;
    const auto stands = co_await parts.deps.predecessor_status.check(*right.predecessor, std::move(certificate), std::move(id), call.request.deadline);
    if (stands) co_return Result<void>();
    auto problem = stands.error();
    if (problem.kind == ProblemKind::unauthenticated) problem.kind = ProblemKind::forbidden;  // another password would not help
    co_return problem;
}

}  // namespace

Task<Result<void>> check_token(Parts& parts, const Call& call, Requester& requester, const crypto::Csr& csr) {
    if (!requester.token) co_return Result<void>();
    auto& found = *requester.token;
    if (found.binding.ended) {
        auto text = requester.token_text->expose();
        auto key = digest_of(csr.key());
        auto again = co_await ra::find_one_time_challenge(parts.deps.db, parts.deps.sealer, call.endpoint.id, std::move(text), std::move(key), parts.now());
        if (again) found = std::move(*again);
    }
    if (found.binding.ended) co_return Problem(ProblemKind::forbidden, *found.binding.ended, std::string(ra::credential_over_check));
    requester.binding = found.binding;
    const auto id = found.row.id;
    requester.claim = [id](store::Batch& batch, core::EnrollmentId) { batch.add(store::scep_challenge_guard, store::values(id)); };
    co_return Result<void>();
}

Task<Result<void>> settle(Parts& parts, const Call& call, Requester& requester, const crypto::Csr& csr) {
    if (std::ranges::find(csr.unread_attributes(), oid_change_subject_name) != csr.unread_attributes().end())
        co_return Problem(ProblemKind::forbidden, "no certificate changes its names by re-enrollment here (ChangeSubjectName, RFC 6402); enroll anew", "renewal.change_subject");
    co_await tell_device(parts, call, requester, csr);
    if (requester.renewal) co_return co_await judge_renewal(parts, call, *requester.renewal, csr);
    co_return Result<void>();
}

}  // namespace postern::est
