#pragma once
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "ca/content_json.hpp"
#include "core/async/deadline.hpp"
#include "ra/poller.hpp"
#include "ra/requests.hpp"
#include "store/postgres/open.hpp"
#include "store/tables/submission.hpp"
#include "tests/support/postgres.hpp"
#include "tests/unit/ra/world.hpp"

/// A registration authority before a CA that is not ours, on either engine.
namespace postern::test {

/// Both stores; each case runs on both.
inline auto engines() { return boost::unit_test::data::make({"sqlite", "postgres"}); }

/// What makes the world's store.
inline World::MakeStore store_of(const std::string& engine) {
    if (engine == "sqlite") return {};
    return [schema = std::make_shared<Schema>()](World& world) {
        store::PostgresSettings settings;
        settings.url = schema->url();
        settings.connections = 2;
        return store::open_postgres(settings, world.clock, world.metrics);
    };
}

/// Says what it is told to; what it signs is real.
class ForeignCa final : public ca::Backend {
public:
    using Says = std::variant<ca::Outcome, core::Problem>;
    [[nodiscard]] ca::Capabilities capabilities() const noexcept override {
        ca::Capabilities out;
        out.revoke = takes_revocations;
        return out;
    }
    core::Task<core::Result<void>> revoke(core::Bytes, core::RequestId, unsigned reason) override {
        reasons.push_back(reason);
        const auto first = std::exchange(before_revoked, nullptr);
        if (first) co_await first();
        if (!takes_revocations) co_return core::Problem(core::ProblemKind::unsupported, "it takes none from here");
        co_return at_revoke;
    }
    core::Result<ca::Prepared> prepare(const ca::Authorized& authorized) override {
        ca::Prepared out;
        const auto text = ca::to_json(authorized.content());
        out.tbs = core::to_bytes(core::as_bytes(text));
        return out;
    }
    core::Task<core::Result<ca::Outcome>> issue(const ca::Authorized& authorized, const ca::Prepared&, core::Deadline) override {
        ++submitted[authorized.request().get()];
        core::Bytes serial(16, 0x44);
        serial[15] = static_cast<std::uint8_t>(submitted.size());
        certificate = sign(authorized.content(), std::move(serial));
        const auto first = std::exchange(before_answer, nullptr);
        if (first) co_await first();
        co_return said(at_issue);
    }
    core::Task<core::Result<ca::Outcome>> poll(ca::Submitted s) override {
        ++polled;
        handle = s.handle;
        co_return said(at_poll);
    }
    core::Task<core::Result<ca::Outcome>> find(ca::Submitted) override {
        ++looked_up;
        co_return said(at_find);
    }
    [[nodiscard]] core::Result<ca::Checked> check(const ca::Issued&, const ca::Content& content, const ca::Prepared&) const override {
        auto leaf = ca::check_issued(certificate, content, {}, nullptr);
        if (!leaf) return leaf.error();
        ca::Checked out;
        out.certificate = std::move(*leaf);
        out.issuer_key_id = "foreign";
        out.chain = "CHAIN";
        return out;
    }
    [[nodiscard]] std::optional<ca::Foreign> foreign() const override { return times; }
    void record_revocation(store::Batch&, const ca::Revoked&) override {}
    core::Task<core::Result<void>> publish_revocations(core::Deadline) override { co_return core::Result<void>(); }
    [[nodiscard]] std::vector<core::Bytes> chain(const std::string&) const override { return {}; }
    [[nodiscard]] core::TimePoint latest_not_after() const override { return {}; }

