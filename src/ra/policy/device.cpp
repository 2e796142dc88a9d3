#include <algorithm>

#include "core/base/encoding.hpp"
#include "ra/policy/checks.hpp"

/// Devices that an account tells apart (RFC 7030 §3.3.2; IDevID of IEEE 802.1AR).
namespace postern::ra::checks {

namespace {

using core::ProblemKind;

std::string described(const Device& device) {
    auto out = "device " + (device.serial.empty() ? std::string("without serial number") : device.serial);
    if (!device.manufacturer.empty()) out += " of " + device.manufacturer;
    return out;
}

bool same_letters(std::string_view a, std::string_view b) {
    const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return small(x) == small(y); });
}

/// Its serial number is the first label; the rest is the scope's matter.
bool host_of(const std::string& name, const std::string& serial) {
    return same_letters(std::string_view(name).substr(0, name.find('.')), serial);
}

}  // namespace

Finding device_allowed(const PolicyInput& in) {
    if (!in.request.device) return Finding::pass("devices are not told apart");
    const auto& device = *in.request.device;
    const auto what = described(device);
    if (device.serial.empty()) return Finding::refuse(ProblemKind::forbidden, what, "nothing says which device asks, where the account's device_serial looks");
    if (device.must_be_listed && !device.listed)
        return Finding::refuse(ProblemKind::forbidden, what, "the device is not on the list of account " + in.account->name + " (`postern est device add`)");
    if (device.first_use && !device.pinned.empty() && device.pinned != device.key)
        return Finding::refuse(ProblemKind::forbidden, what + ", key " + core::hex(device.key),
                               "another key came first as this device, at " + core::rfc3339(device.pinned_at) + ": SPKI SHA-256 " + core::hex(device.pinned) +
                                   "; an officer may let this one come (`postern est device release`)");
    return Finding::pass(what + (device.listed ? ", listed" : ""));
}

/// Who has one device's certificate must not get another one's name.
Finding device_named(const PolicyInput& in) {
    if (!in.request.device || !in.request.device->named_by_serial) return Finding::pass("by the account's scope");
    const auto& device = *in.request.device;
    const auto& csr = *in.request.csr;
    const auto refuse = [&](const std::string& what) {
        return Finding::refuse(ProblemKind::forbidden, what, "the device may be called by its serial number alone, which is " + device.serial);
    };
    bool said = false;
    for (const auto type : {crypto::DnAttribute::common_name, crypto::DnAttribute::serial_number})
        for (const auto& value : csr.subject().values(type)) {
            // A CN that is a host's name is judged as one.
            if (value != device.serial && !(type == crypto::DnAttribute::common_name && !in.profile->text_common_name && host_of(value, device.serial)))
                return refuse(std::string(crypto::short_name(type)) + "=" + value);
            said = true;
        }
    for (const auto& name : csr.alt_names()) {
        if (name.type != crypto::GeneralNameType::dns || !host_of(name.value, device.serial)) return refuse(crypto::to_text(name));
        said = true;
    }
    if (!said) return refuse("no name");
    return Finding::pass("called " + device.serial);
}

}  // namespace postern::ra::checks
