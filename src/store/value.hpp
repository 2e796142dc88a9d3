#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/strong.hpp"
#include "core/base/time.hpp"

namespace postern::store {

/// NULL, BIGINT, BOOLEAN, TEXT or BYTEA/BLOB.
using Value = std::variant<std::monostate, std::int64_t, bool, std::string, core::Bytes>;

inline Value bind(std::int64_t v) { return v; }
inline Value bind(int v) { return static_cast<std::int64_t>(v); }
inline Value bind(bool v) { return v; }
inline Value bind(std::string v) { return v; }
inline Value bind(std::string_view v) { return std::string(v); }
inline Value bind(const char* v) { return std::string(v); }
inline Value bind(core::Bytes v) { return v; }
inline Value bind(core::BytesView v) { return core::to_bytes(v); }
inline Value bind(core::TimePoint v) { return core::to_ms(v); }
inline Value bind(std::nullptr_t) { return std::monostate{}; }
template <class T, class Tag>
Value bind(const core::Strong<T, Tag>& v) { return bind(v.get()); }
template <class T>
Value bind(const std::optional<T>& v) { return v ? bind(*v) : Value(std::monostate{}); }

using Values = std::vector<Value>;
/// values(id, "text", std::nullopt…) in statement order: $1, $2, …
template <class... T>
Values values(const T&... v) {
    Values out;
    out.reserve(sizeof...(T));
    (out.push_back(bind(v)), ...);
    return out;
}

/// One result row. Getters throw std::logic_error for a wrong type or a NULL where none is expected.
class Row {
public:
    Row() = default;
    explicit Row(Values columns) : columns_(std::move(columns)) {}
    [[nodiscard]] std::size_t size() const noexcept { return columns_.size(); }
    [[nodiscard]] const Value& value(std::size_t i) const { return columns_.at(i); }
    [[nodiscard]] bool null(std::size_t i) const;
    [[nodiscard]] std::int64_t integer(std::size_t i) const;
    [[nodiscard]] bool boolean(std::size_t i) const;  ///< SQLite gives 0 and 1
    [[nodiscard]] const std::string& text(std::size_t i) const;
    [[nodiscard]] const core::Bytes& blob(std::size_t i) const;
    [[nodiscard]] core::TimePoint time(std::size_t i) const { return core::from_ms(integer(i)); }
    [[nodiscard]] std::optional<std::int64_t> optional_integer(std::size_t i) const;
    [[nodiscard]] std::optional<std::string> optional_text(std::size_t i) const;
    [[nodiscard]] std::optional<core::TimePoint> optional_time(std::size_t i) const;
    template <class Id>
    [[nodiscard]] Id id(std::size_t i) const { return Id(integer(i)); }

private:
    Values columns_;
};
using Rows = std::vector<Row>;

}  // namespace postern::store