    static ca::Outcome pending(std::string handle) {
        ca::Pending out;
        out.handle = std::move(handle);
        out.poll_after = 60s;
        return out;
    }
    Says at_issue = ca::Outcome(ca::Issued()), at_poll = ca::Outcome(ca::Issued()), at_find = ca::Outcome(ca::Issued());
    core::Result<void> at_revoke;
    std::vector<unsigned> reasons;  ///< that it was asked to revoke for
    bool takes_revocations = true;
    std::function<core::Task<void>()> before_answer, before_revoked;
    std::map<std::string, int> submitted;
    int polled = 0, looked_up = 0;
    std::string handle;
    core::Bytes certificate;
    ca::Foreign times = usual();

private:
    static ca::Foreign usual() {
        ca::Foreign out;
        out.submission = 60s;
        out.pending_limit = 1h;
        out.poll = out.find = true;
        return out;
    }
    static core::Result<ca::Outcome> said(const Says& what) {
        if (const auto* problem = std::get_if<core::Problem>(&what)) return *problem;
        return std::get<ca::Outcome>(what);
    }
    core::Bytes sign(const ca::Content& c, core::Bytes serial) const {
        crypto::CertificateShape shape;
        shape.algorithm = key_.default_algorithm();
        shape.issuer_der = c.subject.to_der();
        shape.authority_key_id = key_.public_key().key_identifier();
        shape.key_usage = c.key_usage;
        shape.extended_key_usage = c.extended_key_usage;
        crypto::CertificateFields fields;
        fields.serial = std::move(serial);
        fields.not_before = c.not_before;
        fields.not_after = c.not_after;
        fields.subject_der = c.subject.to_der();
        fields.spki = c.key.spki();
        fields.subject_key_id = c.key.key_identifier();
        fields.alt_names = c.names;
        const auto tbs = crypto::CertificateTemplate(shape).to_be_signed(fields);
        return crypto::assemble_signed(tbs, shape.algorithm, key_.sign(shape.algorithm, tbs));
    }
    crypto::PrivateKey key_ = crypto::PrivateKey::generate(crypto::KeySpec());
};

inline constexpr store::Statement move_certificates{"test_certificate_backend", "UPDATE certificate SET backend = $1"};
inline constexpr store::Statement move_certificate{"test_one_certificate_backend", "UPDATE certificate SET backend = $2 WHERE id = $1"};
inline constexpr store::Statement rename_backend{"test_submission_backend", "UPDATE submission SET backend = $1"};

struct Elsewhere : World {
    explicit Elsewhere(const std::string& engine) : World(false, store_of(engine)) {
        backends.add("elsewhere", foreign);
        std::string documents_text(standard_documents);
        documents_text.replace(documents_text.find("\"scripted\""), 10, "\"elsewhere\"");
        apply(documents_text).value();
    }
    std::unique_ptr<ra::Poller> poller_of(ra::Enrollment& of, std::string node) {
        const ra::Poller::Deps deps{db, of, asking, tasks, clock, log, metrics, std::move(node), lives};
        return std::make_unique<ra::Poller>(deps);
    }
    std::size_t round() { return run(poller->round()); }
    std::string state() {
        const auto rows = read(store::request_page, store::values(0, 10, nullptr, false));
        return rows.empty() ? "" : rows.front().text(6);
    }
    std::string status() { return enrollments().at(0).status; }
    bool alarmed(std::string_view which) {
        return contains(metrics.scrape(), "postern_alarms_total{alarm=\"" + std::string(which) + "\"} 1");
    }
    ra::PendingEnrollment wait(const std::vector<std::string>& names = {"corp.example"}) {
        return std::get<ra::PendingEnrollment>(submit(request(names)).value());
    }
    core::Result<void> revoke(std::int64_t reason, std::string who = "officer") {
        return run(asking.revoke(certificates().at(0), reason, ra::Actor("principal", std::move(who)), core::RequestId("revokerequest000"), core::deadline_in(10s)));
    }
    core::Task<void> block() {
        ra::BlockedKeys::Order order;
        const auto digest = leaf_key.public_key().spki_sha256();
        order.digests.emplace_back(digest.begin(), digest.end());
        order.reason = "stolen";
        order.source = "test";
        order.expected = 1;
        const auto by = administrator();
        const core::RequestId request("blockrequest0000");
        const auto blocked = co_await blocked_keys.block(std::move(order), by, request);
        BOOST_TEST(blocked.has_value());
    }
    core::Result<void> resolve_issued() {
        ra::Resolution resolution;
        resolution.certificate = "PEM";
        resolution.why = "it stands in the CA's list";
        return run(enrollment.resolve(enrollments().at(0).id, resolution, administrator(), core::RequestId("resolverequest00")));
    }
    std::optional<store::RevocationRequestRow> wish() {
        const auto rows = read(store::revocation_request_of, store::values(certificates().at(0).id));
        return rows.empty() ? std::nullopt : std::optional(store::RevocationRequestRow::from(rows.front()));
    }
    bool key_blocked() { return run(blocked_keys.find(leaf_key.public_key())).has_value(); }
    ForeignCa foreign;
    observe::Counter unpublished = metrics.counter("postern_alarms_total", "", {{"alarm", "revocation_unpublished"}});
    observe::Counter unasked = metrics.counter("postern_alarms_total", "", {{"alarm", "revocation_unasked"}});
    ra::Revocation asking{ra::Revocation::Deps{db, numbers, backends, clock, &tasks, &log, &unpublished, &unasked}};
    std::unique_ptr<ra::Poller> poller = poller_of(enrollment, "node-1");
};

}  // namespace postern::test
