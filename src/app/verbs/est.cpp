#include <unistd.h>

#include <iostream>

#include "app/csv.hpp"
#include "app/verbs/certificate_files.hpp"
#include "app/verbs/est_places.hpp"
#include "core/json/escape.hpp"
#include "core/json/writer.hpp"

/// What EST endpoints know of devices.
namespace postern::app::verbs {

namespace {

constexpr std::size_t most_of_a_part = 1000, most_shown = 10;

struct Device {
    Device() = default;
    std::string serial, manufacturer, subject, where;
    std::vector<std::string> sans;
};

struct Options {
    Options() = default;
    std::string place, file;
    Device device;
};

std::string path_of(const Options& o, std::string_view below = {}) { return "/api/postern/v1/est/" + endpoint_of(o.place) + "/devices" + std::string(below); }

/// CSV whose first line names its columns: serial, and where there are any manufacturer, subject and sans (words).
std::vector<Device> read_devices(const std::string& file) {
    const auto contents = read_whole(file);
    std::string_view text = contents;
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    Csv csv(text, csv_separator(text.substr(0, text.find('\n'))));
    bool broken = false;
    const auto header = csv.next(broken);
    const auto column = [&](std::string_view name) { return static_cast<std::size_t>(std::ranges::find(header, name) - header.begin()); };
    const auto serial = column("serial"), manufacturer = column("manufacturer"), subject = column("subject"), sans = column("sans");
    if (serial == header.size()) throw std::runtime_error(file + ": the first line has no column serial; known are serial, manufacturer, subject, sans");
    for (const auto& name : header)
        if (name != "serial" && name != "manufacturer" && name != "subject" && name != "sans") throw std::runtime_error(file + ": unknown column " + json::printable(name) + "; known are serial, manufacturer, subject, sans");
    std::vector<Device> out;
    while (!csv.at_end()) {
        Device device;
        device.where = file + ": line " + std::to_string(csv.line());
        const auto cells = csv.next(broken);
        if (broken) throw std::runtime_error(device.where + ": a quote that does not end");
        if (cells.size() == 1 && cells.front().empty()) continue;
        const auto cell = [&](std::size_t at) { return at < cells.size() ? cells[at] : std::string(); };
        device.serial = cell(serial);
        device.manufacturer = cell(manufacturer);
        device.subject = cell(subject);
        device.sans = words(cell(sans));
        out.push_back(std::move(device));
    }
    if (out.empty()) throw std::runtime_error(file + ": there is no device in it");
    return out;
}

void write(json::Writer& w, const Device& device) {
    w.begin_object().member("serial", device.serial);
    if (!device.manufacturer.empty()) w.member("manufacturer", device.manufacturer);
    if (!device.subject.empty()) w.member("subject", device.subject);
    if (!device.sans.empty()) {
        w.key("sans").begin_array();
        for (const auto& name : device.sans) w.string(name);
        w.end_array();
    }
    w.end_object();
}

struct Totals {
    Totals() = default;
    std::int64_t changed = 0, other = 0;
    std::vector<std::string> bad;
};

/// In parts; the members of the answer that count. The exit status of what the server refused altogether.
int send(Door& door, const Options& o, const std::vector<Device>& devices, std::string_view below, std::string_view changed, std::string_view other, Totals& totals) {
    for (std::size_t from = 0; from < devices.size(); from += most_of_a_part) {
        const auto until = std::min(from + most_of_a_part, devices.size());
        json::Writer w;
        w.begin_object();
        if (const auto account = account_of(o.place); !account.empty()) w.member("account", account);
        w.key("devices").begin_array();
        for (auto at = from; at < until; ++at) write(w, devices[at]);
        w.end_array().end_object();
        const auto answer = door.ask(make_request(http::Method::post, path_of(o, below), w.take()));
        if (const int failed = report(answer)) {
            if (from > 0) std::cerr << "postern: " << from << " of " << devices.size() << " devices are done; run the same command again to go on\n";
            return failed;
        }
        json::Limits limits;
        limits.bytes = answer.body.size() + 1;
        const auto document = json::Document::parse(answer.body, limits);
        if (!document) throw std::runtime_error("the server's answer is no JSON");
        const auto root = document->root();
        totals.changed += root[changed].integer().value();
        totals.other += root[other].integer().value();
        for (const auto& each : root["refused"].items()) {
            const auto index = from + static_cast<std::size_t>(each["index"].integer().value());
            totals.bad.push_back((index < until ? devices[index].where : std::string()) + ": " + text(each["why"]));
        }
        if (::isatty(STDERR_FILENO) == 1 && devices.size() > most_of_a_part) std::cerr << "\r" << until << " of " << devices.size() << " devices" << std::flush;
    }
    if (::isatty(STDERR_FILENO) == 1 && devices.size() > most_of_a_part) std::cerr << "\n";
    return 0;
}

int change(const Common& common, const Options& o, bool add) {
    if (o.file.empty() == o.device.serial.empty()) throw std::runtime_error("give a SERIAL, or devices by --file");
    std::vector<Device> devices;
    if (!o.file.empty()) devices = read_devices(o.file);
    else devices.push_back(o.device);
    if (o.file.empty()) devices.front().where = o.device.serial;
    const auto door = Door::open(common.door);
    const std::string_view changed = add ? "added" : "removed", other = add ? "known" : "unknown";
    Totals totals;
    if (const int failed = send(*door, o, devices, add ? "" : "/remove", changed, other, totals)) return failed;
    if (common.json) {
        json::Writer w;
        w.begin_object().member(changed, totals.changed).member(other, totals.other).key("bad").begin_array();
        for (const auto& bad : totals.bad) w.string(bad);
        w.end_array().end_object();
        std::cout << w.take() << "\n";
    } else {
        for (std::size_t at = 0; at < std::min(totals.bad.size(), most_shown); ++at) std::cerr << "postern: " << json::printable(totals.bad[at]) << "\n";
        if (totals.bad.size() > most_shown) std::cerr << "postern: and " << totals.bad.size() - most_shown << " more; --json lists all\n";
        std::cout << (add ? "Listed " : "Removed ") << totals.changed << " devices; " << totals.other << (add ? " were listed before" : " were not known") << ", " << totals.bad.size() << " could not be taken.\n";
    }
    return totals.bad.empty() ? 0 : 1;
}

int release(const Common& common, const Options& o) {
    json::Writer w;
    w.begin_object();
    if (const auto account = account_of(o.place); !account.empty()) w.member("account", account);
    w.member("serial", o.device.serial).member("manufacturer", o.device.manufacturer).end_object();
    const auto door = Door::open(common.door);
    const auto answer = door->ask(make_request(http::Method::post, path_of(o, "/release"), w.take()));
    if (const int failed = report(answer)) return failed;
    if (!common.json) std::cout << "Released " << json::printable(o.device.serial) << ": the next key that comes as this device is its own.\n";
    return 0;
}

void print_line(std::string_view line) {
    const auto document = json::Document::parse(line);
    if (!document) return;
    const auto r = document->root();
    const auto manufacturer = text(r["manufacturer"]), key = text(r["key"]);
    std::cout << text(r["serial"]) << "  " << (manufacturer.empty() ? "any manufacturer" : manufacturer) << "  " << (truth(r["listed"]) ? "listed" : "came by itself");
    if (!key.empty()) std::cout << "  key " << key << " since " << text(r["firstUse"]);
    if (r["certificate"].exists()) std::cout << "  enrolled";
    std::cout << "  by " << text(r["by"]) << "\n";
}

int list(const Common& common, const Options& o) {
    const auto door = Door::open(common.door);
    std::string after = "0";
    while (!after.empty()) {
        std::string path = path_of(o) + "?after=" + after;
        if (const auto account = account_of(o.place); !account.empty()) path += "&account=" + unreserved(account);
        if (!o.device.serial.empty()) path += "&serial=" + unreserved(o.device.serial);
        const auto answer = door->ask(make_request(http::Method::get, path));
        if (const int failed = report(answer)) return failed;
        for (std::size_t from = 0; !common.json && from < answer.body.size();) {
            const auto end = answer.body.find('\n', from);
            print_line(std::string_view(answer.body).substr(from, end - from));
            from = end + 1;
        }
        if (common.json) std::cout << answer.body;
        after = answer.header("X-Next-After");
    }
    return 0;
}

void add_device(CLI::App& noun, Common& common, Run& run) {
    auto o = std::make_shared<Options>();
    auto* device = noun.add_subcommand("device", "Devices that an account of an EST endpoint knows");
    device->require_subcommand(1);
    auto* add_verb = device->add_subcommand("add", "List devices that may enroll");
    auto* list_verb = device->add_subcommand("list", "Devices that are listed, or came, and their first keys");
    auto* remove_verb = device->add_subcommand("remove", "Take devices off the list; certificates that they have stay");
    auto* release_verb = device->add_subcommand("release", "Let another key come as a device");
    for (auto* each : {add_verb, list_verb, remove_verb, release_verb}) {
        add_common(*each, common);
        each->add_option("ENDPOINT", o->place, "EST endpoint, or ENDPOINT/ACCOUNT where it has several accounts that know devices")->required()->transform(CLI::Validator(read_place, ""));
        auto* serial = each->add_option("SERIAL", o->device.serial, "Serial number of the device");
        if (each == release_verb) serial->required();
        if (each != list_verb) each->add_option("--manufacturer", o->device.manufacturer, "Name of the trust anchor (its CN, or else its subject), or its SHA-256 in hex");
    }
    for (auto* each : {add_verb, remove_verb}) each->add_option("--file", o->file, "CSV with the columns serial and, where wanted, manufacturer, subject and sans")->check(CLI::ExistingFile);
    add_verb->add_option("--subject", o->device.subject, "Subject that the device must ask for, as CN=router-7");
    add_verb->add_option("--san", o->device.sans, "Alternative name that it must ask for, as dns:router-7.example.com; repeatable");
    add_verb->callback([o, &common, &run] { run = [o, &common] { return change(common, *o, true); }; });
    remove_verb->callback([o, &common, &run] { run = [o, &common] { return change(common, *o, false); }; });
    list_verb->callback([o, &common, &run] { run = [o, &common] { return list(common, *o); }; });
    release_verb->callback([o, &common, &run] { run = [o, &common] { return release(common, *o); }; });
}

}  // namespace

void add_est(CLI::App& app, Common& common, Run& run) {
    auto* noun = app.add_subcommand("est", "What EST endpoints know of their devices");
    noun->require_subcommand(1);
    add_device(*noun, common, run);
    add_token(*noun, common, run);
    add_enroll_bundle(*noun, common, run);
}

}  // namespace postern::app::verbs
