#pragma once
#include "acme/call.hpp"

namespace postern::acme {

/// How a request proves who sends it. A column of the route table, so that no route can forget it.
enum class Auth {
    none,            ///< plain GET of what is public
    jws_jwk,         ///< signed, the key comes along (newAccount)
    jws_kid,         ///< signed by an account in good standing
    jws_jwk_or_kid,  ///< either (revokeCert)
};

/// Everything that RFC 8555 §6.2 to §6.5 asks of a POST, in this order: content type, JWS, algorithm,
/// url, key, signature, nonce, and last whether the account may act. Fills `call`. The nonce is spent
/// only when the signature is good, so a stranger cannot spend another's.
core::Task<Result<void>> authenticate(Parts& parts, Call& call, Auth auth);
/// 401 unauthorized for an account that was deactivated, or whose credential is disabled.
Result<void> check_standing(const store::AcmeAccountRow& account);

}  // namespace postern::acme
