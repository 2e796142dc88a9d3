#include "core/dns/static_hosts.hpp"

#include <stdexcept>

#include "core/dns/names.hpp"

namespace postern::dns {
namespace {

template <class Octets>
void append(Answer& answer, const Octets& octets) {
    answer.rdata.emplace_back(octets.begin(), octets.end());
}

}  // namespace

StaticHosts::StaticHosts(const std::vector<std::pair<std::string, std::string>>& entries) {
    for (const auto& [pattern, text] : entries) {
        const bool wildcard = pattern.starts_with("*.");
        const auto name = canonical_name(wildcard ? std::string_view(pattern).substr(2) : std::string_view(pattern));
        if (!name) throw std::invalid_argument("static host " + pattern + ": " + name.error().detail);
        boost::system::error_code bad;
        const auto address = boost::asio::ip::make_address(text, bad);
        if (bad) throw std::invalid_argument("static host " + pattern + ": \"" + text + "\" is not an IP address");
        (wildcard ? below_ : exact_)[*name].push_back(address);
    }
}

const StaticHosts::Addresses* StaticHosts::covering(const std::string& name) const {
    if (const auto found = exact_.find(name); found != exact_.end()) return &found->second;
    for (auto suffix = parent_of(name); suffix; suffix = parent_of(*suffix)) {
        if (const auto found = below_.find(*suffix); found != below_.end()) return &found->second;
    }
    return nullptr;
}

std::optional<Answer> StaticHosts::find(const std::string& name, RecordType type) const {
    const Addresses* known = covering(name);
    if (known == nullptr) return std::nullopt;
    Answer answer;
    answer.canonical_name = name;
    for (const auto& address : *known) {
        if (type == RecordType::a && address.is_v4()) append(answer, address.to_v4().to_bytes());
        if (type == RecordType::aaaa && address.is_v6()) append(answer, address.to_v6().to_bytes());
    }
    return answer;
}

}  // namespace postern::dns
