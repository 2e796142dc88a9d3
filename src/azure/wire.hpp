#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "azure/account.hpp"
#include "azure/trouble.hpp"
#include "core/base/random.hpp"
#include "core/base/time.hpp"
#include "core/crypto/sealer.hpp"
#include "core/http/outbound.hpp"

/// One HTTP exchange with one of Microsoft's services, and what its status means. For src/azure only.
namespace postern::azure {

/// A random GUID, as client-request-id and jti want one.
std::string guid(core::Random& random);

/// Seconds, or a date of RFC 9110 §5.6.7 in the form that is sent today; nullopt for anything else. Never negative.
std::optional<std::chrono::seconds> retry_after(std::string_view value, core::TimePoint now);

/// What of a text that a service sent may be logged: 200 octets of one line, without words so long that they
/// could be tokens, challenges or certificates.
std::string loggable(std::string_view text);

/// With the account's proxy and trust.
core::Result<http::OutboundRequest> request_for(const Account& account, const crypto::Sealer& sealer, http::Method method, std::string url);

/// Sends it and reads the status before anything else. A value is an answer of 2xx.
/// @param who "Entra", "Microsoft Graph" or "Intune", for messages
core::Task<Attempt<http::Response>> send(http::Outbound& outbound, http::OutboundRequest request, std::string who, core::TimePoint now,
                                         core::Deadline deadline);

/// The second half of send().
Attempt<http::Response> judge_answer(core::Result<http::Response> answer, const std::string& who, core::TimePoint now);

/// Whether a token may go to this URL: https, and one of the hosts that the account allows.
bool may_serve(const Addresses& addresses, std::string_view url);

/// "https://host:port", small letters; empty for what is no https URL.
std::string origin_of(std::string_view url);

}  // namespace postern::azure
