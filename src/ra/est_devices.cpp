#include "ra/est_devices.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/json/writer.hpp"
#include "ra/binding_text.hpp"
#include "ra/bodies.hpp"

namespace postern::ra {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

using Key = std::pair<std::string, std::string>;  ///< serial number, manufacturer

constexpr std::size_t longest_serial = 128, longest_manufacturer = 512, longest_names = 4096;

bool printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

/// Empty: nothing is wrong with it.
std::string why_not(const EstDevices::Listed& device) {
    if (device.serial.empty() || device.serial.size() > longest_serial || !printable(device.serial)) return "serial: expected 1 to 128 octets of text";
    if (device.manufacturer.size() > longest_manufacturer || !printable(device.manufacturer)) return "manufacturer: expected at most 512 octets of text";
    if (device.subject && to_stored(*device.subject).size() > longest_names) return "subject: too long";
    if (device.names && to_stored(*device.names).size() > longest_names) return "sans: too long";
    return {};
}

Problem no_device(const std::string& serial, const std::string& account) { return {ProblemKind::not_found, "account " + account + " knows no device " + serial + " of that manufacturer"}; }

/// `conflict` where an enrollment that goes on names the row.
Problem meanwhile() { return {ProblemKind::conflict, "the account or the list was changed meanwhile; ask again"}; }

/// Those of `devices` that the account lists.
Task<std::set<Key>> known_of(store::Database& db, core::AccountId account, const std::vector<EstDevices::Listed>& devices) {
    std::set<Key> out;
    for (std::size_t at = 0; at < devices.size(); at += store::est_device_known_size) {
        auto asked = store::values(account);
        for (auto i = at; i < std::min(at + store::est_device_known_size, devices.size()); ++i) asked.emplace_back(devices[i].serial);
        asked.resize(1 + store::est_device_known_size, std::monostate{});
        const auto rows = co_await db.read(store::est_device_known, std::move(asked));
        for (const auto& row : rows) out.emplace(row.text(0), row.text(1));
    }
    co_return out;
}

}  // namespace

Task<Result<Account>> EstDevices::account_of(Place place, Principal by) {
    const auto catalog = deps_.catalog.current();
    const auto* endpoint = catalog->endpoint(Protocol::est, place.endpoint);
    if (endpoint == nullptr || (by.tenant && *by.tenant != endpoint->tenant)) co_return Problem(ProblemKind::not_found, "there is no EST endpoint " + place.endpoint);
    std::optional<std::string> wanted;
    if (!place.account.empty()) wanted = place.account;
    auto of_endpoint = store::values(endpoint->id, wanted);
    const auto rows = co_await deps_.db.read(store::account_with_devices, std::move(of_endpoint));
    std::vector<Account> accounts;
    for (const auto& row : rows)
        if (auto account = read_account(store::ObjectRow::from(row))) accounts.push_back(std::move(*account));
    // Where there are several, those that tell devices apart.
    if (accounts.size() > 1 && place.account.empty()) std::erase_if(accounts, [](const Account& a) { return !a.devices.tells_apart(); });
    if (accounts.empty())
        co_return Problem(ProblemKind::not_found, "endpoint " + place.endpoint + " has no account of method certificate or basic" + (place.account.empty() ? "" : " named " + place.account));
    if (accounts.size() > 1) co_return Problem(ProblemKind::malformed, "account: endpoint " + place.endpoint + " has several accounts that know devices; name one");
    co_return std::move(accounts.front());
}

AuditRecord EstDevices::record_of(const Account& account, const Place& place, const Principal& by, core::RequestId request, std::string action) const {
    AuditRecord record;
    record.at = deps_.clock.now();
    record.tenant = account.tenant;
    record.request = std::move(request);
    record.actor = by.actor;
    record.action = std::move(action);
    record.object_kind = "endpoint";
    record.object_id = place.endpoint;
    return record;
}

