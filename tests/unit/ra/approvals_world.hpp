#pragma once
#include "ra/requests.hpp"
#include "store/tables/approval.hpp"
#include "tests/unit/ra/foreign_world.hpp"

/// A registration authority whose profile wants an officer's yes, on either engine.
namespace postern::test {

/// The standard documents with that text instead of the profile's name line, and a SCEP endpoint beside the ACME one.
inline std::string officers_documents(std::string_view profile_lines = "approval = \"officer\"", std::string_view account_lines = "", std::string_view secret = "{generate = true}") {
    std::string text(standard_documents);
    const std::string name = "name = \"server\"\n";
    text.replace(text.find(name), name.size(), name + std::string(profile_lines) + "\n");
    text.replace(text.find("{generate = true}"), 17, std::string(secret) + "\n" + std::string(account_lines));
    return text + R"(
[[endpoint]]
name = "phones"
protocol = "scep"
ra = "builtin"
profiles = ["server"]

[[account]]
name = "phones"
endpoint = "phones"
organization = "acme"
method = "access_code"
names = ["corp.example", ".corp.example"]
secret = )" + std::string(secret) + "\n";
}

inline ra::Principal officer(std::string name, std::optional<core::TenantId> tenant = {}) {
    ra::Principal p;
    p.role = ra::Role::officer;
    p.tenant = tenant;
    p.actor = ra::Actor("principal", name);
    p.name = std::move(name);
    return p;
}

struct Officers : World {
    explicit Officers(const std::string& engine, std::string_view profile_lines = "approval = \"officer\"") : World(true, store_of(engine)) {
        backends.add("elsewhere", foreign);
        static_cast<void>(apply(officers_documents(profile_lines)).value());
    }
    void reapply(std::string text) { static_cast<void>(apply(text).value()); }
    /// As a device asks, by an access code.
    ra::EnrollmentRequest device(const std::string& transaction = "T1", const std::string& name = "phone.corp.example") {
        ra::EnrollmentRequest r;
        r.id = random.request_id();
        r.via = ra::Protocol::scep;
        r.endpoint = catalog.current()->endpoint(ra::Protocol::scep, "phones")->id;
        r.account = account("phones");
        r.requester = r.attempt = transaction;
        r.repeated_for = 1h;
        r.evidence.push_back(ra::Evidence::of(ra::Evidence::Kind::challenge, "code", clock.now()));
        std::vector<crypto::GeneralName> names;
        names.emplace_back(crypto::GeneralNameType::dns, name);
        r.csr = crypto::Csr::parse(crypto::make_csr(leaf_key, {}, names)).value();
        r.origin_kind = "scep_transaction";
        r.origin_id = transaction;
        r.deadline = core::deadline_in(30s);
        return r;
    }
    ra::PendingEnrollment waits(ra::EnrollmentRequest r) { return std::get<ra::PendingEnrollment>(submit(std::move(r)).value()); }
    store::EnrollmentRow row() { return enrollments().back(); }
    store::ApprovalRow approval() {
        return store::ApprovalRow::from(read(store::approval_of, store::values(row().id)).at(0));
    }
    core::Task<core::Result<ra::RequestShown>> deciding(const store::EnrollmentRow& of, bool approve, std::string message, ra::Principal by, core::Bytes seen) {
        ra::Decision decision;
        decision.approve = approve;
        decision.message = std::move(message);
        decision.content_hash = std::move(seen);
        return approvals.decide(of.id, std::move(decision), std::move(by), core::RequestId("decisionrequest0"), core::deadline_in(30s));
    }
    core::Result<ra::RequestShown> decide(bool approve, std::string message = "fine", ra::Principal by = officer("bob"), std::optional<core::Bytes> seen = {}) {
        const auto of = row();
        return run(deciding(of, approve, std::move(message), std::move(by), seen.value_or(of.content_hash)));
    }
    /// Its status afterwards.
    std::string approve() { return decide(true).value().enrollment.status; }
    std::size_t round() { return run(approvals.round()); }
    bool counted(std::string_view result, int n = 1) {
        return contains(metrics.scrape(), "postern_approvals_total{result=\"" + std::string(result) + "\"} " + std::to_string(n) + "\n");
    }
    std::string told(std::string_view kind) {
        run(outbox.deliver(kind));
        return sender->sent.empty() ? "" : sender->sent.back().body;
    }
    ForeignCa foreign;
};

}  // namespace postern::test
