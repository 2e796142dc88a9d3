#pragma once
#include <stdlib.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "ca/lint.hpp"
#include "core/async/shards.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/system_random.hpp"
#include "ra/approvals.hpp"
#include "ra/blocked_keys.hpp"
#include "ra/documents.hpp"
#include "ra/enrollment.hpp"
#include "ra/explanation.hpp"
#include "ra/one_time_challenges.hpp"
#include "ra/principals.hpp"
#include "ra/parked_messages.hpp"
#include "ra/profile_pauses.hpp"
#include "ra/reports.hpp"
#include "ra/revocation.hpp"
#include "ra/sweeper.hpp"
#include "store/sqlite/open.hpp"
#include "store/tables/clock.hpp"
#include "store/tables/authority.hpp"
#include "store/tables/certificate.hpp"
#include "store/tables/enrollment.hpp"
#include "store/tables/objects.hpp"
#include "tests/support/folder.hpp"

namespace postern::test {

using namespace std::chrono_literals;

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Kind, check and part of the text of a refusal, each told apart when it differs.
inline void check_problem(const core::Problem& problem, core::ProblemKind kind, std::string_view check, std::string_view part) {
    BOOST_TEST(core::to_string(problem.kind) == core::to_string(kind));
    BOOST_TEST(problem.check == check);
    BOOST_TEST(contains(problem.detail, part), "expected \"" << part << "\" in: " << problem.detail);
}
template <class T>
void check_refused(const core::ResultOf<T>& result, core::ProblemKind kind, std::string_view part) {
    BOOST_TEST_REQUIRE(!result.has_value());
    check_problem(result.error(), kind, result.error().check, part);
}

/// Lets a test do something at the very moment before a batch with that statement is written.
/// Or lets the store be away for those batches, or have a clock of its own.
class HookedDatabase final : public store::Database {
public:
    explicit HookedDatabase(std::unique_ptr<store::Database> inner) : inner_(std::move(inner)) {}
    core::Task<store::Rows> read(const store::Statement& statement, store::Values parameters) override {
        if (&statement == &store::store_clock && database_clock) return said(core::to_ms(database_clock()));
        return inner_->read(statement, std::move(parameters));
    }
    core::Task<store::Written> write(store::Batch batch) override {
        for (const auto& step : batch.steps()) {
            if (step.statement == away_at) throw store::StoreUnavailable("the store is away");
            if (step.statement != hook_at || !hook) continue;
            const auto once = std::exchange(hook, nullptr);
            co_await once();
            break;
        }
        auto written = co_await inner_->write(std::move(batch));
        co_return written;
    }
    void close() override { inner_->close(); }
    [[nodiscard]] std::string trouble() const override { return inner_->trouble(); }
    [[nodiscard]] std::string_view engine() const noexcept override { return inner_->engine(); }

    const store::Statement* hook_at = nullptr;
    const store::Statement* away_at = nullptr;
    std::function<core::Task<void>()> hook;
    std::function<core::TimePoint()> database_clock;  ///< a database server's own

private:
    static core::Task<store::Rows> said(std::int64_t ms) {
        store::Rows rows;
        rows.emplace_back(store::values(ms));
        co_return rows;
    }
    std::unique_ptr<store::Database> inner_;
};

/// A CA that answers as it is told; what it signs is real.
class ScriptedCa final : public ca::Backend {
public:
    enum class Mode { ok, refuse, wrong_template, unavailable, internal, other_content, garbage, pending, crash };
    explicit ScriptedCa(core::Random& random) : random_(random) {}

