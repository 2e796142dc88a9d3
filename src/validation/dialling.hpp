#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/dns/resolver.hpp"
#include "validation/address_guard.hpp"

namespace postern::validation {

/// Tells why an address must not be dialled; another one than why_forbidden only in tests, which have loopback alone.
using Guard = std::optional<std::string_view> (*)(std::string_view address) noexcept;

/// Which addresses of a host one validation dials. Whoever dials takes one of these and looks nothing up again (V03).
class Dialling {
public:
    /// `private_allowed`: somebody's own network and loopback too, and none of the other special ranges.
    Dialling(dns::Resolver& resolver, Guard guard, bool private_allowed) : resolver_(resolver), guard_(guard), private_allowed_(private_allowed) {}

    /// The first IPv6 address, then the first IPv4 one, of those that may be dialled; each look-up and refusal is told in `steps`.
    /// `doing` begins what a client reads: "While fetching http://…".
    /// Errors: dns; connection, where nothing may be dialled; unavailable.
    core::Task<core::Result<std::vector<std::string>>> targets(std::string host, bool is_address, std::string doing, core::Deadline deadline,
                                                               std::vector<std::string>& steps);
    /// After targets(): the addresses are there and forbidden, which no further attempt changes.
    [[nodiscard]] bool forbidden() const noexcept { return forbidden_; }
    /// Whether what this address answers is not for strangers to read (V02).
    [[nodiscard]] bool hidden(std::string_view address) const noexcept { return guard_(address).has_value(); }
    [[nodiscard]] bool private_allowed() const noexcept { return private_allowed_; }

private:
    core::Result<std::vector<std::string>> permitted(const std::vector<std::string>& found, const std::string& doing, std::vector<std::string>& steps);

    dns::Resolver& resolver_;
    Guard guard_;
    bool private_allowed_;
    bool forbidden_ = false;
};

}  // namespace postern::validation
