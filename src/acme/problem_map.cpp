#include "acme/problem.hpp"

namespace postern::acme {

std::string_view to_string(ErrorType type) noexcept {
    switch (type) {
        case ErrorType::account_does_not_exist: return "accountDoesNotExist";
        case ErrorType::already_replaced: return "alreadyReplaced";
        case ErrorType::already_revoked: return "alreadyRevoked";
        case ErrorType::bad_csr: return "badCSR";
        case ErrorType::bad_nonce: return "badNonce";
        case ErrorType::bad_public_key: return "badPublicKey";
        case ErrorType::bad_revocation_reason: return "badRevocationReason";
        case ErrorType::bad_signature_algorithm: return "badSignatureAlgorithm";
        case ErrorType::caa: return "caa";
        case ErrorType::connection: return "connection";
        case ErrorType::dns: return "dns";
        case ErrorType::external_account_required: return "externalAccountRequired";
        case ErrorType::incorrect_response: return "incorrectResponse";
        case ErrorType::invalid_contact: return "invalidContact";
        case ErrorType::invalid_profile: return "invalidProfile";
        case ErrorType::malformed: return "malformed";
        case ErrorType::order_not_ready: return "orderNotReady";
        case ErrorType::rate_limited: return "rateLimited";
        case ErrorType::rejected_identifier: return "rejectedIdentifier";
        case ErrorType::server_internal: return "serverInternal";
        case ErrorType::tls: return "tls";
        case ErrorType::unauthorized: return "unauthorized";
        case ErrorType::unsupported_contact: return "unsupportedContact";
        case ErrorType::unsupported_identifier: return "unsupportedIdentifier";
        case ErrorType::user_action_required: return "userActionRequired";
    }
    return "serverInternal";
}

unsigned default_status(ErrorType type) noexcept {
    switch (type) {
        case ErrorType::caa:
        case ErrorType::external_account_required:
        case ErrorType::incorrect_response:
        case ErrorType::order_not_ready:
        case ErrorType::unauthorized:
        case ErrorType::user_action_required: return 403;
        case ErrorType::already_replaced: return 409;
        case ErrorType::rate_limited: return 429;
        case ErrorType::server_internal: return 500;
        case ErrorType::account_does_not_exist:
        case ErrorType::already_revoked:
        case ErrorType::bad_csr:
        case ErrorType::bad_nonce:
        case ErrorType::bad_public_key:
        case ErrorType::bad_revocation_reason:
        case ErrorType::bad_signature_algorithm:
        case ErrorType::connection:
        case ErrorType::dns:
        case ErrorType::invalid_contact:
        case ErrorType::invalid_profile:
        case ErrorType::malformed:
        case ErrorType::rejected_identifier:
        case ErrorType::tls:
        case ErrorType::unsupported_contact:
        case ErrorType::unsupported_identifier: return 400;
    }
    return 500;
}

std::string_view default_check(ErrorType type, unsigned status) noexcept {
    if (status == 404) return "request.resource";
    switch (type) {
        case ErrorType::account_does_not_exist: return "account.known";
        case ErrorType::already_replaced: return "order.replaces";
        case ErrorType::already_revoked: return "revocation.once";
        case ErrorType::bad_csr: return "csr.form";
        case ErrorType::bad_nonce: return "request.nonce";
        case ErrorType::bad_public_key: return "key.allowed";
        case ErrorType::bad_revocation_reason: return "revocation.reason";
        case ErrorType::bad_signature_algorithm: return "request.algorithm";
        case ErrorType::caa: return "validation.caa";
        case ErrorType::external_account_required: return "account.binding";
        case ErrorType::invalid_contact:
        case ErrorType::unsupported_contact: return "account.contact";
        case ErrorType::invalid_profile: return "profile.allowed";
        case ErrorType::malformed: return "request.form";
        case ErrorType::order_not_ready: return "order.state";
        case ErrorType::rate_limited: return "request.load";
        case ErrorType::rejected_identifier:
        case ErrorType::unsupported_identifier: return "names.form";
        case ErrorType::server_internal: return "server.fault";
        case ErrorType::connection:
        case ErrorType::dns:
        case ErrorType::incorrect_response:
        case ErrorType::tls: return "validation";
        case ErrorType::unauthorized: return "request.authority";
        case ErrorType::user_action_required: return "account.terms";
    }
    return "server.fault";
}

ErrorType type_of(core::ProblemKind kind) noexcept {
    using core::ProblemKind;
    switch (kind) {
        case ProblemKind::malformed: return ErrorType::malformed;
        case ProblemKind::unauthenticated: return ErrorType::unauthorized;
        case ProblemKind::forbidden: return ErrorType::unauthorized;
        case ProblemKind::not_found: return ErrorType::malformed;
        case ProblemKind::conflict: return ErrorType::order_not_ready;  // the only race a client can lose is a finalize
        case ProblemKind::bad_csr: return ErrorType::bad_csr;
        case ProblemKind::bad_public_key: return ErrorType::bad_public_key;
        case ProblemKind::rejected_identifier: return ErrorType::rejected_identifier;
        case ProblemKind::unsupported_identifier: return ErrorType::unsupported_identifier;
        case ProblemKind::invalid_profile: return ErrorType::invalid_profile;
        case ProblemKind::bad_content: return ErrorType::bad_csr;
        case ProblemKind::rate_limited: return ErrorType::rate_limited;
        case ProblemKind::dns: return ErrorType::dns;
        case ProblemKind::connection: return ErrorType::connection;
        case ProblemKind::tls: return ErrorType::tls;
        case ProblemKind::incorrect_response: return ErrorType::incorrect_response;
        case ProblemKind::caa: return ErrorType::caa;
        case ProblemKind::already_revoked: return ErrorType::already_revoked;
        case ProblemKind::bad_revocation_reason: return ErrorType::bad_revocation_reason;
        case ProblemKind::unsupported: return ErrorType::malformed;
        case ProblemKind::unavailable: return ErrorType::rate_limited;
        case ProblemKind::internal: return ErrorType::server_internal;
    }
    return ErrorType::server_internal;
}

unsigned status_of(core::ProblemKind kind) noexcept {
    using core::ProblemKind;
    switch (kind) {
        case ProblemKind::unauthenticated: return 401;  // RFC 8555 §6.4, §7.3.6
        case ProblemKind::not_found:
        case ProblemKind::unsupported: return 404;
        // 503 and not 429: the whole service sheds load, and clients retry 503 of type rateLimited.
        case ProblemKind::unavailable: return 503;
        case ProblemKind::malformed:
        case ProblemKind::forbidden:
        case ProblemKind::conflict:
        case ProblemKind::bad_csr:
        case ProblemKind::bad_public_key:
        case ProblemKind::rejected_identifier:
        case ProblemKind::unsupported_identifier:
        case ProblemKind::invalid_profile:
        case ProblemKind::bad_content:
        case ProblemKind::rate_limited:
        case ProblemKind::dns:
        case ProblemKind::connection:
        case ProblemKind::tls:
        case ProblemKind::incorrect_response:
        case ProblemKind::caa:
        case ProblemKind::already_revoked:
        case ProblemKind::bad_revocation_reason:
        case ProblemKind::internal: return default_status(type_of(kind));
    }
    return 500;
}

Error to_error(const core::Problem& problem) {
    Error e(type_of(problem.kind), status_of(problem.kind), problem.detail);
    e.check = problem.check;
    e.subproblems = problem.subproblems;
    e.retry_after = problem.retry_after;
    if (problem.kind == core::ProblemKind::internal) e.detail.clear();
    if (problem.kind == core::ProblemKind::unavailable && !e.retry_after) e.retry_after = std::chrono::seconds(5);
    return e;
}

}  // namespace postern::acme
