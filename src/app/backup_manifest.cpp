#include "app/backup_manifest.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"

namespace postern::app {

namespace {

core::Problem bad(std::string what) { return {core::ProblemKind::malformed, "manifest.json: " + std::move(what)}; }

constexpr std::string_view keys_folder = "keys/", master_name = "keys/master", key_suffix = ".key";
constexpr std::size_t most_files = 10'000;
constexpr std::int64_t largest_file = std::int64_t{1} << 50;
/// No backup was made before Postern was, or past the last year that RFC 3339 can write.
constexpr std::int64_t earliest_ms = 1'577'836'800'000, latest_ms = 253'402'300'799'999;

core::Result<BackupManifest::File> read_file_entry(const json::Value& item) {
    const auto name = item["name"].string();
    const auto bytes = item["bytes"].integer();
    const auto sha256 = item["sha256"].string();
    if (!name || !bytes || !sha256) return bad("it is incomplete");
    if (!BackupManifest::is_part(*name)) return bad("\"" + std::string(*name) + "\" is no part of a backup");
    BackupManifest::File file;
    file.name = *name;
    file.bytes = *bytes;
    file.sha256 = *sha256;
    if (file.bytes < 0 || file.bytes > largest_file) return bad(file.name + ": " + std::to_string(file.bytes) + " is no size of a file");
    const bool lower = file.sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (file.sha256.size() != 64 || !lower) return bad(file.name + ": \"" + file.sha256 + "\" is no SHA-256 in lower-case hexadecimal digits");
    return file;
}

}  // namespace

/// Known names, or one below keys/ or tls/: a manifest is not trusted to name other places, nor what a server
/// makes for itself (lock, control.sock).
bool BackupManifest::is_part(std::string_view name) noexcept {
    for (const std::string_view known : {"postern.db", "root.pem", "postern.toml"})
        if (name == known) return true;
    const bool of_keys = name.starts_with(keys_folder);
    if (!of_keys && !name.starts_with("tls/")) return false;
    if (of_keys && name != master_name && !name.ends_with(key_suffix)) return false;
    name.remove_prefix(name.find('/') + 1);
    const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_'; };
    return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), plain);
}

std::string BackupManifest::to_json() const {
    json::Writer w;
    w.begin_object().member("format", format).member("postern", postern).member("engine", "sqlite").member("schema", static_cast<std::int64_t>(schema));
    w.member("created", core::rfc3339(created)).member("createdMs", core::to_ms(created)).member("masterKey", master_key);
    w.key("files").begin_array();
    for (const auto& f : files) w.begin_object().member("name", f.name).member("bytes", f.bytes).member("sha256", f.sha256).end_object();
    w.end_array().end_object();
    return w.take();
}

core::Result<BackupManifest> BackupManifest::parse(std::string_view text) {
    const auto document = json::Document::parse(text);
    if (!document) return bad(document.error().detail);
    const auto root = document->root();
    const auto made_by = root["postern"].string();
    const auto known = root["format"].integer();
    if (!known || !made_by) return bad("this is no backup of Postern");
    if (*known != format)
        return bad("it has format " + std::to_string(*known) + ", made by Postern " + std::string(*made_by) + "; this version reads format " +
                   std::to_string(format) + ". Restore it with that version");
    if (const auto engine = root["engine"].string(); !engine || *engine != "sqlite") return bad("it is no backup of an SQLite database");
    const auto schema = root["schema"].integer();
    const auto created = root["createdMs"].integer();
    const auto master = root["masterKey"].boolean();
    if (!schema || !created || !master || root["files"].items().empty()) return bad("it is incomplete");
    if (*schema < 1 || *schema > std::numeric_limits<int>::max()) return bad(std::to_string(*schema) + " is no number of a schema");
    if (*created < earliest_ms || *created > latest_ms) return bad(std::to_string(*created) + " is no time that a backup was made at");
    if (root["files"].items().size() > most_files) return bad("it names more files than any backup has");
    BackupManifest out;
    out.postern = *made_by;
    out.schema = static_cast<int>(*schema);
    out.created = core::from_ms(*created);
    out.master_key = *master;
    for (const auto& item : root["files"].items()) {
        auto file = read_file_entry(item);
        if (!file) return file.error();
        if (out.find(file->name)) return bad(file->name + " stands in it twice");
        out.files.push_back(std::move(*file));
    }
    if (!out.find("postern.db")) return bad("it names no database");
    const auto is_ca_key = [](const File& f) { return f.name.starts_with(keys_folder) && f.name.ends_with(key_suffix); };
    if (std::none_of(out.files.begin(), out.files.end(), is_ca_key)) return bad("it names no CA key");
    if (out.master_key != (out.find(master_name) != nullptr)) return bad("it contradicts itself about the master key");
    return out;
}

const BackupManifest::File* BackupManifest::find(std::string_view name) const noexcept {
    const auto found = std::find_if(files.begin(), files.end(), [&](const File& f) { return f.name == name; });
    return found == files.end() ? nullptr : &*found;
}

BackupManifest::File describe_file(const std::string& folder, const std::string& name) {
    const auto path = folder + "/" + name;
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + path);
    crypto::StreamDigest digest;
    BackupManifest::File out;
    out.name = name;
    std::vector<char> piece(std::size_t{1024} * 1024);
    while (in) {
        in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        const auto got = in.gcount();
        digest.add(core::as_bytes(std::string_view(piece.data(), static_cast<std::size_t>(got))));
        out.bytes += got;
    }
    if (in.bad()) throw std::runtime_error("cannot read " + path);
    out.sha256 = core::hex(digest.finish());
    return out;
}

core::Result<void> verify_files(const BackupManifest& manifest, const std::string& folder) {
    for (const auto& wanted : manifest.files) {
        const auto path = folder + "/" + wanted.name;
        if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(path)))
            return core::Problem(core::ProblemKind::malformed, path + " is missing: the backup is incomplete; use another one");
        const auto found = describe_file(folder, wanted.name);
        if (found.bytes != wanted.bytes || found.sha256 != wanted.sha256)
            return core::Problem(core::ProblemKind::malformed, path + " is damaged: it has " + std::to_string(found.bytes) + " octets with SHA-256 " + found.sha256 +
                                                                   ", the manifest says " + std::to_string(wanted.bytes) + " with " + wanted.sha256 + "; use another backup");
    }
    return {};
}

}  // namespace postern::app
