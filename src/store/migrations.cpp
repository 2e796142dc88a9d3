#include "store/migrations.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <stdexcept>

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"

namespace postern::store {

std::string file_name(const Migration& migration) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "V%04d__", migration.number);
    return digits + std::string(migration.name) + ".sql";
}

std::string checksum(const Migration& migration) { return core::hex(crypto::sha256(migration.sql)); }

void check_numbered(std::span<const Migration> migrations) {
    for (std::size_t i = 0; i < migrations.size(); ++i) {
        if (migrations[i].number != static_cast<int>(i) + 1) {
            throw std::logic_error("migrations are not numbered 1, 2, 3 …: " + file_name(migrations[i]));
        }
        static_cast<void>(readable_by(migrations[i]));
    }
}

std::optional<int> readable_by(const Migration& migration) {
    constexpr std::string_view words = "-- readable by V";
    constexpr std::size_t digits = 4;
    if (!migration.sql.starts_with(words)) return std::nullopt;
    const auto said = migration.sql.substr(words.size(), digits);
    int out = 0;
    const auto [end, failed] = std::from_chars(said.data(), said.data() + said.size(), out);
    if (failed != std::errc() || end != said.data() + digits || out <= 0 || out >= migration.number)
        throw std::logic_error(file_name(migration) + " must say which earlier migration a program has to know: -- readable by V0001");
    return out;
}

namespace {

/// A schema that a later version made.
void check_newer(const Rows& applied, const std::string& place, std::span<const Migration> migrations) {
    const auto known = static_cast<std::int64_t>(migrations.size());
    for (std::size_t i = migrations.size(); i < applied.size(); ++i) {
        const auto& row = applied[i];
        const auto number = row.integer(0);
        const auto least = row.optional_integer(3).value_or(number);
        if (number == static_cast<std::int64_t>(i) + 1 && least <= known) continue;
        const Migration later{static_cast<int>(number), row.text(1), {}};
        throw std::runtime_error(place + " has schema " + std::to_string(applied.back().integer(0)) + ", this Postern knows schemas up to " +
                                 std::to_string(known) + "; install the newer Postern, or restore the backup made before the upgrade (" + file_name(later) +
                                 " is for versions that know schema " + std::to_string(least) + ")");
    }
}

}  // namespace

void check_applied(const Rows& applied, const std::string& place, std::span<const Migration> migrations) {
    check_newer(applied, place, migrations);
    for (std::size_t i = 0; i < std::min(applied.size(), migrations.size()); ++i) {
        const Migration& known = migrations[i];
        if (applied[i].integer(0) != known.number) {
            throw std::runtime_error(place + " lacks " + file_name(known) +
                                     " before a later migration; restore a backup of the database");
        }
        if (applied[i].text(2) != checksum(known)) {
            throw std::runtime_error("migration " + file_name(known) + " differs from what was applied to " + place +
                                     "; restore its text, and put schema changes into a new migration");
        }
    }
}

void throw_ended_transaction(const Migration& migration) {
    throw std::logic_error("migration " + file_name(migration) + " ends its transaction itself");
}

void throw_failed(const Migration& migration, const std::string& place, const std::string& why) {
    throw std::runtime_error("migration " + file_name(migration) + " failed on " + place + ", which is unchanged: " + why);
}

}  // namespace postern::store
