#include "ca/content_json.hpp"
#include "core/async/deadline.hpp"
#include "ra/poller.hpp"
#include "ra/requests.hpp"
#include "store/tables/submission.hpp"
#include "tests/unit/ra/world.hpp"

/// A CA that is not ours, as the registration authority sees it: what is recorded, by whom, and that it is asked once.
BOOST_AUTO_TEST_SUITE(foreign)

using namespace postern;
using namespace postern::test;

namespace {

/// Says what it is told to; what it signs is real.
class ForeignCa final : public ca::Backend {
public:
    using Says = std::variant<ca::Outcome, core::Problem>;
    [[nodiscard]] ca::Capabilities capabilities() const noexcept override {
        ca::Capabilities out;
        out.revoke = true;
        return out;
    }
    core::Task<core::Result<void>> revoke(core::Bytes, core::RequestId, unsigned reason) override {
        reasons.push_back(reason);
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
    std::function<core::Task<void>()> before_answer;
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

constexpr store::Statement rename_backend{"test_submission_backend", "UPDATE submission SET backend = $1"};

struct Elsewhere : World {
    Elsewhere() {
        backends.add("elsewhere", foreign);
        std::string documents_text(standard_documents);
        documents_text.replace(documents_text.find("\"scripted\""), 10, "\"elsewhere\"");
        apply(documents_text).value();
    }
    std::unique_ptr<ra::Poller> poller_of(ra::Enrollment& of, std::string node) {
        const ra::Poller::Deps deps{db, of, revocation, tasks, clock, log, metrics, std::move(node)};
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
    bool key_blocked() { return run(blocked_keys.find(leaf_key.public_key())).has_value(); }
    ForeignCa foreign;
    ra::Revocation asking{ra::Revocation::Deps{db, numbers, backends, clock, &tasks, &log}};
    std::unique_ptr<ra::Poller> poller = poller_of(enrollment, "node-1");
};

}  // namespace

BOOST_AUTO_TEST_CASE(an_answer_at_once_leaves_no_submission) {
    Elsewhere w;
    const auto issued = w.issue({"corp.example"});
    BOOST_TEST(issued.issuer_key_id == "foreign");
    BOOST_TEST((w.status() == "issued" && w.state().empty()));
    BOOST_TEST(w.run(ra::chain_of(w.db, w.backends, "foreign")) == "CHAIN");
}

BOOST_AUTO_TEST_CASE(pending_is_polled_when_it_is_due_until_it_is_decided) {
    Elsewhere w;
    w.foreign.at_issue = ForeignCa::pending("h-1");
    w.foreign.at_poll = ForeignCa::pending("h-2");
    BOOST_TEST((w.wait().retry_after == 60s));
    BOOST_TEST((w.status() == "submitted" && w.state() == "pending"));
    BOOST_TEST(w.round() == 0U);
    w.clock.advance(61s);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST(w.foreign.handle == "h-1");
    BOOST_TEST(w.round() == 0U);
    w.clock.advance(61s);
    w.foreign.at_poll = core::Problem(core::ProblemKind::unavailable, "away");
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.foreign.handle == "h-2" && w.state() == "pending"));
    w.clock.advance(10min);
    w.foreign.at_poll = ca::Outcome(ca::Issued());
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.status() == "issued" && w.state().empty()));
    BOOST_TEST(w.audits("enrollment.pending").size() == 1U);  // not one a poll
    BOOST_TEST(w.audits("enrollment.issued").size() == 1U);
    BOOST_TEST(w.foreign.submitted.begin()->second == 1);
}

