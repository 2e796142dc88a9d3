#pragma once
#include "azure/account.hpp"
#include "core/base/result.hpp"
#include "store/tables/objects.hpp"

namespace postern::ra {

/// A stored [[azure_account]]; the tenant's name is the catalog's to add. Judges a document before it is stored
/// too. Errors name the key: "$.application: …".
core::Result<azure::Account> read_azure_account(const store::ObjectRow& row);

/// Whether a private key (PKCS#8) is the one of the account's certificate, and one that Entra takes.
core::Result<void> fits_certificate(const azure::Account& account, core::BytesView key);

}  // namespace postern::ra
