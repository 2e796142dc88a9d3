#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/dns/resolver.hpp"

/// Names and words that the room's units share.
namespace postern::dns {

/// Lower case, no final dot; a `dns` Problem for what cannot be asked (RFC 1035 §2.3.4 lengths;
/// letters, digits, hyphen and underscore).
core::Result<std::string> canonical_name(std::string_view name);
/// "b.c" of "a.b.c"; nullopt above the last label.
std::optional<std::string_view> parent_of(std::string_view name) noexcept;
std::string_view to_string(RecordType type) noexcept;
core::Problem dns_problem(std::string detail);

}  // namespace postern::dns
