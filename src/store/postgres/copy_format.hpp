#pragma once
#include <string>
#include <string_view>

#include "store/bulk.hpp"

/// COPY's binary form (PostgreSQL's manual, COPY, "Binary Format"): a header, tuples, a trailer.
namespace postern::store::postgres {

class CopyWriter {
public:
    CopyWriter();
    void add(const Values& row);
    /// All of it, with the trailer; the writer is used up.
    [[nodiscard]] std::string finish();

private:
    void number(std::uint64_t value, int octets);
    std::string out_;
};

/// One tuple a call, as the server sends it; `out` gets the values in the kinds of the table's columns. False for the
/// trailer, or for a header alone. Throws std::runtime_error naming the table for what is not in this form.
class CopyReader {
public:
    explicit CopyReader(const BulkTable& table) : table_(table) {}
    bool take(std::string_view message, Values& out);

private:
    [[noreturn]] void fail(const char* what) const;
    std::uint64_t number(std::string_view& from, int octets) const;
    Value value(const BulkColumn& column, std::string_view octets) const;

    const BulkTable& table_;
    bool header_ = false;
};

}  // namespace postern::store::postgres
