#include "store/migrations.hpp"

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
    }
}

void check_applied(const Rows& applied, const std::string& place, std::span<const Migration> migrations) {
    if (applied.size() > migrations.size()) {
        throw std::runtime_error(place + " has schema " + std::to_string(applied.back().integer(0)) +
                                 ", this Postern knows schemas up to " + std::to_string(migrations.size()) +
                                 "; install the newer Postern, or restore the backup made before the upgrade");
    }
    for (std::size_t i = 0; i < applied.size(); ++i) {
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
