#include "store/bulk.hpp"

#include <algorithm>
#include <stdexcept>

namespace postern::store {

std::string_view to_string(BulkColumn::Kind kind) noexcept {
    switch (kind) {
        case BulkColumn::Kind::integer: return "integer";
        case BulkColumn::Kind::boolean: return "boolean";
        case BulkColumn::Kind::text: return "text";
        case BulkColumn::Kind::blob: return "octets";
    }
    return "";
}

bool stays_behind(std::string_view table) noexcept { return table == "schema_migration" || table == "write_mark" || table == "node" || table.starts_with("nonce_"); }

std::vector<std::string> referred_first(const std::vector<std::pair<std::string, std::vector<std::string>>>& references) {
    std::vector<std::string> out;
    const auto placed = [&](const std::string& name) { return std::find(out.begin(), out.end(), name) != out.end(); };
    while (out.size() < references.size()) {
        const auto before = out.size();
        for (const auto& [name, to] : references) {
            const bool free = std::all_of(to.begin(), to.end(), [&, self = &name](const std::string& other) { return other == *self || placed(other); });
            if (!placed(name) && free) out.push_back(name);
        }
        if (out.size() == before) throw std::logic_error("store: tables refer to one another in a circle");
    }
    return out;
}

}  // namespace postern::store