    [[nodiscard]] ca::Capabilities capabilities() const noexcept override {
        ca::Capabilities out;
        out.revoke = can_revoke;
        return out;
    }
    core::Result<ca::Prepared> prepare(const ca::Authorized& authorized) override {
        if (mode == Mode::refuse) return core::Problem(core::ProblemKind::bad_content, "lint.validity: too long", "lint.validity");
        if (mode == Mode::wrong_template) return core::Problem(core::ProblemKind::internal, "lint.subject_html: it has an entity", "lint.subject_html");
        ca::Prepared out;
        out.issuer_key_id = "0badcafe";
        if (draws_serials) {
            out.serial = random_.bytes(16);
            out.serial[0] = 0x11;
        }
        content = authorized.content();
        out.tbs = to_be_signed(authorized.content(), out.serial);
        prepared.push_back(out.serial);
        return out;
    }
    core::Task<core::Result<ca::Outcome>> issue(const ca::Authorized& authorized, const ca::Prepared& p, core::Deadline) override {
        using enum core::ProblemKind;
        ++asked;
        ca::Issued issued;
        issued.issuer_key_id = p.issuer_key_id;
        switch (mode) {
            case Mode::ok: issued.certificate = sign(p.tbs); break;
            case Mode::unavailable: co_return core::Problem(unavailable, "the signer is away");
            case Mode::internal: co_return core::Problem(internal, "the signer broke off");
            case Mode::other_content: issued.certificate = sign(to_be_signed(authorized.content(), core::Bytes(16, 0x22))); break;
            case Mode::garbage: issued.certificate = core::Bytes(10, 0x30); break;
            case Mode::pending: co_return ca::Outcome(ca::Pending());
            case Mode::crash: throw std::runtime_error("the process ends here");
            case Mode::wrong_template:
            case Mode::refuse: throw std::logic_error("issue without prepare");
        }
        co_return ca::Outcome(std::move(issued));
    }
    [[nodiscard]] core::Result<ca::Checked> check(const ca::Issued& issued, const ca::Content& authorised, const ca::Prepared& p) const override {
        auto leaf = ca::check_issued(issued.certificate, authorised, p.tbs, nullptr);
        if (!leaf) return leaf.error();
        ca::Checked out;
        out.certificate = std::move(*leaf);
        out.issuer_key_id = issued.issuer_key_id;
        return out;
    }
    void record_revocation(store::Batch& batch, const ca::Revoked& r) override {
        batch.add(store::revocation_insert, store::values(r.issuer_key_id, r.serial, 0, r.at, static_cast<std::int64_t>(r.reason), r.not_after),
                  store::Expect::any);
    }
    core::Task<core::Result<void>> publish_revocations(core::Deadline) override {
        ++published;
        co_return core::Result<void>();
    }
    [[nodiscard]] std::vector<core::Bytes> chain(const std::string&) const override { return {}; }
    [[nodiscard]] core::TimePoint latest_not_after() const override { return core::from_ms(4'000'000'000'000); }

    Mode mode = Mode::ok;
    bool can_revoke = true, draws_serials = true;
    int asked = 0, published = 0;
    std::vector<core::Bytes> prepared;  ///< serials, in order
    ca::Content content;                ///< of the last one prepared

private:
    core::Bytes to_be_signed(const ca::Content& c, core::Bytes serial) const {
        crypto::CertificateShape shape;
        shape.algorithm = key_.default_algorithm();
        crypto::DistinguishedName issuer;
        issuer.entries.emplace_back(crypto::DnAttribute::common_name, "Scripted CA");
        shape.issuer_der = issuer.to_der();
        shape.authority_key_id = key_.public_key().key_identifier();
        shape.key_usage = c.key_usage;
        shape.extended_key_usage = c.extended_key_usage;
        crypto::CertificateFields fields;
        fields.serial = serial.empty() ? core::Bytes(16, 0x33) : std::move(serial);
        fields.not_before = c.not_before;
        fields.not_after = c.not_after;
        fields.subject_der = c.subject.to_der();
        fields.spki = c.key.spki();
        fields.subject_key_id = c.key.key_identifier();
        fields.alt_names = c.names;
        return crypto::CertificateTemplate(shape).to_be_signed(fields);
    }
    core::Bytes sign(const core::Bytes& tbs) const {
        const auto algorithm = key_.default_algorithm();
        return crypto::assemble_signed(tbs, algorithm, key_.sign(algorithm, tbs));
    }
    core::Random& random_;
    crypto::PrivateKey key_ = crypto::PrivateKey::generate(crypto::KeySpec());
};

inline constexpr std::string_view standard_documents = R"([[tenant]]
name = "default"

[[organization]]
name = "acme"
legal_name = "Acme Corporation"
country = "DE"

[[department]]
name = "it"
organization = "acme"

[[domain]]
name = "corp.example"
organization = "acme"

[[profile]]
name = "server"
lifetime = "30d"
longest_lifetime = "60d"
backend = "scripted"
subject = ["CN", "O", "OU", "C"]

[[endpoint]]
name = "web"
protocol = "acme"
profiles = ["server"]

[[account]]
name = "team"
endpoint = "web"
organization = "acme"
department = "it"
method = "eab"
names = ["corp.example", ".corp.example"]
secret = {generate = true}
)";

