#include "app/own_documents.hpp"

#include <algorithm>
#include <charconv>

#include "app/house.hpp"
#include "store/tables/objects.hpp"
#include "store/tables/setting.hpp"

namespace postern::app {

namespace {

/// To be raised with every change of the text below. 1: before SCEP, and without a mark.
constexpr std::int64_t edition = 2;
constexpr std::string_view mark_name = "own_documents.edition";
/// Another node is at the same work, or somebody applies documents: what it leaves is looked at again.
constexpr int most_tries = 5;

constexpr std::string_view text = R"(
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

[[profile]]
tenant = "system"
name = "scep-ra"
description = "What SCEP clients encrypt to, and who signs what they get"
lifetime = "365d"
keys = ["rsa-2048"]
key_usage = ["digitalSignature", "keyEncipherment"]
extended_key_usage = ["cmcRA"]
common_name = "text"
subject = ["CN"]

[[endpoint]]
tenant = "system"
name = "system"
protocol = "system"
profiles = ["server-tls", "scep-ra"]

[[account]]
tenant = "system"
name = "server"
endpoint = "system"
method = "system"
names = ["*"]
common_names = ["Postern SCEP RA"]
)";

core::Task<std::string> read_mark(store::Database& db) {
    auto name = store::values(mark_name);
    const auto row = co_await store::read_one(db, store::setting_get, std::move(name));
    co_return row ? row->text(0) : std::string();
}

std::int64_t number(const std::string& mark) {
    std::int64_t out = 1;
    std::from_chars(mark.data(), mark.data() + mark.size(), out);
    return out;
}

/// Without these there is no certificate for the server's listeners, or for SCEP.
core::Task<bool> whole(House& house) {
    const auto catalog = house.catalog->current();
    const auto* endpoint = catalog->endpoint(ra::Protocol::system, "system");
    if (endpoint == nullptr) co_return false;
    for (const auto* name : {"server-tls", "scep-ra"}) {
        const bool offered = std::find(endpoint->profiles.begin(), endpoint->profiles.end(), name) != endpoint->profiles.end();
        if (!offered || catalog->profile(endpoint->tenant, name) == nullptr) co_return false;
    }
    auto by_method = store::values(endpoint->id, "system");
    const auto account = co_await store::read_one(*house.db, store::account_by_method, std::move(by_method));
    co_return account.has_value();
}

core::Task<core::Result<ra::ApplyReport>> apply_own(House& house) {
    std::vector<ra::DocumentText> documents;
    documents.emplace_back("built-in server documents", std::string(text));
    ra::Principal server;
    server.name = "upgrade";
    server.role = ra::Role::administrator;
    server.actor = ra::Actor("system", "upgrade");
    const ra::ApplyOptions options;
    auto request = house.random.request_id();
    co_return co_await house.documents->apply(std::move(documents), options, server, std::move(request));
}

}  // namespace

std::string_view own_documents() noexcept { return text; }

core::Task<void> mark_own_documents(House& house) {
    const auto before = co_await read_mark(*house.db);
    if (!before.empty() && number(before) >= edition) co_return;
    store::Batch batch;
    if (before.empty()) batch.add(store::setting_insert, store::values(mark_name, std::to_string(edition)), store::Expect::any);
    else batch.add(store::setting_replace, store::values(mark_name, before, std::to_string(edition)), store::Expect::any);
    const auto written = co_await house.db->write(std::move(batch));
    written.value();
}

core::Task<void> renew_own_documents(House& house) {
    for (int tries = 1;; ++tries) {
        const auto mark = co_await read_mark(*house.db);
        // What a later version made of them is not undone by one that comes after it.
        if (number(mark) > edition) co_return;
        const bool good = co_await whole(house);
        if (number(mark) == edition && good) co_return;
        // Nothing is written where nothing differs.
        const auto report = co_await apply_own(house);
        if (report) {
            for (const auto& line : report->plan)
                if (line.change != ra::PlanLine::Change::keep) house.log.info("own_document_renewed", {{"kind", line.kind}, {"name", line.name}});
            co_await mark_own_documents(house);
            co_return;
        }
        if (report.error().kind != core::ProblemKind::conflict || tries == most_tries)
            throw std::runtime_error("the server's own profiles and endpoint cannot be brought up to this version: " + report.error().detail);
        co_await house.catalog->refresh();
    }
}

}  // namespace postern::app
