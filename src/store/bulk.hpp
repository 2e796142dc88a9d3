#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/value.hpp"

/// Whole tables, for carrying an installation from one engine to another: the one place where SQL is made
/// from what the database says of itself. Blocking; not for a server.
namespace postern::store {

struct BulkColumn {
    enum class Kind { integer, boolean, text, blob };
    BulkColumn(std::string n, Kind k) : name(std::move(n)), kind(k) {}
    std::string name;
    Kind kind;
    bool operator==(const BulkColumn&) const = default;
};
std::string_view to_string(BulkColumn::Kind kind) noexcept;

struct BulkTable {
    BulkTable(std::string n, std::vector<BulkColumn> c) : name(std::move(n)), columns(std::move(c)) {}
    std::string name;
    std::vector<BulkColumn> columns;  ///< by name
};

/// Names of settings that say how a copy stands begin so: they are of one database alone, and never copied.
inline constexpr std::string_view copy_marks = "copy.";
inline constexpr std::string_view copy_unfinished = "copy.unfinished";  ///< in the target, until all is verified
inline constexpr std::string_view copy_leaving = "copy.leaving";        ///< in the source, meanwhile
inline constexpr std::string_view copy_leaver = "copy.leaver";          ///< the node whose data folder that copy holds locked
inline constexpr std::string_view copy_moved = "copy.moved";            ///< in the source, from then on
inline constexpr std::string_view copy_name = "copy.name";              ///< drawn; in both

/// Tables of one database alone: what it has of the schema, marks of an adapter's batches, who serves it, and nonces.
bool stays_behind(std::string_view table) noexcept;

/// A database that nobody else works on. Methods throw StoreUnavailable, or std::runtime_error that names
/// the table for what it cannot hold or read.
class Bulk {
public:
    using Each = std::function<void(const Values&)>;
    virtual ~Bulk() = default;
    /// All but those that stay behind, each after those that its rows refer to. All reads see one moment.
    virtual std::vector<BulkTable> tables() = 0;
    /// Connections of Postern servers to the same database.
    virtual std::int64_t other_clients() = 0;
    virtual std::int64_t count(const BulkTable& table) = 0;
    /// Every row, in the order of the columns, one at a time; a value is of its column's kind or NULL.
    virtual void read(const BulkTable& table, const Each& each) = 0;
    /// All of them or none; durable after finish().
    virtual void write(const BulkTable& table, const std::vector<Values>& rows) = 0;
    /// Empties the tables, but for the settings that say how a copy stands.
    virtual void clear(const std::vector<BulkTable>& tables) = 0;
    /// After the last write: everything is durable, and every reference leads somewhere.
    virtual void finish() = 0;
};

/// The tables of `rows referred to first` order, from each table's name to the names that it refers to. Throws
/// std::logic_error for a circle; a table may refer to itself.
std::vector<std::string> referred_first(const std::vector<std::pair<std::string, std::vector<std::string>>>& references);

}  // namespace postern::store
