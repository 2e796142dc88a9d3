#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

/// TOML with an error for everything that is not understood: each names file, line and key path,
/// and keys that nobody read are refused by finish().
namespace postern::toml {

class Table;

/// One value with its place. Getters give `malformed` Problems such as
/// "postern.toml:12: listen.https.address: expected a string".
class Value {
public:
    [[nodiscard]] core::Result<std::string> string() const;
    [[nodiscard]] core::Result<std::int64_t> integer() const;
    [[nodiscard]] core::Result<bool> boolean() const;
    [[nodiscard]] core::Result<std::vector<std::string>> strings() const;
    /// An array's elements, each with its own line and path ("names[1]").
    [[nodiscard]] core::Result<std::vector<Value>> items() const;
    /// "30s", "12h", "90d" (core::parse_duration).
    [[nodiscard]] core::Result<std::chrono::milliseconds> duration() const;
    /// "64KiB", "1MiB", "2GiB", "512B" or a plain integer of bytes.
    [[nodiscard]] core::Result<std::size_t> size() const;
    /// Opening the same table again shares its record of keys read.
    [[nodiscard]] core::Result<Table> table() const;
    [[nodiscard]] core::Result<std::vector<Table>> tables() const;
    /// "file:line: path"
    [[nodiscard]] std::string where() const;
    [[nodiscard]] core::Problem problem(std::string_view what) const;
    /// The value as compact JSON: tables become objects in the order written, dates and times
    /// strings. How documents are stored.
    [[nodiscard]] std::string to_json() const;

    struct Impl;
    explicit Value(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

private:
    std::shared_ptr<const Impl> impl_;
};

/// Copies share the record of which keys were read.
class Table {
public:
    /// Marks the key as known.
    [[nodiscard]] std::optional<Value> find(std::string_view key) const;
    /// A Problem that names the missing key when absent.
    [[nodiscard]] core::Result<Value> require(std::string_view key) const;
    [[nodiscard]] std::vector<std::string> keys() const;
    [[nodiscard]] std::string where() const;
    [[nodiscard]] core::Problem problem(std::string_view what) const;
    /// Refuses keys never asked for, in this table and those below it that were opened:
    /// "file:7: listen.htps: unknown key; known here: https, est, http, management".
    [[nodiscard]] core::Result<void> finish() const;

    struct Impl;
    explicit Table(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

private:
    std::shared_ptr<Impl> impl_;
};

/// `name` stands in errors for the file. inf and nan are refused: stored documents are JSON.
core::Result<Table> parse(std::string_view text, std::string_view name);
core::Result<Table> parse_file(const std::string& path);

/// JSON object text (as Value::to_json wrote it) back to TOML lines "key = value", in order;
/// nested objects become inline tables, members that are null are left out (TOML has no null), and those of `without`.
/// Text that is not such an object is a broken invariant and throws.
std::string json_object_to_toml(std::string_view json, std::span<const std::string_view> without = {});

}  // namespace postern::toml
