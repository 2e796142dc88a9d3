#pragma once
#include <string>
#include <string_view>
#include <vector>

/// Whom credentials are made for, as people list them.
namespace postern::app::verbs {

struct ListedDevice {
    ListedDevice() = default;
    std::string name;               ///< letters, digits and . _ - :, at most 64
    std::string subject;            ///< "CN=gateway-7,O=Example"; empty: none
    std::vector<std::string> sans;  ///< "dns:gateway-7.example.com"
    std::size_t line = 0;           ///< of the list, from 1
};

/// What a device asks for of which the list says no more than the name; "{}" stands for that.
struct DevicePattern {
    DevicePattern() = default;
    std::string subject = "CN={}";
    std::vector<std::string> sans;
};

/// A device that cannot be taken, for people.
struct BadLine {
    BadLine(std::size_t l, std::string w) : line(l), why(std::move(w)) {}
    std::size_t line;
    std::string why;
};

struct DeviceList {
    DeviceList() = default;
    std::vector<ListedDevice> devices;  ///< each name once, whatever its letter case
    std::vector<BadLine> bad;
};

/// A name a line; empty lines and those that begin with # are passed over.
DeviceList read_device_names(std::string_view text, const DevicePattern& pattern);
/// CSV whose first line names its columns: device and, where wanted, subject and sans (words). Empty cells are as the pattern says. Throws
/// std::runtime_error for what is no such table.
DeviceList read_device_table(std::string_view text, const DevicePattern& pattern);

}  // namespace postern::app::verbs
