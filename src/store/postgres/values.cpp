#include "store/postgres/values.hpp"

#include <charconv>
#include <stdexcept>
#include <type_traits>

namespace postern::store::postgres {

namespace {

/// Object identifiers of built-in types (pg_type.dat); fixed for good.
enum Oid_ : Oid { boolean = 16, bytea = 17, name = 19, int8 = 20, int2 = 21, int4 = 23, text = 25, varchar = 1043 };

std::int64_t big_endian(const char* octets, int length) noexcept {
    // The first octet carries the sign.
    std::int64_t out = static_cast<signed char>(octets[0]);
    for (int i = 1; i < length; ++i) out = static_cast<std::int64_t>((static_cast<std::uint64_t>(out) << 8) | static_cast<std::uint8_t>(octets[i]));
    return out;
}

Value column(const PGresult* result, int row, int i, std::string_view statement) {
    if (PQgetisnull(result, row, i) != 0) return std::monostate{};
    const char* data = PQgetvalue(result, row, i);
    const int length = PQgetlength(result, row, i);
    switch (PQftype(result, i)) {
        case int2:
        case int4:
        case int8: return big_endian(data, length);
        case boolean: return data[0] != 0;
        case text:
        case varchar:
        case name: return std::string(data, static_cast<std::size_t>(length));
        case bytea: {
            const auto* octets = reinterpret_cast<const std::uint8_t*>(data);
            return core::Bytes(octets, octets + length);
        }
        default:
            throw std::logic_error("store: " + std::string(statement) + ": column " + std::to_string(i) +
                                   " has the type with oid " + std::to_string(PQftype(result, i)) +
                                   ", which is none of BIGINT, BOOLEAN, TEXT and BYTEA; CAST it");
    }
}

}  // namespace

void check_values(std::string_view statement, const Values& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto* text = std::get_if<std::string>(&values[i]);
        if (text != nullptr && text->find('\0') != std::string::npos) {
            throw std::logic_error("store: " + std::string(statement) + ": parameter $" + std::to_string(i + 1) +
                                   " is text with an octet that is zero");
        }
    }
}

void Parameters::set(const Values& values) {
    texts_.clear();
    lengths_.clear();
    formats_.clear();
    numbers_.resize(values.size() * digits);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto put = [this](const char* data, std::size_t length, int format) {
            texts_.push_back(data);
            lengths_.push_back(static_cast<int>(length));
            formats_.push_back(format);
        };
        std::visit(
            [&](const auto& v) {
                using T = std::decay_t<decltype(v)>;
                if constexpr (std::is_same_v<T, std::monostate>) {
                    put(nullptr, 0, 0);
                } else if constexpr (std::is_same_v<T, std::int64_t>) {
                    char* at = numbers_.data() + i * digits;
                    *std::to_chars(at, at + digits - 1, v).ptr = '\0';
                    put(at, 0, 0);
                } else if constexpr (std::is_same_v<T, bool>) {
                    put(v ? "t" : "f", 1, 0);
                } else if constexpr (std::is_same_v<T, std::string>) {
                    put(v.c_str(), v.size(), 0);
                } else {
                    put(v.empty() ? "" : reinterpret_cast<const char*>(v.data()), v.size(), 1);
                }
            },
            values[i]);
    }
}

void append_rows(const PGresult* result, std::string_view statement, Rows& rows) {
    const int count = PQntuples(result);
    const int width = PQnfields(result);
    rows.reserve(rows.size() + static_cast<std::size_t>(count));
    for (int r = 0; r < count; ++r) {
        Values columns;
        columns.reserve(static_cast<std::size_t>(width));
        for (int i = 0; i < width; ++i) columns.push_back(column(result, r, i, statement));
        rows.emplace_back(std::move(columns));
    }
}

}  // namespace postern::store::postgres
