#include "core/json/reader.hpp"
#include "core/json/writer.hpp"
#include "core/toml/reader.hpp"
#include "ra/documents.hpp"
#include "ra/documents/stored.hpp"

namespace postern::ra {

namespace {

std::string quoted(std::string_view text) {
    json::Writer w;
    w.begin_object().member("v", text).end_object();
    auto toml = toml::json_object_to_toml(w.take());  // "v = …"
    const auto from = toml.find("= ") + 2;
    const auto end = toml.find_last_not_of('\n') + 1;
    return toml.substr(from, end - from);
}

}  // namespace

core::Task<std::string> Documents::export_all(Principal by) {
    const auto stored = co_await documents::load_stored(deps_.db);
    std::string out;
    for (const auto& kind : documents::kinds()) {
        for (const auto& row : stored.rows.at(std::string(kind.name))) {
            if (by.tenant && row.tenant_id != by.tenant->get()) continue;
            const auto columns = documents::columns_of(kind, row, stored);
            const auto method = columns.find("method");
            const auto protocol = columns.find("protocol");
            // The server's own endpoint and account are made by the server, not by documents.
            if (protocol != columns.end() && protocol->second == "system") continue;
            if (method != columns.end() && method->second == "system") continue;
            out += "[[" + std::string(kind.name) + "]]\n";
            if (kind.name != "tenant") {
                const auto* tenant = stored.find("tenant", row.tenant_id);
                out += "tenant = " + quoted(tenant ? tenant->name : "") + "\n";
            }
            out += "name = " + quoted(row.name) + "\n";
            if (row.status != "active") out += "enabled = false\n";
            for (const auto& key : kind.keys)
                if (const auto it = columns.find(std::string(key.name)); it != columns.end()) out += it->first + " = " + quoted(it->second) + "\n";
            const auto hidden = kind.name == "backend" && !may_run_programs(by) ? documents::hidden_keys() : std::span<const std::string_view>();
            out += toml::json_object_to_toml(row.body, hidden);
            const bool has_code = kind.name == "account" && (std::holds_alternative<std::string>(row.keys.at(4)) || std::holds_alternative<core::Bytes>(row.keys.at(5)));
            const bool proven = method != columns.end() && (method->second == "eab" || method->second == "access_code" || method->second == "basic" || method->second == "webhook");
            if (proven || (has_code && method->second == "certificate")) out += "secret = \"keep\"\n";
            if (kind.name == "azure_account") {
                out += "secret = \"keep\"\n";
                if (std::holds_alternative<core::Bytes>(row.keys.at(1))) out += "proxy_password = \"keep\"\n";
            }
            out += "\n";
        }
    }
    co_return out;
}

}  // namespace postern::ra