BOOST_AUTO_TEST_CASE(of_two_nodes_one_polls) {
    Elsewhere w;
    w.foreign.at_issue = w.foreign.at_poll = ForeignCa::pending("h");
    w.wait();
    ra::Enrollment second(w.enrollment_deps());
    const auto other = w.poller_of(second, "node-2");
    w.clock.advance(61s);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST(w.run(other->round()) == 0U);
    // Nor when the lease was lost on the way: a row that was read is taken by one.
    w.clock.advance(61s);
    const auto row = store::SubmissionRow::from(w.read(store::submission_due, store::values(w.clock.now(), 10)).at(0));
    BOOST_TEST(w.run(w.enrollment.ask(row)));
    BOOST_TEST(!w.run(second.ask(row)));
    BOOST_TEST(w.foreign.polled == 2);
}

BOOST_AUTO_TEST_CASE(pending_for_ever_ends_with_an_officer) {
    Elsewhere w;
    w.foreign.at_issue = w.foreign.at_poll = ForeignCa::pending("h");
    w.wait();
    w.clock.advance(61min);
    w.round();
    BOOST_TEST((w.status() == "unknown" && w.state() == "held"));
    BOOST_TEST(w.alarmed("unknown"));
    BOOST_TEST(contains(w.enrollments().at(0).problem.value(), "pending_limit"));
    w.clock.advance(24h);
    BOOST_TEST(w.round() == 0U);
    BOOST_TEST(contains(w.metrics.scrape(), "postern_requests_held 1"));
    // The attempt stays bound: the client's repeat is told, and nothing is handed over.
    BOOST_TEST((w.wait().retry_after == 1h));
    BOOST_TEST(w.foreign.submitted.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_backend_that_is_gone_leaves_its_requests_to_an_officer) {
    Elsewhere w;
    w.foreign.at_issue = ForeignCa::pending("h");
    w.wait();
    w.execute(rename_backend, store::values("default/removed"));
    w.clock.advance(24h * 6);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.status() == "submitted" && w.state() == "pending"));
    w.clock.advance(24h * 2);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.status() == "unknown" && w.state() == "held"));
    BOOST_TEST(contains(w.enrollments().at(0).problem.value(), "nobody can be asked: backend default/removed is not described now"));
    BOOST_TEST((w.alarmed("unknown") && w.foreign.polled == 0));
    w.clock.advance(24h);
    BOOST_TEST(w.round() == 0U);
}

BOOST_AUTO_TEST_CASE(a_disabled_backends_own_limit_counts) {
    Elsewhere w;
    w.foreign.at_issue = ForeignCa::pending("h");
    w.wait();
    w.execute(store::backend_insert, store::values(99, w.tenant(), "lab", "disabled", 1, R"({"kind":"command","argv":["/bin/true"],"trust_anchors":"x","pending_limit":"2h"})", w.clock.now(), w.clock.now(), "test"));
    w.apply("[[department]]\nname = \"next\"\norganization = \"acme\"\n").value();  // any change has the catalog read anew
    w.execute(rename_backend, store::values("default/lab"));
    w.clock.advance(1h);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST(w.status() == "submitted");
    w.clock.advance(61min);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.status() == "unknown" && w.state() == "held"));
}

BOOST_AUTO_TEST_CASE(a_key_that_was_blocked_meanwhile_is_not_delivered) {
    Elsewhere w;
    w.foreign.at_issue = ForeignCa::pending("h");
    w.wait();
    w.run(w.block());
    w.clock.advance(61s);
    w.round();
    BOOST_TEST((w.status() == "quarantined" && w.state() == "held" && w.certificates().empty()));
    BOOST_TEST(contains(w.enrollments().at(0).problem.value(), "key.blocked"));
    // Nor does an officer deliver it: the certificate is what was authorised, its key is not any more.
    check_refused(w.resolve_issued(), core::ProblemKind::conflict, "the key is blocked (stolen)");
    BOOST_TEST((w.status() == "quarantined" && w.state() == "held" && w.certificates().empty()));
}

