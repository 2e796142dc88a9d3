#include "app/first_start.hpp"

#include <unistd.h>

#include "app/house.hpp"
#include "app/own_documents.hpp"
#include "store/tables/objects.hpp"

namespace postern::app {

namespace {

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

[[profile]]
name = "device"
description = "Phones, laptops, routers and printers"
lifetime = "365d"
keys = ["rsa-2048", "ec-p256", "ec-p384"]
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]

[[endpoint]]
name = "devices"
protocol = "scep"
profiles = ["device"]

[[account]]
name = "devices"
endpoint = "devices"
method = "access_code"
common_names = ["*"]
secret = {generate = true}

[[endpoint]]
name = "equipment"
protocol = "est"
profiles = ["device"]
default_hosts = ["*"]

[[account]]
name = "equipment"
endpoint = "equipment"
method = "basic"
common_names = ["*"]
secret = {generate = true}

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
    documents.emplace_back("built-in server documents", std::string(own_documents()));
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
    co_await mark_own_documents(house);
    if (::isatty(STDOUT_FILENO) != 0) {
        house.first_secrets = std::move(report->secrets);
        co_return true;
    }
    // Nobody reads along but a journal or a log, which many may read and which stay.
    std::string text = "# Of the accounts that the first start made: remove this file once you have them.\n";
    for (const auto& secret : report->secrets) {
        text += "\n# " + secret.account + "\n";
        if (!secret.key_id.empty()) text += "key_id = \"" + secret.key_id + "\"\nmac_key = \"" + secret.mac_key.expose() + "\"\n";
        if (!secret.password.empty()) text += "user = \"" + secret.user + "\"\npassword = \"" + secret.password.expose() + "\"\n";
        if (!secret.access_code.empty()) text += "access_code = \"" + secret.access_code.expose() + "\"\n";
    }
    const core::SecretText whole(std::move(text));
    house.first_account_file = house.folder.file("first-account");
    write_file(house.first_account_file, whole.expose(), 0600);
    co_return true;
}

}  // namespace postern::app
