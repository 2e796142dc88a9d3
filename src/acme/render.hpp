#pragma once
#include <optional>
#include <string>
#include <vector>

#include "acme/call.hpp"
#include "core/json/writer.hpp"
#include "store/tables/acme_authorization.hpp"
#include "store/tables/acme_order.hpp"

/// The objects of RFC 8555 §7.1 as clients read them. The order of keys is part of it: small clients
/// read them with patterns.
namespace postern::acme {

enum class OrderStatus { pending, ready, processing, valid, invalid };
std::string_view to_string(OrderStatus s) noexcept;
/// What an order is now: through its enrollment once it has one, else by its own status and expiry.
OrderStatus status_of(const store::AcmeOrderRow& order, core::TimePoint now);
/// pending, valid, invalid, deactivated, expired, revoked
std::string_view status_of(const store::AcmeAuthorizationRow& authorization, core::TimePoint now);

std::string render_account(const store::AcmeAccountRow& account, const Urls& urls);
std::string render_order(const store::AcmeOrderRow& order, const std::vector<std::string>& authorizations,
                         const Urls& urls, core::TimePoint now);
std::string render_authorization(const store::AcmeAuthorizationRow& authorization,
                                 const std::vector<store::AcmeChallengeRow>& challenges, const Urls& urls,
                                 core::TimePoint now);
/// Seconds until what is known of a challenge that is processing may change (RFC 8555 §8.2).
std::int64_t next_look(const store::AcmeChallengeRow& challenge, core::TimePoint now);
std::string render_challenge(const store::AcmeChallengeRow& challenge, const Urls& urls);

/// 200 with the authorization and its challenges, and when to look again at one that is being validated.
core::Task<http::Response> authorization_response(Parts& parts, const Call& call, const store::AcmeAuthorizationRow& authorization);
/// The order with Location and, while it is processing, Retry-After.
core::Task<http::Response> order_response(Parts& parts, const Call& call, unsigned status,
                                          const store::AcmeOrderRow& order);

}  // namespace postern::acme
