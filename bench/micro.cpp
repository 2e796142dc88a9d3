// What our own operations cost, through the project's API, beside the floor that OpenSSL sets.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "bench/micro_scep.hpp"
#include "bench/timing.hpp"
#include "ca/lint.hpp"
#include "core/base/clock.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/certificate_template.hpp"
#include "core/crypto/csr.hpp"
#include "core/crypto/jwk.hpp"
#include "core/crypto/key_quality.hpp"
#include "core/crypto/system_random.hpp"
#include "store/sqlite/open.hpp"
#include "store/tables/blocked_key.hpp"

namespace postern::bench {
namespace {
namespace asio = boost::asio;

void line(const char* what, double figure, const char* unit) { std::printf("%-58s %10.1f %s\n", what, figure, unit); }

template <class T>
void must(const core::ResultOf<T>& result) {
    if (!result) throw std::runtime_error("refused: " + result.error().detail);
}

crypto::CertificateShape leaf_shape(const crypto::PrivateKey& issuer) {
    crypto::DistinguishedName name;
    name.entries.emplace_back(crypto::DnAttribute::common_name, "Bench Issuing CA");
    crypto::CertificateShape shape;
    shape.issuer_der = name.to_der();
    shape.authority_key_id = issuer.public_key().key_identifier();
    shape.key_usage = {crypto::KeyUsageBit::digital_signature};
    shape.extended_key_usage = {"1.3.6.1.5.5.7.3.1"};
    shape.ca_issuers_url = "http://ca.example.com:8080/ca/0123456789abcdef.cer";
    shape.crl_url = "http://ca.example.com:8080/crl/0123456789abcdef/0.crl";
    return shape;
}

void measure_crypto() {
    const auto key = crypto::PrivateKey::generate(crypto::KeySpec());
    const auto algorithm = crypto::SignatureAlgorithm::ecdsa_sha256;
    // The point is the tail of a P-256 SubjectPublicKeyInfo: 32 octets of x, 32 of y.
    const core::BytesView spki(key.public_key().spki());
    const auto x = spki.subspan(spki.size() - 64, 32), y = spki.subspan(spki.size() - 32);
    line("PublicKey::from_ec_point, P-256", median_us([&] {
             must(crypto::PublicKey::from_ec_point(crypto::KeyType::ec_p256, x, y, crypto::KeyUse::account));
         }), "us");

    const std::string input(700, 'j');
    const auto signature = key.sign_jose(algorithm, core::as_bytes(input));
    const auto& held = key.public_key();
    line("PublicKey::verify_jose, ES256, 700 bytes", median_us([&] {
             if (!held.verify_jose(algorithm, core::as_bytes(input), signature))
                 throw std::runtime_error("not verified");
         }), "us");

    const auto jwk = crypto::to_jwk(held);
    line("parse_jwk with thumbprint, P-256", median_us([&] { must(crypto::parse_jwk(jwk)); }), "us");

    const std::vector<crypto::GeneralName> names(
        1, crypto::GeneralName(crypto::GeneralNameType::dns, "0123456789abcdef.bench.test"));
    const auto csr = crypto::make_csr(key, crypto::DistinguishedName(), names);
    line("Csr::parse with its proof of possession, P-256", median_us([&] { must(crypto::Csr::parse(csr)); }), "us");

    crypto::SystemRandom random;
    const crypto::CertificateTemplate shape(leaf_shape(key));
    crypto::CertificateFields fields;
    fields.serial = random.bytes(16);
    fields.serial[0] = 0x4a;
    fields.not_before = core::floor_seconds(core::SystemClock().now());
    fields.not_after = fields.not_before + std::chrono::days(90) - std::chrono::seconds(1);
    fields.subject_der = crypto::DistinguishedName().to_der();
    fields.spki = held.spki();
    fields.subject_key_id = held.key_identifier();
    fields.alt_names = names;
    line("CertificateTemplate::to_be_signed", median_us([&] { (void)shape.to_be_signed(fields); }), "us");

    const auto tbs = shape.to_be_signed(fields);
    line("PrivateKey::sign, P-256, of that content", median_us([&] { (void)key.sign(algorithm, tbs); }), "us");
    line("Random::token", median_us([&] { (void)random.token(); }), "us");
}

/// All checks run on a good key only, and a modulus of two unknown primes is as good as any.
void measure_key_quality() {
    for (const char* spec : {"rsa-2048", "rsa-4096"}) {
        const auto key = crypto::PrivateKey::generate(*crypto::KeySpec::from(spec)).public_key();
        const auto jwk = json::Document::parse(crypto::to_jwk(key)).value();
        const auto modulus = core::from_base64url(jwk.root()["n"].string().value()).value();
        const auto what = "rsa_weakness: small factors, ROCA, Fermat, " + std::string(spec);
        line(what.c_str(), median_us([&] {
                 if (crypto::rsa_weakness(modulus)) throw std::runtime_error("a good key was called weak");
             }), "us");
        const auto load = "PublicKey::from_spki with them, " + std::string(spec);
        line(load.c_str(), median_us([&] { must(crypto::PublicKey::from_spki(key.spki(), crypto::KeyUse::csr)); }), "us");
    }
}

/// All lints of one certificate, as before every signature; a large one has 100 names.
void measure_lint(const char* spec, std::size_t names) {
    const auto issuer = crypto::PrivateKey::generate(crypto::KeySpec());
    const core::TimePoint now = core::floor_seconds(core::SystemClock().now());
    auto shape = leaf_shape(issuer);
    ca::IssuerFacts facts;
    facts.subject_der = shape.issuer_der;
    facts.subject_key_id = shape.authority_key_id;
    facts.algorithm = shape.algorithm;
    facts.not_before = now - std::chrono::days(1);
    facts.not_after = now + std::chrono::days(1000);
    ca::Content content;
    content.key = crypto::PrivateKey::generate(*crypto::KeySpec::from(spec)).public_key();
    for (std::size_t i = 0; i < names; ++i)
        content.names.emplace_back(crypto::GeneralNameType::dns, "n" + std::to_string(i) + ".0123456789abcdef.bench.test");
    content.subject.entries.emplace_back(crypto::DnAttribute::common_name, content.names.front().value);
    content.not_before = now;
    content.not_after = now + std::chrono::days(90) - std::chrono::seconds(1);
    content.key_usage = shape.key_usage;
    content.extended_key_usage = shape.extended_key_usage;
    content.tls_server = true;
    crypto::CertificateFields fields;
    fields.serial = core::Bytes(16, 0x4a);
    fields.not_before = content.not_before;
    fields.not_after = content.not_after;
    fields.subject_der = content.subject.to_der();
    fields.spki = content.key.spki();
    fields.subject_key_id = content.key.key_identifier();
    fields.alt_names = content.names;
    const auto tbs = crypto::CertificateTemplate(std::move(shape)).to_be_signed(fields);
    const auto what = "lint_to_be_signed, " + std::string(spec) + ", names: " + std::to_string(names);
    line(what.c_str(), median_us([&] { must(ca::lint_to_be_signed(tbs, content, facts, now)); }), "us");
}

constexpr store::Statement make_table{
    "bench_make_table", "CREATE TABLE IF NOT EXISTS bench_row (id BIGINT PRIMARY KEY, body TEXT NOT NULL)"};
constexpr store::Statement insert_row{"bench_insert_row", "INSERT INTO bench_row (id, body) VALUES ($1, $2)"};

core::Task<void> prepare(store::Database& db) {
    store::Batch batch;
    batch.add(make_table, store::Values(), store::Expect::any);
    const auto written = co_await db.write(std::move(batch));
    if (!written) throw std::runtime_error("the table cannot be made");
}

core::Task<void> insert_many(store::Database& db, std::int64_t first, std::int64_t count) {
    const std::string body(200, 'b');
    for (std::int64_t id = first; id < first + count; ++id) {
        store::Batch batch;
        batch.add(insert_row, store::values(id, body));
        const auto written = co_await db.write(std::move(batch));
        if (!written) throw std::runtime_error("an insert was refused");
    }
}

/// Runs the tasks side by side on one thread; seconds they took.
double run_all(std::vector<core::Task<void>> tasks) {
    asio::io_context context(1);
    std::exception_ptr fault;
    for (auto& task : tasks)
        asio::co_spawn(context, std::move(task), [&fault](std::exception_ptr e) {
            if (e) fault = e;
        });
    const auto begin = std::chrono::steady_clock::now();
    context.run();
    if (fault) std::rethrow_exception(fault);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

core::Task<void> block_many(store::Database& db, std::int64_t count) {
    for (std::int64_t done = 0; done < count;) {
        store::Batch batch;
        for (int i = 0; i < 4000; ++i) {
            store::BlockedKeyRow row;
            const auto digest = crypto::sha256(std::to_string(++done));
            row.digest.assign(digest.begin(), digest.begin() + 10);
            row.reason = "Debian weak key";
            row.source = "bench";
            row.audit = 1;
            batch.add(store::blocked_key_insert, row.insert_values(), store::Expect::any);
        }
        const auto written = co_await db.write(std::move(batch));
        if (!written) throw std::runtime_error("keys were not blocked");
    }
}

core::Task<void> look_up(store::Database& db, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        const core::Bytes spki(32, static_cast<std::uint8_t>(i)), number(15, static_cast<std::uint8_t>(i));
        auto keys = store::values(spki, number, nullptr, spki, number, nullptr);
        const auto rows = co_await db.read(store::blocked_key_find, std::move(keys));
        if (!rows.empty()) throw std::runtime_error("a key that nobody blocked was found");
    }
}

void measure_blocklist(store::Database& db) {
    constexpr std::int64_t keys = 200'000, reads = 20'000;
    std::vector<core::Task<void>> tasks;
    tasks.push_back(block_many(db, keys));
    const double filled = run_all(std::move(tasks));
    line("Blocklist: keys blocked, in batches of 4000", static_cast<double>(keys) / filled, "keys/s");
    std::vector<core::Task<void>> looks;
    looks.push_back(look_up(db, reads));
    line("Blocklist of 200 000: one look-up", run_all(std::move(looks)) / static_cast<double>(reads) * 1e6, "us");
}

void measure_store(const std::filesystem::path& folder) {
    const core::SystemClock clock;
    observe::Metrics metrics;
    const auto db = store::open_sqlite((folder / "micro.db").string(), clock, metrics);
    std::vector<core::Task<void>> first;
    first.push_back(prepare(*db));
    run_all(std::move(first));
    std::int64_t next = 1;
    for (const std::int64_t requesters : {1, 16, 64}) {
        constexpr std::int64_t each = 500;
        std::vector<core::Task<void>> tasks;
        for (std::int64_t i = 0; i < requesters; ++i, next += each) tasks.push_back(insert_many(*db, next, each));
        const double seconds = run_all(std::move(tasks));
        const auto what = "SQLite, durable one-row batches, requesters: " + std::to_string(requesters);
        line(what.c_str(), static_cast<double>(requesters * each) / seconds, "batches/s");
    }
    measure_blocklist(*db);
    db->close();
}

class TemporaryFolder {
public:
    explicit TemporaryFolder(const std::string& parent) {
        std::string pattern = parent + "/postern-micro-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a folder in " + parent);
        path_ = pattern;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) {
    if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
        std::fprintf(stderr, "usage: micro [FOLDER]  (the database is made below FOLDER, else below /var/tmp)\n");
        return 2;
    }
    try {
        postern::bench::measure_crypto();
        postern::bench::measure_key_quality();
        postern::bench::measure_lint("ec-p256", 1);
        postern::bench::measure_lint("rsa-4096", 1);
        postern::bench::measure_lint("ec-p256", 100);
        postern::bench::measure_scep();
        const postern::bench::TemporaryFolder folder(argc == 2 ? argv[1] : "/var/tmp");
        postern::bench::measure_store(folder.path());
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "micro: %s\n", e.what());
        return 1;
    }
}