BOOST_AUTO_TEST_CASE(a_key_that_is_blocked_at_the_last_moment_is_not_delivered) {
    Elsewhere w;
    w.db.hook_at = &store::submission_delete;
    w.db.hook = [&w] { return w.block(); };
    BOOST_TEST(!w.submit(w.request({"corp.example"})).has_value());
    BOOST_TEST((w.status() == "quarantined" && w.state() == "held" && w.certificates().empty()));
    BOOST_TEST(contains(w.enrollments().at(0).problem.value(), "key.blocked"));
    BOOST_TEST(w.alarmed("quarantined"));
}

BOOST_AUTO_TEST_CASE(a_key_that_is_blocked_while_an_officer_resolves_is_not_delivered) {
    Elsewhere w;
    w.foreign.times.find = false;
    w.foreign.at_issue = ca::Outcome(ca::Lost("no answer"));
    w.wait();
    w.db.hook_at = &store::submission_delete;
    w.db.hook = [&w] { return w.block(); };
    check_refused(w.resolve_issued(), core::ProblemKind::conflict, "blocked a moment ago");
    BOOST_TEST((w.status() == "unknown" && w.state() == "held" && w.certificates().empty()));
}

BOOST_AUTO_TEST_CASE(a_compromised_key_is_blocked_though_the_ca_refuses) {
    Elsewhere w;
    w.issue({"corp.example"});
    w.foreign.at_revoke = core::Problem(core::ProblemKind::forbidden, "not on a Sunday");
    check_refused(w.revoke(ra::key_compromise), core::ProblemKind::forbidden, "not on a Sunday");
    BOOST_TEST((w.key_blocked() && w.certificates().at(0).status == "issued"));
    const auto blocked = w.audits("key.blocked");
    BOOST_TEST_REQUIRE(blocked.size() == 1U);
    BOOST_TEST((blocked[0].text(6) == "principal" && blocked[0].text(7) == "officer"));
    check_refused(w.submit(w.request({"corp.example"}, "order-2")), core::ProblemKind::bad_public_key, "blocked");
}

BOOST_AUTO_TEST_CASE(a_graver_reason_replaces_the_one_that_was_asked_for) {
    Elsewhere w;
    w.issue({"corp.example"});
    w.foreign.at_revoke = core::Problem(core::ProblemKind::unavailable, "away");
    check_refused(w.revoke(0, "clerk"), core::ProblemKind::unavailable, "has not confirmed");
    BOOST_TEST(!w.key_blocked());
    const auto stored = [&w] { return store::RevocationRequestRow::from(w.read(store::revocation_request_of, store::values(w.certificates().at(0).id)).at(0)); };
    for (int times = 0; times < 2; ++times) {
        check_refused(w.revoke(ra::key_compromise), core::ProblemKind::unavailable, "has not confirmed");
        BOOST_TEST(w.key_blocked());
        BOOST_TEST((stored().reason == ra::key_compromise && stored().actor == "officer"));
        BOOST_TEST(w.audits("key.blocked").size() == 1U);
    }
    check_refused(w.revoke(4, "clerk"), core::ProblemKind::unavailable, "has not confirmed");
    BOOST_TEST((stored().reason == ra::key_compromise && stored().actor == "officer"));
    w.foreign.at_revoke = core::Result<void>();
    w.clock.advance(2h);
    BOOST_TEST(w.run(w.asking.ask_due(10)) == 1U);
    BOOST_TEST((w.foreign.reasons == std::vector<unsigned>{0, 1, 1, 1, 1}));
    BOOST_TEST(w.certificates().at(0).status == "revoked");
}

BOOST_AUTO_TEST_CASE(a_compromised_key_is_blocked_though_its_backend_is_gone) {
    Elsewhere w;
    w.issue({"corp.example"});
    auto certificate = w.certificates().at(0);
    certificate.backend = "gone";
    const auto answer = w.run(w.asking.revoke(certificate, ra::key_compromise, ra::Actor("principal", "officer"), core::RequestId("r"), core::deadline_in(10s)));
    check_refused(answer, core::ProblemKind::unavailable, "not described now");
    BOOST_TEST((w.key_blocked() && w.audits("key.blocked").size() == 1U));
}

