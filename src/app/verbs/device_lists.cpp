#include "app/verbs/device_lists.hpp"

#include <algorithm>
#include <stdexcept>
#include <unordered_map>

#include "app/csv.hpp"
#include "app/verbs/est_places.hpp"
#include "core/json/escape.hpp"

namespace postern::app::verbs {

namespace {

constexpr std::size_t longest_name = 64;  // of a common name

std::string_view without_mark(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    return text;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blank = " \t\r";
    const auto from = std::min(text.find_first_not_of(blank), text.size());
    const auto until = text.find_last_not_of(blank);
    return until == text.npos ? std::string_view() : text.substr(from, until - from + 1);
}

/// It names a folder, and stands in subjects and names without a quote; empty: nothing speaks against it.
std::string why_no_name(std::string_view name) {
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
    if (name.empty()) return "there is no device name";
    if (name.size() > longest_name) return "the name has more than 64 characters";
    if (!plain(name.front())) return "a device name begins with a letter or a digit";
    if (!std::ranges::all_of(name, [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-' || c == ':'; })) return "a device name has letters, digits and . _ - : alone";
    return {};
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

std::string filled(const std::string& pattern, const std::string& name) {
    std::string out;
    std::size_t from = 0;
    for (auto at = pattern.find("{}"); at != pattern.npos; at = pattern.find("{}", from)) {
        out += pattern.substr(from, at - from) + name;
        from = at + 2;
    }
    return out + pattern.substr(from);
}

/// Takes what has a name that nobody had before.
class Names {
public:
    explicit Names(const DevicePattern& pattern) : pattern_(pattern) {}
    void take(ListedDevice device) {
        const auto shown = device.name.empty() ? std::string() : json::printable(device.name) + ": ";
        if (const auto why = why_no_name(device.name); !why.empty()) {
            list.bad.emplace_back(device.line, shown + why);
            return;
        }
        // Folders of one name, and host names, have no letter case everywhere.
        const auto [before, first] = lines_.emplace(lower(device.name), device.line);
        if (!first) {
            list.bad.emplace_back(device.line, shown + "the name stands on line " + std::to_string(before->second) + " already; letter case makes no other name");
            return;
        }
        if (device.subject.empty()) device.subject = filled(pattern_.subject, device.name);
        if (device.sans.empty())
            for (const auto& each : pattern_.sans) device.sans.push_back(filled(each, device.name));
        list.devices.push_back(std::move(device));
    }
    DeviceList list;

private:
    const DevicePattern& pattern_;
    std::unordered_map<std::string, std::size_t> lines_;
};

}  // namespace

DeviceList read_device_names(std::string_view text, const DevicePattern& pattern) {
    text = without_mark(text);
    Names names(pattern);
    for (std::size_t from = 0, line = 1; from < text.size(); ++line) {
        const auto end = std::min(text.find('\n', from), text.size());
        const auto name = trimmed(text.substr(from, end - from));
        from = end + 1;
        if (name.empty() || name.front() == '#') continue;
        ListedDevice device;
        device.name = name;
        device.line = line;
        names.take(std::move(device));
    }
    return std::move(names.list);
}

DeviceList read_device_table(std::string_view text, const DevicePattern& pattern) {
    text = without_mark(text);
    Csv csv(text, csv_separator(text.substr(0, text.find('\n'))));
    bool broken = false;
    const auto header = csv.next(broken);
    for (auto cell = header.begin(); cell != header.end(); ++cell) {
        if (*cell != "device" && *cell != "subject" && *cell != "sans") throw std::runtime_error("unknown column " + json::printable(*cell) + "; known are device, subject, sans");
        if (std::find(header.begin(), cell, *cell) != cell) throw std::runtime_error("column " + *cell + " comes twice");
    }
    const auto column = [&](std::string_view name) { return static_cast<std::size_t>(std::ranges::find(header, name) - header.begin()); };
    const auto device_at = column("device"), subject_at = column("subject"), sans_at = column("sans");
    if (device_at == header.size()) throw std::runtime_error("the first line has no column device; known are device, subject, sans");
    Names names(pattern);
    while (!csv.at_end()) {
        const auto line = csv.line();
        const auto cells = csv.next(broken);
        if (cells.size() == 1 && trimmed(cells.front()).empty()) continue;
        if (broken || cells.size() > header.size()) {
            names.list.bad.emplace_back(line, broken ? "a quote that does not end" : "more cells than columns; a subject with a comma stands in quotes");
            continue;
        }
        const auto cell = [&](std::size_t at) { return at < cells.size() ? std::string(trimmed(cells[at])) : std::string(); };
        ListedDevice device;
        device.name = cell(device_at);
        device.subject = cell(subject_at);
        device.sans = words(cell(sans_at));
        device.line = line;
        names.take(std::move(device));
    }
    return std::move(names.list);
}

}  // namespace postern::app::verbs
