#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "ra/documents.hpp"
#include "ra/documents/schema.hpp"

namespace postern::ra::documents {

/// How a document treats a secret of an account or azure_account.
enum class SecretWish { none, keep, generate, given };

/// One object as a document wants it.
struct Wanted {
    Wanted() = default;
    const Kind* kind = nullptr;
    std::string tenant;  ///< name; for a tenant its own
    std::string name;
    std::string where;   ///< "file:line: [[profile]]", for errors
    bool enabled = true;
    std::string body = "{}";                     ///< canonical JSON, schema order
    std::map<std::string, std::string> columns;  ///< protocol, method and names of references
    SecretWish secret = SecretWish::none;
    core::SecretText secret_value;
    std::string key_id;  ///< with a given secret
    SecretWish proxy_secret = SecretWish::none;  ///< of an azure_account
    core::SecretText proxy_secret_value;
    [[nodiscard]] std::string display() const { return kind->name == "tenant" ? name : tenant + "/" + name; }
};

/// Reads all documents. Every error of every document is in the Problem's detail, a line each.
core::Result<std::vector<Wanted>> read(const std::vector<DocumentText>& documents);

}  // namespace postern::ra::documents
