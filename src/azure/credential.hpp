#pragma once
#include "azure/account.hpp"
#include "azure/deps.hpp"
#include "azure/trouble.hpp"
#include "core/base/secret.hpp"

/// How an application proves itself to Entra. For src/azure only.
namespace postern::azure {

/// The fields of the form that do it: client_secret, or client_assertion and its type.
core::Task<Attempt<core::SecretText>> credential_fields(const ClientDeps& deps, AccountRef account, std::string audience);

/// The assertion (JWT) of a certificate credential. @param key as PKCS#8
/// Errors: malformed, for a key that is none or no RSA key.
core::Result<core::SecretText> make_assertion(const Account& account, core::BytesView key, const std::string& audience, const std::string& id,
                                              core::TimePoint now);

/// application/x-www-form-urlencoded
void add_field(std::string& form, std::string_view name, std::string_view value);

}  // namespace postern::azure
