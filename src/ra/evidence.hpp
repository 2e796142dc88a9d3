#pragma once
#include <string>
#include <vector>

#include "core/base/time.hpp"

namespace postern::ra {

/// What a front end verified about the requester, and when.
struct Evidence {
    enum class Kind { validated_name, account_key, password, certificate, administrator, system };
    Evidence() = default;
    static Evidence validated(std::string identifier_type, std::string identifier, std::string method,
                              core::TimePoint at, core::TimePoint until);
    static Evidence of(Kind kind, std::string subject, core::TimePoint at);
    Kind kind = Kind::account_key;
    std::string identifier_type;  ///< validated_name: "dns" or "ip"
    std::string identifier;       ///< validated_name: normalized, wildcards with "*."
    std::string method;           ///< "http-01"
    std::string subject;          ///< who: thumbprint, certificate digest, principal
    core::TimePoint at{};
    core::TimePoint until{};      ///< validated_name: good up to here
};
std::string_view to_string(Evidence::Kind kind) noexcept;
std::string to_json(const std::vector<Evidence>& evidence);
/// What to_json wrote; the sweeper resumes with it.
std::vector<Evidence> evidence_from_json(std::string_view json);

}  // namespace postern::ra