BOOST_AUTO_TEST_CASE(pruning_keeps_what_a_profile_needs) {
    // No program is needed for the plan: what is stored is there already.
    Elsewhere w;
    w.execute(store::backend_insert, store::values(99, w.tenant(), "lab", "active", 1, R"({"kind":"command","argv":["/bin/true"],"trust_anchors":"x"})", w.clock.now(), w.clock.now(), "test"));
    const std::string profile = "[[profile]]\nname = \"server\"\nbackend = \"lab\"\n";
    ra::ApplyOptions prune;
    prune.dry_run = prune.prune = true;
    check_refused(w.apply(profile, prune), core::ProblemKind::malformed, "refers to backend lab");
    check_refused(w.apply("[[profile]]\nname = \"server\"\nbackend = \"lab2\"\n"), core::ProblemKind::malformed, "there is no CA backend named lab2");
    auto token = administrator();
    token.actor = ra::Actor("principal", "token");
    check_refused(w.apply("[[profile]]\nname = \"server\"\nbackend = \"elsewhere\"\n", prune, token), core::ProblemKind::malformed, "only the local administrator");
}

BOOST_AUTO_TEST_CASE(absent_counts_once_the_command_has_surely_ended) {
    Elsewhere w;
    w.foreign.at_issue = ca::Outcome(ca::Lost("no answer"));
    w.foreign.at_find = ca::Outcome(ca::Absent());
    w.wait();
    BOOST_TEST(w.state() == "lost");
    w.clock.advance(2s);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.status() == "submitted" && w.state() == "lost"));
    w.clock.advance(30s);
    BOOST_TEST(w.round() == 0U);
    w.clock.advance(30s);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.status() == "invalid" && w.state().empty()));
    BOOST_TEST((w.foreign.looked_up == 2 && w.foreign.submitted.begin()->second == 1));
}

BOOST_AUTO_TEST_CASE(what_an_earlier_life_was_handing_over_is_looked_up) {
    Elsewhere w;
    w.foreign.before_answer = []() -> core::Task<void> {
        throw std::runtime_error("the process ends here");
        co_return;
    };
    BOOST_CHECK_THROW(w.submit(w.request({"corp.example"})), std::runtime_error);
    BOOST_TEST(w.state() == "sent");
    BOOST_TEST(w.round() == 0U);
    w.run(w.poller_of(w.enrollment, "another")->start());
    BOOST_TEST(w.state() == "sent");
    w.run(w.poller_of(w.enrollment, "")->start());  // the world's enrollment has no name
    BOOST_TEST(w.state() == "lost");
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.status() == "issued" && w.foreign.submitted.begin()->second == 1));
}

BOOST_AUTO_TEST_CASE(an_answer_after_it_was_given_up_is_on_record_and_not_delivered) {
    Elsewhere w;
    w.foreign.times.find = false;
    ra::Enrollment second(w.enrollment_deps());
    const auto other = w.poller_of(second, "node-2");
    w.foreign.before_answer = [&]() -> core::Task<void> {
        w.clock.advance(10min);
        co_await other->round();
    };
    const auto late = w.submit(w.request({"corp.example"}));
    check_refused(late, core::ProblemKind::conflict, "settled elsewhere");
    BOOST_TEST((w.status() == "unknown" && w.certificates().empty()));
    BOOST_TEST(w.audits("enrollment.late_answer").size() == 1U);
    BOOST_TEST(w.alarmed("late_answer"));
}

BOOST_AUTO_TEST_CASE(a_store_that_is_away_for_a_moment_costs_no_answer) {
    Elsewhere w;
    w.foreign.before_answer = [&]() -> core::Task<void> {
        w.db.away_at = &store::submission_delete;
        const auto executor = co_await boost::asio::this_coro::executor;
        auto back = [](HookedDatabase& db) -> core::Task<void> {
            co_await core::sleep_for(50ms);
            db.away_at = nullptr;
        };
        w.tasks.spawn(executor, back(w.db));
    };
    BOOST_TEST(!w.issue({"corp.example"}).token.empty());
    BOOST_TEST(w.foreign.submitted.begin()->second == 1);
}

