#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

/// Strict JSON (RFC 8259): duplicate members, depth above the limit, numbers out of range, lone
/// surrogates, invalid UTF-8 and trailing text are refused. Errors are `malformed` and name the
/// path: "$.identifiers[2].value: expected a string".
namespace postern::json {

struct Limits {
    std::size_t bytes = 64 * 1024;
    std::size_t depth = 16;
};

class Document;

/// A cheap view into a Document, which must outlive it. Getters on an absent or ill-typed value
/// give a Problem with the path.
class Value {
public:
    Value() = default;
    [[nodiscard]] bool is_object() const noexcept;
    [[nodiscard]] bool is_array() const noexcept;
    [[nodiscard]] bool is_string() const noexcept;
    [[nodiscard]] bool is_number() const noexcept;
    [[nodiscard]] bool is_bool() const noexcept;
    [[nodiscard]] bool is_null() const noexcept;
    [[nodiscard]] bool exists() const noexcept { return node_ != nullptr; }

    /// Member of an object; a Value that does not exist() when absent or not an object.
    [[nodiscard]] Value operator[](std::string_view name) const;
    [[nodiscard]] bool contains(std::string_view name) const;
    /// Members in document order; empty unless an object.
    [[nodiscard]] std::vector<std::pair<std::string_view, Value>> members() const;
    /// Elements; empty unless an array.
    [[nodiscard]] std::vector<Value> items() const;

    [[nodiscard]] core::Result<std::string_view> string() const;
    [[nodiscard]] core::Result<std::int64_t> integer() const;
    /// Any number, exactly rounded.
    [[nodiscard]] core::Result<double> number() const;
    [[nodiscard]] bool is_integer() const noexcept;
    [[nodiscard]] core::Result<bool> boolean() const;
    /// Absent gives nullopt; present with another type is a Problem.
    [[nodiscard]] core::Result<std::optional<std::string_view>> optional_string() const;

    /// "$.a.b[0]"
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// A `malformed` Problem at this value's path.
    [[nodiscard]] core::Problem problem(std::string_view what) const;

private:
    friend class Document;
    Value(const void* node, std::string path) : node_(node), path_(std::move(path)) {}
    const void* node_ = nullptr;
    std::string path_ = "$";
};

class Document {
public:
    static core::Result<Document> parse(std::string_view text, Limits limits = {});
    Document(Document&&) noexcept;
    Document& operator=(Document&&) noexcept;
    ~Document();
    [[nodiscard]] Value root() const;

private:
    Document();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::json