inline ra::Principal administrator() { return ra::Principals::from_peer(0).value(); }
inline ra::Principal tenant_administrator(core::TenantId tenant) {
    auto p = administrator();
    p.name = "scoped";
    p.tenant = tenant;
    p.actor = ra::Actor("principal", "scoped");
    return p;
}

/// Action, outcome, check, detail, object kind, object id, actor kind, actor, request of every audit row.
inline constexpr store::Statement audit_rows{
    "test_audit_rows", "SELECT action, outcome, check_name, detail, object_kind, object_id, actor_kind, actor, request_id, tenant_id FROM audit ORDER BY id"};
inline constexpr store::Statement enrollment_rows{"test_enrollment_rows", "SELECT " POSTERN_ENROLLMENT_COLUMNS " FROM enrollment ORDER BY id"};
inline constexpr store::Statement certificate_rows{"test_certificate_rows", "SELECT " POSTERN_CERTIFICATE_COLUMNS " FROM certificate ORDER BY id"};
inline constexpr store::Statement revocation_rows{"test_revocation_rows", "SELECT serial, reason FROM revocation ORDER BY serial"};

/// Keeps what it was asked to send.
class CountingSender final : public ra::Sender {
public:
    core::Task<core::Result<void>> send(ra::Message message, core::Deadline) override {
        sent.push_back(std::move(message));
        if (!refusal.empty()) co_return core::Problem(core::ProblemKind::unavailable, refusal);
        co_return core::Result<void>();
    }
    std::vector<ra::Message> sent;
    std::string refusal;
};

/// The registration authority on a real store, with a scripted CA behind it.
class World {
public:
    /// Makes its store once clock and metrics are there; kept as long as that.
    using MakeStore = std::function<std::unique_ptr<store::Database>(World&)>;
    explicit World(bool with_sender = false, MakeStore make = {}) : announced(with_sender), make_store(std::move(make)) {
        backends.add("scripted", ca);
        backends.add("builtin", ca);
        run(catalog.refresh());
    }
    ~World() { db.close(); }

    template <class T>
    T run(core::Task<T> task) { return core::run_to_end(std::move(task)); }

    store::Rows read(const store::Statement& s, store::Values v = {}) { return run(db.read(s, std::move(v))); }
    void execute(const store::Statement& s, store::Values v = {}) {
        store::Batch batch;
        batch.add(s, std::move(v), store::Expect::any);
        run(db.write(std::move(batch))).value();
    }
    core::Result<ra::ApplyReport> apply(std::string_view text, ra::ApplyOptions options = {}, ra::Principal by = administrator()) {
        std::vector<ra::DocumentText> texts;
        texts.emplace_back("site.toml", std::string(text));
        return run(documents.apply(std::move(texts), options, std::move(by), core::RequestId("applyrequest0000")));
    }
    /// Applies what every test may count on; the generated secret.
    ra::GeneratedSecret apply_standard() {
        auto report = apply(standard_documents).value();
        return std::move(report.secrets.at(0));
    }
    /// Another one on the same store is another node's.
    ra::Enrollment::Deps enrollment_deps() { return enrollment_deps(lives); }
    ra::Enrollment::Deps enrollment_deps(const store::Lives& of) {
        return {db, numbers, catalog, backends, random, clock, log, metrics, gate, clock_agreement, outbox, of, stranger_refusals};
    }
    ra::Sweeper::Deps sweeper_deps(ra::Enrollment& of, std::string node, store::Lives& among) {
        return {db, of, backends, tasks, clock, log, metrics, std::move(node), among};
    }
    ra::Approvals::Deps approvals_deps(ra::Enrollment& of, std::string node) {
        return {db, numbers, of, tasks, clock, clock_agreement, outbox, log, metrics, std::move(node)};
    }
    [[nodiscard]] core::TenantId tenant() const { return catalog.current()->tenant("default")->id; }
    core::AccountId account(std::string_view name = "team") {
        for (const auto& row : read(store::account_all, store::values(0)))
            if (row.text(2) == name) return row.id<core::AccountId>(0);
        throw std::runtime_error("no account " + std::string(name));
    }
    /// As ACME's finalize asks for these names.
    ra::EnrollmentRequest request(const std::vector<std::string>& names, std::string attempt = "order-1") {
        ra::EnrollmentRequest r;
        r.id = random.request_id();
        r.endpoint = catalog.current()->endpoint(ra::Protocol::acme, "web")->id;
        r.account = account();
        r.requester = "client";
        r.attempt = std::move(attempt);
        r.deadline = core::deadline_in(30s);
        std::vector<crypto::GeneralName> wanted;
        r.evidence.push_back(ra::Evidence::of(ra::Evidence::Kind::account_key, "thumbprint", clock.now()));
        for (const auto& name : names) {
            wanted.emplace_back(crypto::GeneralNameType::dns, name);
            r.evidence.push_back(ra::Evidence::validated("dns", name, "http-01", clock.now(), clock.now() + 24h));
        }
        r.csr = crypto::Csr::parse(crypto::make_csr(leaf_key, {}, wanted)).value();
        r.agreed_names = std::move(wanted);
        return r;
    }
    core::Result<ra::EnrollmentOutcome> submit(ra::EnrollmentRequest r) { return run(enrollment.submit(std::move(r))); }
    ra::IssuedCertificate issue(const std::vector<std::string>& names, std::string attempt = "order-1") {
        return std::get<ra::IssuedCertificate>(submit(request(names, std::move(attempt))).value());
    }
    std::vector<store::EnrollmentRow> enrollments() {
        std::vector<store::EnrollmentRow> out;
        for (const auto& row : read(enrollment_rows)) out.push_back(store::EnrollmentRow::from(row));
        return out;
    }
    std::vector<store::CertificateRow> certificates() {
        std::vector<store::CertificateRow> out;
        for (const auto& row : read(certificate_rows)) out.push_back(store::CertificateRow::from(row));
        return out;
    }
    /// Audit rows of that action.
    store::Rows audits(std::string_view action) {
        store::Rows out;
        for (auto& row : read(audit_rows))
            if (row.text(0) == action) out.push_back(std::move(row));
        return out;
    }