BOOST_AUTO_TEST_CASE(an_unavailable_ca_gives_the_claim_back_and_leaves_nothing_open) {
    Elsewhere w;
    w.foreign.at_issue = core::Problem(core::ProblemKind::unavailable, "no turn");
    auto request = w.request({"corp.example"});
    bool released = false;
    request.release = [&](store::Batch&, core::EnrollmentId) { released = true; };
    check_refused(w.submit(std::move(request)), core::ProblemKind::unavailable, "no turn");
    BOOST_TEST((released && w.status() == "invalid" && w.state().empty()));
}

BOOST_AUTO_TEST_CASE(what_somebody_declared_unknown_is_asked_for_no_more) {
    Elsewhere w;
    w.foreign.at_issue = ForeignCa::pending("h");
    w.wait();
    w.execute(store::enrollment_unknown, store::values(w.enrollments().at(0).id, w.clock.now(), R"({"kind":"internal","detail":"restored"})"));
    w.clock.advance(61s);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.state() == "held" && w.foreign.polled == 0));
    w.clock.advance(24h);
    BOOST_TEST(w.round() == 0U);
}

BOOST_AUTO_TEST_CASE(the_sweeper_leaves_it_alone) {
    Elsewhere w;
    w.foreign.at_issue = ForeignCa::pending("h");
    w.wait();
    w.clock.advance(24h);
    BOOST_TEST(w.run(w.sweeper.start()) == 0U);
    BOOST_TEST(w.run(w.sweeper.round()) == 0U);
    BOOST_TEST((w.status() == "submitted" && w.foreign.submitted.begin()->second == 1));
}

BOOST_AUTO_TEST_CASE(an_officer_of_another_tenant_sees_and_resolves_nothing) {
    Elsewhere w;
    w.foreign.times.find = false;
    w.foreign.at_issue = ca::Outcome(ca::Lost("no answer"));
    w.wait();
    auto stranger = tenant_administrator(core::TenantId(4711));
    BOOST_TEST(w.run(ra::list_requests(w.db, stranger, 0, 10, false)).empty());
    const auto id = w.enrollments().at(0).id;
    check_refused(w.run(ra::find_request(w.db, stranger, std::to_string(id.get()))), core::ProblemKind::not_found, "there is no request");
    ra::Resolution resolution;
    resolution.why = "because";
    check_refused(w.run(w.enrollment.resolve(id, resolution, stranger, core::RequestId("r"))), core::ProblemKind::not_found, "there is no request");
    BOOST_TEST(w.run(w.enrollment.resolve(id, resolution, administrator(), core::RequestId("r"))).has_value());
    check_refused(w.run(w.enrollment.resolve(id, resolution, administrator(), core::RequestId("r"))), core::ProblemKind::conflict, "waits for nobody");
    BOOST_TEST((w.status() == "invalid" && w.audits("request.resolved").size() == 1U));
}

BOOST_AUTO_TEST_CASE(our_own_quarantined_signature_can_only_be_given_up_and_its_serial_is_listed) {
    World w;
    w.apply_standard();
    w.ca.mode = ScriptedCa::Mode::other_content;
    BOOST_TEST(!w.submit(w.request({"corp.example"})).has_value());
    const auto id = w.enrollments().at(0).id;
    ra::Resolution issued;
    issued.why = "because";
    issued.certificate = "PEM";
    check_refused(w.run(w.enrollment.resolve(id, issued, administrator(), core::RequestId("r"))), core::ProblemKind::unsupported, "given up");
    ra::Resolution absent;
    absent.why = "because";
    BOOST_TEST(w.run(w.enrollment.resolve(id, absent, administrator(), core::RequestId("r"))).has_value());
    BOOST_TEST(w.read(revocation_rows).size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