Task<Result<EstDevices::Report>> EstDevices::add(Place place, std::vector<Listed> devices, Principal by, core::RequestId request) {
    const auto account = co_await account_of(place, by);
    if (!account) co_return account.error();
    Report report;
    const auto known = co_await known_of(deps_.db, account->id, devices);
    std::vector<store::EstDeviceRow> rows;
    std::set<Key> seen;
    const auto now = deps_.clock.now();
    for (std::size_t at = 0; at < devices.size(); ++at) {
        const auto& device = devices[at];
        if (auto wrong = why_not(device); !wrong.empty()) {
            report.refused.emplace_back(at, std::move(wrong));
            continue;
        }
        const Key key(device.serial, device.manufacturer);
        if (known.contains(key) || !seen.insert(key).second) {
            ++report.known;
            continue;
        }
        store::EstDeviceRow row;
        row.tenant = account->tenant;
        row.endpoint = account->endpoint;
        row.account = account->id;
        row.serial_number = device.serial;
        row.manufacturer = device.manufacturer;
        if (device.subject) row.subject = to_stored(*device.subject);
        if (device.names) row.names = to_stored(*device.names);
        row.created = now;
        row.created_by = called(by.actor);
        rows.push_back(std::move(row));
    }
    if (rows.empty()) co_return report;
    auto number = co_await deps_.numbers.next(store::Series::device, static_cast<std::int64_t>(rows.size()));
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    auto record = record_of(*account, place, by, std::move(request), "device.listed");
    json::Writer detail;
    detail.begin_object().member("account", account->name).member("devices", static_cast<std::int64_t>(rows.size())).member("first", rows.front().serial_number).member("last", rows.back().serial_number).end_object();
    record.detail = detail.take();
    store::Batch batch;
    for (auto& row : rows) {
        row.id = number++;
        batch.add(store::est_device_list, row.insert_values(), store::Expect::any);
    }
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return meanwhile();
    report.added = static_cast<std::int64_t>(rows.size());
    co_return report;
}

Task<Result<EstDevices::Report>> EstDevices::remove(Place place, std::vector<Listed> devices, Principal by, core::RequestId request) {
    const auto account = co_await account_of(place, by);
    if (!account) co_return account.error();
    Report report;
    std::vector<std::int64_t> ids;
    for (const auto& device : devices) {
        auto named = store::values(account->id, device.serial, device.manufacturer);
        const auto row = co_await store::read_one(deps_.db, store::est_device_named, std::move(named));
        if (row)
            ids.push_back(row->integer(0));
        else
            ++report.known;
    }
    std::ranges::sort(ids);
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    if (ids.empty()) co_return report;
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    auto record = record_of(*account, place, by, std::move(request), "device.removed");
    json::Writer detail;
    detail.begin_object().member("account", account->name).member("devices", static_cast<std::int64_t>(ids.size())).member("first", devices.front().serial).member("last", devices.back().serial).end_object();
    record.detail = detail.take();
    store::Batch batch;
    for (const auto id : ids) batch.add(store::est_device_remove, store::values(id), store::Expect::any);
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return meanwhile();
    report.added = static_cast<std::int64_t>(ids.size());
    co_return report;
}

Task<Result<void>> EstDevices::release(Place place, std::string serial, std::string manufacturer, Principal by, core::RequestId request) {
    const auto account = co_await account_of(place, by);
    if (!account) co_return account.error();
    auto named = store::values(account->id, serial, manufacturer);
    const auto found = co_await store::read_one(deps_.db, store::est_device_named, std::move(named));
    if (!found) co_return no_device(serial, account->name);
    const auto row = store::EstDeviceRow::from(*found);
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    auto record = record_of(*account, place, by, std::move(request), "device.released");
    json::Writer detail;
    detail.begin_object().member("account", account->name).member("serial", serial).member("manufacturer", manufacturer).end_object();
    record.detail = detail.take();
    store::Batch batch;
    batch.add(store::est_device_release, store::values(row.id));
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return Problem(ProblemKind::conflict, "no key came as device " + serial + " yet: there is nothing to release");
    co_return Result<void>();
}

Task<Result<std::vector<store::EstDeviceRow>>> EstDevices::page(Place place, std::string serial, std::int64_t after, std::int64_t limit, Principal by) {
    const auto account = co_await account_of(place, by);
    if (!account) co_return account.error();
    auto page = serial.empty() ? store::values(account->id, after, limit) : store::values(account->id, serial);
    const auto rows = co_await deps_.db.read(serial.empty() ? store::est_device_page : store::est_device_by_serial, std::move(page));
    std::vector<store::EstDeviceRow> out;
    for (const auto& row : rows) out.push_back(store::EstDeviceRow::from(row));
    co_return out;
}

}  // namespace postern::ra
