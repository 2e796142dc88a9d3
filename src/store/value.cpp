#include "store/value.hpp"

#include <stdexcept>

namespace postern::store {

namespace {

std::string_view type_name(const Value& v) noexcept {
    static constexpr std::string_view names[] = {"NULL", "BIGINT", "BOOLEAN", "TEXT", "BYTEA"};
    return names[v.index()];
}

const Value& column(const Values& columns, std::size_t i) {
    if (i >= columns.size()) {
        throw std::logic_error("store: column " + std::to_string(i) + " of a row of " +
                               std::to_string(columns.size()));
    }
    return columns[i];
}

[[noreturn]] void wrong_type(std::size_t i, const Value& found, std::string_view wanted) {
    throw std::logic_error("store: column " + std::to_string(i) + " is " + std::string(type_name(found)) +
                           " where " + std::string(wanted) + " was expected");
}

template <class T>
const T& get(const Values& columns, std::size_t i, std::string_view wanted) {
    const Value& v = column(columns, i);
    if (const T* held = std::get_if<T>(&v)) return *held;
    wrong_type(i, v, wanted);
}

}  // namespace

bool Row::null(std::size_t i) const { return std::holds_alternative<std::monostate>(column(columns_, i)); }

std::int64_t Row::integer(std::size_t i) const { return get<std::int64_t>(columns_, i, "BIGINT"); }

bool Row::boolean(std::size_t i) const {
    const Value& v = column(columns_, i);
    if (const bool* flag = std::get_if<bool>(&v)) return *flag;
    const auto* number = std::get_if<std::int64_t>(&v);
    if (number == nullptr || (*number != 0 && *number != 1)) wrong_type(i, v, "BOOLEAN");
    return *number == 1;
}

const std::string& Row::text(std::size_t i) const { return get<std::string>(columns_, i, "TEXT"); }

const core::Bytes& Row::blob(std::size_t i) const { return get<core::Bytes>(columns_, i, "BYTEA"); }

std::optional<std::int64_t> Row::optional_integer(std::size_t i) const {
    if (null(i)) return std::nullopt;
    return integer(i);
}

std::optional<std::string> Row::optional_text(std::size_t i) const {
    if (null(i)) return std::nullopt;
    return text(i);
}

std::optional<core::TimePoint> Row::optional_time(std::size_t i) const {
    if (null(i)) return std::nullopt;
    return time(i);
}

}  // namespace postern::store
