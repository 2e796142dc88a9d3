#include "api/call.hpp"
#include "core/base/encoding.hpp"
#include "core/json/writer.hpp"
#include "ra/binding_text.hpp"

/// Devices that an account of an EST endpoint lists, and the first keys of those that came.
namespace postern::api {

namespace {

constexpr std::int64_t page_limit = 1000;
constexpr std::size_t most_names = 100;

core::Result<std::string> text_of(const json::Value& root, std::string_view key) {
    const auto text = root[key].optional_string();
    if (!text) return text.error();
    return *text ? std::string(**text) : std::string();
}

core::Result<ra::EstDevices::Listed> read_device(const json::Value& item) {
    ra::EstDevices::Listed out;
    for (const auto& [key, into] : {std::pair<std::string_view, std::string*>("serial", &out.serial), {"manufacturer", &out.manufacturer}}) {
        auto text = text_of(item, key);
        if (!text) return text.error();
        *into = std::move(*text);
    }
    if (const auto said = item["subject"]; said.exists()) {
        const auto text = said.string();
        if (!text) return text.error();
        auto entries = ra::subject_from_text(*text);
        if (!entries) return said.problem(entries.error().detail);
        out.subject = std::move(*entries);
    }
    if (const auto list = item["sans"]; list.exists()) {
        if (!list.is_array() || list.items().size() > most_names) return list.problem("expected at most 100 names such as \"dns:router-7.example.com\"");
        out.names.emplace();
        for (const auto& each : list.items()) {
            const auto text = each.string();
            if (!text) return text.error();
            auto name = ra::name_from_text(*text);
            if (!name) return each.problem(name.error().detail);
            out.names->push_back(std::move(*name));
        }
    }
    return out;
}

/// Those that can be read, and which of the list each was.
struct Part {
    Part() = default;
    std::vector<ra::EstDevices::Listed> devices;
    std::vector<std::size_t> places;
    std::vector<std::pair<std::size_t, std::string>> refused;
};

core::Result<Part> read_devices(const json::Value& list) {
    const auto items = list.items();
    if (items.empty() || items.size() > ra::EstDevices::most_of_a_part)
        return list.problem("expected 1 to " + std::to_string(ra::EstDevices::most_of_a_part) + " devices such as {\"serial\": \"4711\"}");
    Part out;
    for (std::size_t at = 0; at < items.size(); ++at) {
        auto device = read_device(items[at]);
        if (!device) {
            out.refused.emplace_back(at, device.error().detail);
            continue;
        }
        out.devices.push_back(std::move(*device));
        out.places.push_back(at);
    }
    return out;
}

core::Result<ra::EstDevices::Place> place_of(const Call& call, const json::Value& root) {
    ra::EstDevices::Place place;
    place.endpoint = std::string(call.request.params["endpoint"]);
    auto account = text_of(root, "account");
    if (!account) return account.error();
    place.account = std::move(*account);
    return place;
}

void write(json::Writer& w, const store::EstDeviceRow& row) {
    w.begin_object().member("serial", row.serial_number).member("manufacturer", row.manufacturer).member("listed", row.listed);
    if (!row.subject.empty()) w.key("subject").raw(row.subject);
    if (!row.names.empty()) w.key("sans").raw(row.names);
    if (!row.pinned_spki.empty()) w.member("key", core::hex(row.pinned_spki));
    if (row.pinned) w.member("firstUse", core::rfc3339(*row.pinned));
    if (row.pinned_enrollment) w.member("enrollment", row.pinned_enrollment->get());
    if (row.certificate) w.member("certificate", row.certificate->get());
    w.member("created", core::rfc3339(row.created)).member("by", row.created_by).end_object();
}

using Change = core::Task<core::Result<ra::EstDevices::Report>> (ra::EstDevices::*)(ra::EstDevices::Place, std::vector<ra::EstDevices::Listed>, ra::Principal, core::RequestId);

/// {"account"?, "devices": [{"serial", "manufacturer"?, …}]}: `done` and `other` name what was changed and what was not.
core::Task<Answer> change(Call call, Change how, std::string_view done, std::string_view other) {
    const auto body = read_body(call.request, {"account", "devices"});
    if (!body) co_return body.error();
    auto place = place_of(call, body->root());
    if (!place) co_return place.error();
    auto part = read_devices(body->root()["devices"]);
    if (!part) co_return part.error();
    ra::Principal by = call.principal;
    core::RequestId id = call.request.id;
    const auto report = co_await (call.deps.est_devices.*how)(std::move(*place), std::move(part->devices), std::move(by), std::move(id));
    if (!report) co_return report.error();
    json::Writer w;
    w.begin_object().member(done, report->added).member(other, report->known).key("refused").begin_array();
    for (const auto& [index, why] : report->refused) part->refused.emplace_back(part->places.at(index), why);
    for (const auto& [index, why] : part->refused) w.begin_object().member("index", static_cast<std::int64_t>(index)).member("why", why).end_object();
    w.end_array().end_object();
    co_return json_response(200, w.take());
}

}  // namespace

/// {"account"?, "devices": [{"serial", "manufacturer"?, "subject"?, "sans"?}]} -> {"added", "known", "refused": [{"index", "why"}]}
core::Task<Answer> add_devices(Call call) { return change(call, &ra::EstDevices::add, "added", "known"); }

/// {"account"?, "devices": [{"serial", "manufacturer"?}]} -> {"removed", "unknown", "refused"}
core::Task<Answer> remove_devices(Call call) { return change(call, &ra::EstDevices::remove, "removed", "unknown"); }

/// {"account"?, "serial", "manufacturer"?}: another key may come as that device
core::Task<Answer> release_device(Call call) {
    const auto body = read_body(call.request, {"account", "serial", "manufacturer"});
    if (!body) co_return body.error();
    auto place = place_of(call, body->root());
    if (!place) co_return place.error();
    auto device = read_device(body->root());
    if (!device) co_return device.error();
    ra::Principal by = call.principal;
    core::RequestId id = call.request.id;
    const auto done = co_await call.deps.est_devices.release(std::move(*place), std::move(device->serial), std::move(device->manufacturer), std::move(by), std::move(id));
    if (!done) co_return done.error();
    co_return http::Response(204);
}

/// ?account=NAME&serial=TEXT&after=N&limit=N: one JSON object a line, rising; X-Next-After names the next page
core::Task<Answer> list_devices(Call call) {
    const auto after = query_number(call.request, "after", 0, 0, std::numeric_limits<std::int64_t>::max());
    if (!after) co_return after.error();
    const auto limit = query_number(call.request, "limit", page_limit, 1, page_limit);
    if (!limit) co_return limit.error();
    ra::EstDevices::Place place;
    place.endpoint = std::string(call.request.params["endpoint"]);
    place.account = call.request.query_value("account").value_or("");
    auto serial = call.request.query_value("serial").value_or("");
    const bool all = serial.empty();
    ra::Principal by = call.principal;
    const auto rows = co_await call.deps.est_devices.page(std::move(place), std::move(serial), *after, *limit, std::move(by));
    if (!rows) co_return rows.error();
    std::string body;
    for (const auto& row : *rows) {
        json::Writer w;
        write(w, row);
        body += w.take() + "\n";
    }
    http::Response response(200, "application/x-ndjson", std::move(body));
    response.set("Cache-Control", "no-store");
    if (all && static_cast<std::int64_t>(rows->size()) == *limit) response.set("X-Next-After", std::to_string(rows->back().id));
    co_return response;
}

}  // namespace postern::api
