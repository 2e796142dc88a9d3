#include "app/first_start.hpp"

#include <unistd.h>

#include "app/house.hpp"
#include "store/tables/objects.hpp"

namespace postern::app {

namespace {

constexpr std::string_view own_documents = R"(
[[tenant]]
name = "system"
description = "The server itself"

[[profile]]
tenant = "system"
name = "server-tls"
description = "Certificates of Postern's own listeners"
lifetime = "90d"
keys = ["ec-p256"]
subject = ["CN"]
ip_names = true

[[endpoint]]
tenant = "system"
name = "system"
protocol = "system"
profiles = ["server-tls"]

[[account]]
tenant = "system"
name = "server"
endpoint = "system"
method = "system"
names = ["*"]
)";

constexpr std::string_view default_documents = R"(
[[tenant]]
name = "default"

[[profile]]
name = "tls-server"
description = "TLS servers"
lifetime = "90d"
keys = ["ec-p256", "ec-p384", "rsa-2048"]
extended_key_usage = ["serverAuth"]
subject = ["CN"]

[[endpoint]]
name = "default"
protocol = "acme"
profiles = ["tls-server"]
)";

constexpr std::string_view open_account = R"(
external_account_required = false

[[account]]
name = "open"
endpoint = "default"
method = "open"
names = ["*"]
wildcard = true
)";

/// Outside the laboratory a client names an account; every name may be asked for, and each must be
/// proven by a challenge. Narrow `names` before strangers can reach the server.
constexpr std::string_view keyed_account = R"(
external_account_required = true

[[account]]
name = "first"
endpoint = "default"
method = "eab"
names = ["*"]
secret = {generate = true}
)";

}  // namespace

namespace {

core::Task<bool> described(House& house) {
    auto none = store::values(0);
    const auto tenants = co_await house.db->read(store::tenant_all, std::move(none));
    co_return !tenants.empty();
}

}  // namespace

core::Task<bool> describe_defaults(House& house) {
    const bool before = co_await described(house);
    if (before) co_return false;
    std::vector<ra::DocumentText> documents;
    documents.emplace_back("built-in server documents", std::string(own_documents));
    documents.emplace_back("built-in default documents", std::string(default_documents) + std::string(house.config.lab ? open_account : keyed_account));
    ra::Principal server;
    server.name = "first start";
    server.role = ra::Role::administrator;
    server.actor = ra::Actor("system", "first start");
    const ra::ApplyOptions options;
    auto request = house.random.request_id();
    auto report = co_await house.documents->apply(std::move(documents), options, server, std::move(request));
    if (!report) {
        // Of nodes that start together on an empty store one is first; it shows the account's key.
        const bool elsewhere = co_await described(house);
        if (elsewhere) co_return false;
        throw std::runtime_error("first start: " + report.error().detail);
    }
    for (const auto& secret : report->secrets) {
        if (::isatty(STDOUT_FILENO) == 0) {
            // Nobody reads along but a journal or a log, which many may read and which stay.
            house.first_account_file = house.folder.file("first-account");
            const core::SecretText text("# Of the account `first`, kept sealed elsewhere: remove this file once you have them.\nkey_id = \"" + secret.key_id +
                                        "\"\nmac_key = \"" + secret.mac_key.expose() + "\"\n");
            write_file(house.first_account_file, text.expose(), 0600);
            break;
        }
        house.first_account_key_id = secret.key_id;
        house.first_account_mac_key = secret.mac_key.clone();
    }
    co_return true;
}

}  // namespace postern::app