    const bool announced;
    const MakeStore make_store;
    Folder folder;
    core::FakeClock clock{core::from_ms(1'800'000'000'000)};
    crypto::SystemRandom random;
    observe::Metrics metrics;
    observe::Log log{observe::Level::error, folder.file("log"), true};
    HookedDatabase db{make_store ? make_store(*this) : store::open_sqlite(folder.file("postern.db"), clock, metrics)};
    store::Numbers numbers{db};
    crypto::Sealer sealer{core::SecretBytes(core::Bytes(32, 7)), random};
    ra::CatalogSource catalog{db, log};
    ScriptedCa ca{random};
    ca::Backends backends;
    ra::Documents documents{ra::Documents::Deps{db, numbers, catalog, backends, sealer, random, clock}};
    ra::Principals principals{ra::Principals::Deps{db, numbers, sealer, random, clock}};
    core::TaskGroup tasks{[this](std::string_view what) { faults.emplace_back(what); }};
    std::vector<std::string> faults;
    std::shared_ptr<CountingSender> sender = std::make_shared<CountingSender>();
    ra::Outbox outbox{ra::Outbox::Deps{db, clock, log, metrics, tasks, "node-1"}, senders()};
    ra::IssuingGate gate;
    ra::ClockAgreement clock_agreement{ra::ClockAgreement::Deps{db, numbers, clock, log, metrics}};
    store::OnlyNode lives{random}, earlier{random};  ///< of this process; and of one that ended
    ra::Refusals stranger_refusals{ra::Refusals::Deps{db, numbers, clock, log, metrics}};
    ra::Enrollment enrollment{enrollment_deps()};
    ra::Sweeper sweeper{sweeper_deps(enrollment, "node-1", lives)};
    ra::Approvals approvals{approvals_deps(enrollment, "node-1")};
    ra::Revocation revocation{ra::Revocation::Deps{db, numbers, backends, clock}};
    ra::BlockedKeys blocked_keys{ra::BlockedKeys::Deps{db, numbers, clock}};
    ra::ParkedMessages parked_messages{ra::ParkedMessages::Deps{db, numbers, clock}};
    ra::OneTimeChallenges challenges{ra::OneTimeChallenges::Deps{db, numbers, catalog, backends, sealer, random, clock}};
    ra::ProfilePauses profile_pauses{ra::ProfilePauses::Deps{db, numbers, catalog, clock}};
    crypto::PrivateKey leaf_key = crypto::PrivateKey::generate(crypto::KeySpec());

private:
    [[nodiscard]] ra::Senders senders() const {
        ra::Senders out;
        if (announced)
            for (const auto* kind : {"certificate.issued", "request.awaiting_approval", "request.approved", "request.declined", "request.lapsed"}) out.add(kind, sender);
        return out;
    }
};

}  // namespace postern::test
