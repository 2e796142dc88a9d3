#pragma once
#include <map>
#include <string>
#include <vector>

#include "core/async/task.hpp"
#include "ra/documents/schema.hpp"
#include "store/database.hpp"
#include "store/tables/objects.hpp"

namespace postern::ra::documents {

const store::ObjectStatements& statements_of(std::string_view kind);

/// Every stored object, as it was at `configuration`; a plan is guarded by that version.
struct Stored {
    Stored() = default;
    std::int64_t configuration = 0;
    std::map<std::string, std::vector<store::ObjectRow>, std::less<>> rows;  ///< by kind

    [[nodiscard]] const store::ObjectRow* find(std::string_view kind, std::int64_t tenant, std::string_view name) const;
    [[nodiscard]] const store::ObjectRow* find(std::string_view kind, std::int64_t id) const;
    [[nodiscard]] const store::ObjectRow* tenant(std::string_view name) const;
};

core::Task<Stored> load_stored(store::Database& db);

/// The columns of a stored row by their document keys (references as names): what a document would
/// have said.
std::map<std::string, std::string> columns_of(const Kind& kind, const store::ObjectRow& row, const Stored& stored);

}  // namespace postern::ra::documents
