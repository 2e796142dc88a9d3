#pragma once
#include <boost/asio/ip/address.hpp>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/dns/resolver.hpp"

namespace postern::dns {

/// Names the configuration answers for. Exact names win over wildcards, longer suffixes over
/// shorter ones; a wildcard covers every depth below its suffix, not the suffix.
class StaticHosts {
public:
    /// Throws std::invalid_argument naming the entry.
    explicit StaticHosts(const std::vector<std::pair<std::string, std::string>>& entries);
    /// `name` as canonical_name() gives it; nullopt when nothing covers it.
    [[nodiscard]] std::optional<Answer> find(const std::string& name, RecordType type) const;

private:
    using Addresses = std::vector<boost::asio::ip::address>;
    [[nodiscard]] const Addresses* covering(const std::string& name) const;
    std::map<std::string, Addresses, std::less<>> exact_;
    std::map<std::string, Addresses, std::less<>> below_;
};

}  // namespace postern::dns
