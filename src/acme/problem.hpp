#pragma once
#include <boost/system/result.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/result.hpp"
#include "core/http/message.hpp"

/// What ACME clients read when something is refused (RFC 8555 §6.7).
namespace postern::acme {

/// The registered error types that we send (RFC 8555 §6.7, RFC 9773 §7.4, profiles draft).
enum class ErrorType {
    account_does_not_exist,
    already_replaced,
    already_revoked,
    bad_csr,
    bad_nonce,
    bad_public_key,
    bad_revocation_reason,
    bad_signature_algorithm,
    caa,
    connection,
    dns,
    external_account_required,
    incorrect_response,
    invalid_contact,
    invalid_profile,
    malformed,
    order_not_ready,
    rate_limited,
    rejected_identifier,
    server_internal,
    tls,
    unauthorized,
    unsupported_contact,
    unsupported_identifier,
    user_action_required,
};
/// "badNonce"; the URN is "urn:ietf:params:acme:error:" and this.
std::string_view to_string(ErrorType type) noexcept;
/// The HTTP status that goes with the type unless the case says another.
unsigned default_status(ErrorType type) noexcept;
/// What was checked when no check of its own is named: "request.form", "names.form" …
std::string_view default_check(ErrorType type, unsigned status) noexcept;

/// One problem document on its way out.
struct Error {
    Error() = default;
    Error(ErrorType t, std::string d) : type(t), status(default_status(t)), detail(std::move(d)) {}
    Error(ErrorType t, unsigned s, std::string d) : type(t), status(s), detail(std::move(d)) {}
    ErrorType type = ErrorType::server_internal;
    unsigned status = 500;
    std::string detail;
    std::string check;                         ///< what refused; empty: the one its type stands for
    std::string instance;                      ///< URL of what a person is to read (§7.3.3)
    std::vector<core::Subproblem> subproblems; ///< one an identifier
    std::vector<std::string_view> algorithms;  ///< badSignatureAlgorithm: what would do (§6.2)
    std::optional<std::chrono::seconds> retry_after;
    bool recorded = false;                     ///< the audit log has it already
    http::Headers headers;                     ///< Link, Location
};

template <class T>
using Result = boost::system::result<T, Error>;
/// value() on a refusal is a programming error.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& where);

/// The one map from the house's refusals to ACME's types and statuses.
ErrorType type_of(core::ProblemKind kind) noexcept;
unsigned status_of(core::ProblemKind kind) noexcept;
/// `internal` loses its detail: it is in the log under the request's id.
Error to_error(const core::Problem& problem);

/// The document. The refusing check is named in the detail with the request that `postern explain`
/// takes, since detail is all that most clients print. Without a request (an order that expired) there
/// was no refusal to name.
std::string to_json(const Error& error, const core::RequestId& request);
http::Response to_response(const Error& error, const core::RequestId& request);

/// For whatever is absent and for whatever is another's: the same bytes.
Error not_found();
/// The page for errors of the HTTP layer below /acme/.
http::Response error_page(const http::Request& request, unsigned status, std::string_view detail);

}  // namespace postern::acme
