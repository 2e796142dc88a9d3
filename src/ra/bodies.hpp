#pragma once
#include "ca/description.hpp"
#include "core/base/result.hpp"
#include "ra/model.hpp"
#include "store/tables/objects.hpp"

/// Stored rows to typed objects. The same functions judge a document before it is stored, so what
/// apply accepts is what the catalog can load. Errors name the key: "$.lifetime: …".
namespace postern::ra {

core::Result<Tenant> read_tenant(const store::ObjectRow& row);
core::Result<Organization> read_organization(const store::ObjectRow& row);
core::Result<Department> read_department(const store::ObjectRow& row);
core::Result<Domain> read_domain(const store::ObjectRow& row);
/// Named "name" only: whose it is, the catalog adds.
core::Result<ca::BackendDescription> read_backend(const store::ObjectRow& row);
core::Result<Profile> read_profile(const store::ObjectRow& row);
core::Result<Endpoint> read_endpoint(const store::ObjectRow& row);
core::Result<Account> read_account(const store::ObjectRow& row);

}  // namespace postern::ra
