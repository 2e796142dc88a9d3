#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "azure/intune.hpp"
#include "azure/trouble.hpp"

/// JSON of Intune's calls (intune.md §4 and §6). For src/azure only.
namespace postern::azure {

/// Of a page of 500 revocation requests, whose contexts may be kilobytes each.
inline constexpr std::size_t most_revocation_octets = std::size_t{8} * 1024 * 1024;

std::string validation_body(const ValidationRequest& request, std::string_view caller);
std::string success_body(const SuccessNotice& notice, std::string_view caller);
std::string failure_body(const FailureNotice& notice, std::string_view caller);
std::string download_body(int most);
std::string upload_body(const std::vector<RevocationResult>& results);

/// The code of an answer; a Failure for what has none.
Attempt<std::string> read_code(std::string_view body);
Attempt<std::vector<RevocationRequest>> read_revocations(std::string_view body);
/// Whether the answer is exactly {"value": true}.
Attempt<void> read_accepted(std::string_view body);

}  // namespace postern::azure
