#include "app/config.hpp"
#include "app/data_folder.hpp"
#include "app/verbs/secret_files.hpp"
#include "core/async/shards.hpp"
#include "core/crypto/system_random.hpp"
#include "ra/documents.hpp"
#include "store/sqlite/open.hpp"
#include "tests/unit/app/support.hpp"

/// Every file under config/ is one that a reader may copy: it must load as it stands.
BOOST_AUTO_TEST_SUITE(app_example_files)

using namespace postern;
using namespace postern::test;

namespace {

std::vector<std::filesystem::path> examples() {
    std::vector<std::filesystem::path> out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(POSTERN_SOURCE_DIR "/config"))
        if (entry.path().extension() == ".toml") out.push_back(entry.path());
    return out;
}
bool for_the_server(const std::filesystem::path& path) { return path.filename().string().starts_with("postern"); }

/// What profiles may name; nothing is issued here.
class Named final : public ca::Backend {
public:
    [[nodiscard]] ca::Capabilities capabilities() const noexcept override { return {}; }
    core::Result<ca::Prepared> prepare(const ca::Authorized&) override { return core::Problem(core::ProblemKind::unavailable, "nothing is issued here"); }
    core::Task<core::Result<ca::Outcome>> issue(const ca::Authorized&, const ca::Prepared&, core::Deadline) override { throw std::logic_error("issued"); }
    [[nodiscard]] core::Result<ca::Checked> check(const ca::Issued&, const ca::Content&, const ca::Prepared&) const override { throw std::logic_error("checked"); }
    void record_revocation(store::Batch&, const ca::Revoked&) override {}
    core::Task<core::Result<void>> publish_revocations(core::Deadline) override { co_return core::Result<void>(); }
    [[nodiscard]] std::vector<core::Bytes> chain(const std::string&) const override { return {}; }
    [[nodiscard]] core::TimePoint latest_not_after() const override { return {}; }
};

/// A store as it is after the first start: the default tenant, profile and endpoint.
struct Registry {
    Registry() { backends.add("builtin", builtin); }
    core::Result<ra::ApplyReport> apply(std::string name, std::string text, bool dry_run) {
        std::vector<ra::DocumentText> texts;
        texts.emplace_back(std::move(name), std::move(text));
        ra::ApplyOptions options;
        options.dry_run = dry_run;
        return core::run_to_end(documents.apply(std::move(texts), options, ra::Principals::from_peer(0).value(), core::RequestId("r")));
    }
    Folder folder;
    core::FakeClock clock{core::from_ms(1'800'000'000'000)};
    crypto::SystemRandom random;
    observe::Metrics metrics;
    observe::Log log{observe::Level::error, folder.file("log"), true};
    std::unique_ptr<store::Database> db = store::open_sqlite(folder.file("postern.db"), clock, metrics);
    store::Numbers numbers{*db};
    crypto::Sealer sealer{core::SecretBytes(core::Bytes(32, 7)), random};
    ra::CatalogSource catalog{*db, log};
    Named builtin;
    ca::Backends backends;
    ra::Documents documents{ra::Documents::Deps{*db, numbers, catalog, backends, sealer, random, clock}};
};

constexpr std::string_view first_start = R"([[tenant]]
name = "default"
[[profile]]
name = "tls-server"
[[endpoint]]
name = "default"
protocol = "acme"
profiles = ["tls-server"]
)";

}  // namespace

BOOST_AUTO_TEST_CASE(there_are_examples_of_both_kinds) {
    const auto all = examples();
    BOOST_TEST(std::count_if(all.begin(), all.end(), for_the_server) > 0);
    BOOST_TEST(std::count_if(all.begin(), all.end(), for_the_server) < static_cast<std::ptrdiff_t>(all.size()));
}

BOOST_AUTO_TEST_CASE(server_examples_load) {
    for (const auto& path : examples()) {
        if (!for_the_server(path)) continue;
        app::Config config;
        const auto r = app::read_config_file(path.string(), config);
        BOOST_TEST(r.has_value(), (r ? "" : r.error().detail));
    }
}

BOOST_AUTO_TEST_CASE(document_examples_apply_to_a_new_installation) {
    for (const auto& path : examples()) {
        if (for_the_server(path)) continue;
        Registry registry;
        BOOST_TEST_REQUIRE(registry.apply("first start", std::string(first_start), false).has_value());
        const auto r = registry.apply(path.string(), app::read_file(path.string()), true);
        BOOST_TEST(r.has_value(), (r ? "" : r.error().detail));
    }
}

BOOST_AUTO_TEST_CASE(a_secret_in_a_file_takes_the_files_place) {
    Folder folder;
    app::write_file(folder.file("key"), "MDEyMzQ1Njc4OWFiY2RlZg\n", 0600);
    const std::string document = "secret = {file = \"key\", key_id = \"k\"} # file = \"other\"\n";
    BOOST_TEST(app::verbs::with_secret_values(document, folder.file("site.toml")) ==
               "secret = {value = \"MDEyMzQ1Njc4OWFiY2RlZg\", key_id = \"k\"} # file = \"other\"\n");
    std::filesystem::permissions(folder.file("key"), std::filesystem::perms::group_read, std::filesystem::perm_options::add);
    BOOST_CHECK_EXCEPTION(app::verbs::with_secret_values(document, folder.file("site.toml")), std::runtime_error, says("can be read by others; run: chmod 600"));
}

BOOST_AUTO_TEST_SUITE_END()
