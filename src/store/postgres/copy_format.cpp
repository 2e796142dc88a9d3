#include "store/postgres/copy_format.hpp"

#include <stdexcept>

namespace postern::store::postgres {

namespace {

constexpr std::string_view signature("PGCOPY\n\377\r\n\0", 11);
constexpr std::uint64_t trailer = 0xffff;
constexpr std::uint64_t null_length = 0xffffffff;

}  // namespace

CopyWriter::CopyWriter() : out_(signature) {
    number(0, 4);  // flags
    number(0, 4);  // no extension of the header
}

void CopyWriter::number(std::uint64_t value, int octets) {
    for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) out_.push_back(static_cast<char>(value >> static_cast<unsigned>(shift) & 0xffU));
}

void CopyWriter::add(const Values& row) {
    number(row.size(), 2);
    for (const auto& value : row) {
        if (std::holds_alternative<std::monostate>(value)) {
            number(null_length, 4);
        } else if (const auto* i = std::get_if<std::int64_t>(&value)) {
            number(8, 4);
            number(static_cast<std::uint64_t>(*i), 8);
        } else if (const auto* b = std::get_if<bool>(&value)) {
            number(1, 4);
            number(*b ? 1 : 0, 1);
        } else if (const auto* t = std::get_if<std::string>(&value)) {
            number(t->size(), 4);
            out_ += *t;
        } else {
            const auto& octets = std::get<core::Bytes>(value);
            number(octets.size(), 4);
            out_.append(reinterpret_cast<const char*>(octets.data()), octets.size());
        }
    }
}

std::string CopyWriter::finish() {
    number(trailer, 2);
    return std::move(out_);
}

void CopyReader::fail(const char* what) const { throw std::runtime_error("table " + table_.name + " does not come in COPY's binary form: " + what); }

std::uint64_t CopyReader::number(std::string_view& from, int octets) const {
    if (from.size() < static_cast<std::size_t>(octets)) fail("it is cut off");
    std::uint64_t out = 0;
    for (int i = 0; i < octets; ++i) out = out << 8U | static_cast<std::uint8_t>(from[static_cast<std::size_t>(i)]);
    from.remove_prefix(static_cast<std::size_t>(octets));
    return out;
}

Value CopyReader::value(const BulkColumn& column, std::string_view octets) const {
    switch (column.kind) {
        case BulkColumn::Kind::integer:
            if (octets.size() != 8) fail("a number has not 8 octets");
            return static_cast<std::int64_t>(number(octets, 8));
        case BulkColumn::Kind::boolean:
            if (octets.size() != 1) fail("a boolean has not one octet");
            return octets[0] != 0;
        case BulkColumn::Kind::text: return std::string(octets);
        case BulkColumn::Kind::blob: return core::Bytes(octets.begin(), octets.end());
    }
    fail("a column has no kind");
}

bool CopyReader::take(std::string_view message, Values& out) {
    if (!header_) {
        if (!message.starts_with(signature)) fail("it has another header");
        message.remove_prefix(signature.size());
        number(message, 4);
        const auto extension = number(message, 4);
        if (message.size() < extension) fail("its header is cut off");
        message.remove_prefix(extension);
        header_ = true;
        if (message.empty()) return false;
    }
    const auto count = number(message, 2);
    if (count == trailer) return false;
    if (count != table_.columns.size()) fail("a row has another number of columns");
    out.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto length = number(message, 4);
        if (length == null_length) {
            out[i] = std::monostate{};
            continue;
        }
        if (message.size() < length) fail("it is cut off");
        out[i] = value(table_.columns[i], message.substr(0, length));
        message.remove_prefix(length);
    }
    if (!message.empty()) fail("a row has more than its columns");
    return true;
}

}  // namespace postern::store::postgres
