#include "store/copy.hpp"

#include <algorithm>
#include <stdexcept>

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"

namespace postern::store {

namespace {

constexpr std::size_t batch_rows = 4096;
constexpr std::size_t batch_octets = std::size_t{4} * 1024 * 1024;
constexpr std::int64_t rows_a_step = 10'000;

/// A sum of SHA-256 of the rows modulo 2^256: engines sort texts differently, so no digest may depend on an order.
class RowsDigest {
public:
    void add(const Values& row) {
        crypto::PartsDigest digest;
        // The kind first: no number looks like a text.
        for (const auto& value : row) {
            digest.add(static_cast<std::int64_t>(value.index()));
            if (const auto* i = std::get_if<std::int64_t>(&value)) digest.add(*i);
            if (const auto* b = std::get_if<bool>(&value)) digest.add(std::int64_t{*b ? 1 : 0});
            if (const auto* t = std::get_if<std::string>(&value)) digest.add(std::string_view(*t));
            if (const auto* o = std::get_if<core::Bytes>(&value)) digest.add(core::BytesView(*o));
        }
        const auto one = digest.finish();
        unsigned carry = 0;
        for (std::size_t i = sum_.size(); i-- > 0;) {
            carry += unsigned{sum_[i]} + one[i];
            sum_[i] = static_cast<std::uint8_t>(carry & 0xffU);
            carry >>= 8U;
        }
        ++rows_;
    }
    [[nodiscard]] std::int64_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::string text() const { return core::hex(sum_); }

private:
    crypto::Sha256 sum_{};
    std::int64_t rows_ = 0;
};

std::size_t octets_of(const Values& row) {
    std::size_t out = 0;
    for (const auto& value : row) {
        out += sizeof value;
        if (const auto* t = std::get_if<std::string>(&value)) out += t->size();
        if (const auto* o = std::get_if<core::Bytes>(&value)) out += o->size();
    }
    return out;
}

/// Where a table is `setting`, the column with the name; its marks stay where they are.
std::size_t name_of_setting(const BulkTable& table) {
    const auto found = std::find(table.columns.begin(), table.columns.end(), BulkColumn("name", BulkColumn::Kind::text));
    return table.name == "setting" ? static_cast<std::size_t>(found - table.columns.begin()) : table.columns.size();
}

bool is_mark(const Values& row, std::size_t name) {
    if (name >= row.size()) return false;
    const auto* text = std::get_if<std::string>(&row[name]);
    return text != nullptr && text->starts_with(copy_marks);
}

class Counted {
public:
    Counted(const CopyWatcher& watch, CopyStep::Phase phase, const BulkTable& table, std::int64_t total)
        : watch_(watch), phase_(phase), table_(table), total_(total) {}
    void row() {
        if (++done_ % rows_a_step == 0) tell();
    }
    void tell() const { watch_(CopyStep(phase_, table_.name, done_, std::max(done_, total_))); }

private:
    const CopyWatcher& watch_;
    CopyStep::Phase phase_;
    const BulkTable& table_;
    std::int64_t done_ = 0, total_;
};

CopiedTable write_table(Bulk& from, Bulk& to, const BulkTable& table, const CopyWatcher& watch) {
    RowsDigest digest;
    std::vector<Values> batch;
    std::size_t octets = 0;
    const auto flush = [&] {
        if (!batch.empty()) to.write(table, batch);
        batch.clear();
        octets = 0;
    };
    const auto name = name_of_setting(table);
    Counted counted(watch, CopyStep::Phase::writing, table, from.count(table));
    from.read(table, [&](const Values& row) {
        if (is_mark(row, name)) return;
        digest.add(row);
        octets += octets_of(row);
        batch.push_back(row);
        if (batch.size() >= batch_rows || octets >= batch_octets) flush();
        counted.row();
    });
    flush();
    counted.tell();
    CopiedTable out;
    out.name = table.name;
    out.rows = digest.rows();
    out.digest = digest.text();
    return out;
}

void verify_table(Bulk& to, const BulkTable& table, const CopiedTable& written, const CopyWatcher& watch) {
    RowsDigest digest;
    const auto name = name_of_setting(table);
    Counted counted(watch, CopyStep::Phase::reading_back, table, written.rows);
    to.read(table, [&](const Values& row) {
        if (is_mark(row, name)) return;
        digest.add(row);
        counted.row();
    });
    counted.tell();
    if (digest.rows() != written.rows)
        throw std::runtime_error("table " + table.name + " has " + std::to_string(digest.rows()) + " rows in the target where " +
                                 std::to_string(written.rows) + " were read from the source");
    if (digest.text() != written.digest)
        throw std::runtime_error("table " + table.name + " differs: its " + std::to_string(written.rows) + " rows have the digest " + written.digest +
                                 " in the source and " + digest.text() + " in the target");
}

}  // namespace

void require_equal_tables(const std::vector<BulkTable>& from, const std::vector<BulkTable>& to) {
    const auto named = [](const std::vector<BulkTable>& all, const std::string& name) {
        return std::find_if(all.begin(), all.end(), [&](const BulkTable& t) { return t.name == name; });
    };
    for (const auto& table : to)
        if (named(from, table.name) == from.end()) throw std::runtime_error("only the target has a table " + table.name);
    for (const auto& table : from) {
        const auto other = named(to, table.name);
        if (other == to.end()) throw std::runtime_error("only the source has a table " + table.name);
        if (other->columns == table.columns) continue;
        const auto describe = [](const BulkTable& t) {
            std::string out;
            for (const auto& c : t.columns) out += (out.empty() ? "" : ", ") + c.name + " " + std::string(to_string(c.kind));
            return out;
        };
        throw std::runtime_error("table " + table.name + " has other columns in the target: " + describe(*other) + "; in the source: " + describe(table));
    }
}

std::vector<CopiedTable> copy_tables(Bulk& from, Bulk& to, const CopyWatcher& watch) {
    const auto targets = to.tables();
    require_equal_tables(from.tables(), targets);
    to.clear(targets);
    std::vector<CopiedTable> out;
    // In the target's order: what rows refer to is there before them.
    for (const auto& table : targets) out.push_back(write_table(from, to, table, watch));
    to.finish();
    for (std::size_t i = 0; i < targets.size(); ++i) verify_table(to, targets[i], out[i], watch);
    return out;
}

}  // namespace postern::store
