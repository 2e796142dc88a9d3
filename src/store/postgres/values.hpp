#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "store/postgres/libpq.hpp"
#include "store/value.hpp"

namespace postern::store::postgres {

/// Bound values in the form that libpq sends: text, BYTEA in binary. One is used over and over.
class Parameters {
public:
    /// `values` must live until they are sent.
    void set(const Values& values);
    [[nodiscard]] int count() const noexcept { return static_cast<int>(texts_.size()); }
    [[nodiscard]] const char* const* texts() const noexcept { return texts_.data(); }
    [[nodiscard]] const int* lengths() const noexcept { return lengths_.data(); }
    [[nodiscard]] const int* formats() const noexcept { return formats_.data(); }

private:
    static constexpr std::size_t digits = 24;  ///< of a BIGINT, its sign and a zero
    std::vector<const char*> texts_;
    std::vector<int> lengths_, formats_;
    std::vector<char> numbers_;
};

/// Throws std::logic_error naming `statement` for text with an octet that is zero, which TEXT cannot hold.
void check_values(std::string_view statement, const Values& values);

/// Appends the rows of a binary result. Throws std::logic_error naming `statement` for a column of a type
/// that Value does not have.
void append_rows(const PGresult* result, std::string_view statement, Rows& rows);

}  // namespace postern::store::postgres
