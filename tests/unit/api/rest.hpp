#pragma once
#include <unistd.h>

#include "api/api.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"
#include "tests/unit/ra/world.hpp"

/// The REST routes over a registration authority, and what their tests ask and expect.
namespace postern::test {

using http::Method;

/// Answers as the process would, and remembers what was asked of it.
class ScriptedOperations final : public api::Operations {
public:
    core::Result<void> start_backup(BackupOrder order, ra::Principal, core::RequestId) override {
        target = order.target + (order.with_master_key ? *order.with_master_key ? " with" : " without" : "");
        if (order.target == "/taken") return core::Problem(core::ProblemKind::conflict, "/taken exists");
        return {};
    }
    [[nodiscard]] std::string backup_status() const override { return R"({"state":"running","done":1,"total":2})"; }
    core::Task<core::Result<ra::OpenReport>> open_restored(std::vector<core::Bytes> crls, bool none, ra::Principal, core::RequestId) override {
        opened_with = std::to_string(crls.size()) + (none ? " none" : "");
        ra::OpenReport report;
        report.crls.emplace_back().key_id = "0badcafe";
        co_return report;
    }
    [[nodiscard]] std::string server() const override { return R"({"running":false})"; }
    core::Task<core::Result<std::string>> reload() override { co_return std::string(R"({"changed":[],"restart":[]})"); }
    core::Task<core::Result<void>> advance_laboratory_clock(std::chrono::milliseconds by, ra::Principal principal, core::RequestId) override {
        advanced = principal.name + " " + core::format_duration(by);
        if (by == 1h) co_return core::Problem(core::ProblemKind::forbidden, "started without --lab");
        co_return core::Result<void>();
    }
    [[nodiscard]] std::string authorities() const override { return R"({"authorities":[]})"; }
    core::Task<core::Result<std::string>> prepare_successor(SuccessorOrder order, ra::Principal, core::RequestId) override {
        co_return R"({"takesOver":")" + core::rfc3339(order.takes_over) + (order.new_root ? R"(","root":{})" : "\"") + "}";
    }
    core::Task<core::Result<std::string>> withdraw_successor(ra::Principal, core::RequestId) override { co_return std::string(R"({"authority":"0badcafe"})"); }
    core::Task<core::Result<std::string>> import_ra(RaImport import, ra::Principal, core::RequestId) override {
        imported = import.endpoint + " " + import.key.expose() + " " + import.certificates;
        co_return std::string(R"({"serial":"01"})");
    }
    core::Task<ClientFacts> client_facts(core::EndpointId) override {
        ClientFacts facts;
        facts.https = "https://ra.test";
        facts.http = "http://ra.test";
        facts.est = "https://est.ra.test";
        facts.chain = chain;
        facts.ra = ra;
        co_return facts;
    }
    core::Task<core::Result<core::Bytes>> sign_for_clients(core::Bytes content) override {
        content.insert(content.begin(), 'S');
        co_return content;
    }
    std::string target, opened_with, advanced, imported;
    std::vector<core::Bytes> chain;
    core::Bytes ra;
};

/// Says of every account that it is half well.
class ScriptedIntune final : public azure::Intune {
public:
    core::Task<core::Result<void>> validate(azure::AccountRef, azure::ValidationRequest, core::Deadline) override { return nothing(); }
    core::Task<core::Result<void>> notify_success(azure::AccountRef, azure::SuccessNotice, core::Deadline) override { return nothing(); }
    core::Task<core::Result<void>> notify_failure(azure::AccountRef, azure::FailureNotice, core::Deadline) override { return nothing(); }
    core::Task<core::Result<std::vector<azure::RevocationRequest>>> download_revocations(azure::AccountRef, int, core::Deadline) override {
        azure::RevocationRequest foreign;
        foreign.context = "context";
        foreign.serial = "01";
        foreign.issuer_id = "another";
        std::vector<azure::RevocationRequest> page;
        if (!std::exchange(asked, true)) page.push_back(std::move(foreign));
        co_return page;
    }
    core::Task<core::Result<void>> upload_results(azure::AccountRef, std::vector<azure::RevocationResult>, core::Deadline) override { return nothing(); }
    core::Task<std::vector<azure::TestStep>> test(azure::AccountRef account, core::Deadline) override {
        azure::TestStep good, bad;
        good.name = "first";
        good.passed = true;
        bad.name = "second";
        bad.result = "of " + account->label();
        bad.advice = "mend it";
        bad.check = "intune.service";
        co_return std::vector<azure::TestStep>{good, bad};
    }

    bool asked = false;

private:
    static core::Task<core::Result<void>> nothing() { co_return core::Problem(core::ProblemKind::internal, "not asked here"); }
};

/// The registration authority with the REST routes over it, and one principal of each kind.
struct Rest : World {
    Rest() {
        apply_standard();
        apply("[[tenant]]\nname = \"second\"\n").value();
        api.add_routes(router, api::Api::Reach::network);
        issue({"corp.example"});
        serial = core::hex(certificates().at(0).serial);
        administrator_token = mint("chief", ra::Role::administrator, {});
        officer = mint("officer", ra::Role::officer, tenant());
        auditor = mint("auditor", ra::Role::auditor, tenant());
        stranger = mint("stranger", ra::Role::administrator, catalog.current()->tenant("second")->id);
    }
    std::string mint(std::string name, ra::Role role, std::optional<core::TenantId> of) {
        return run(principals.create(std::move(name), role, of, {}, administrator(), core::RequestId("r"))).value().expose();
    }
    static http::Request ask(Method method, std::string target, std::string body = {}) {
        http::Request r;
        r.method = method;
        r.path = target.substr(0, target.find('?'));
        if (r.path.size() < target.size()) r.query = target.substr(r.path.size() + 1);
        r.target = std::move(target);
        if (!body.empty()) r.headers.emplace_back("Content-Type", "application/json");
        r.body = std::move(body);
        r.id = core::RequestId("testrequest00000");
        r.deadline = core::deadline_in(30s);
        return r;
    }
    std::string installation_auditor() { return mint("watcher" + std::to_string(++watchers), ra::Role::auditor, {}); }
    int watchers = 0;
    http::Response send(http::Request r) { return run(router.handle(std::move(r))); }
    http::Response local(Method method, std::string target, std::string body = {}) {
        auto r = ask(method, std::move(target), std::move(body));
        r.peer.unix_uid = ::geteuid();
        return send(std::move(r));
    }
    http::Response with(const std::string& token, Method method, std::string target, std::string body = {}) {
        auto r = ask(method, std::move(target), std::move(body));
        r.headers.emplace_back("Authorization", "Bearer " + token);
        return send(std::move(r));
    }

    ScriptedOperations operations;
    ScriptedIntune intune;
    ra::IntuneRevocations intune_revocations{ra::IntuneRevocations::Deps{db, numbers, catalog, backends, revocation, intune, random, clock, log, metrics, "node-1"}};
    core::CpuPool workers{1, 8};
    ra::Predecessors predecessors{ra::Predecessors::Deps{db, numbers, catalog, clock}};
    ra::ImportedCertificates imported_certificates{ra::ImportedCertificates::Deps{db, numbers, catalog, workers, clock}};
    ra::EstDevices est_devices{ra::EstDevices::Deps{db, numbers, catalog, clock}};
    api::Api api{api::Api::Deps{db, catalog, documents, principals, revocation, clock, blocked_keys, profile_pauses, parked_messages, operations, clock_agreement, enrollment, approvals, backends, intune, intune_revocations, challenges, predecessors, imported_certificates, est_devices}};
    http::Router router;
    std::string serial, administrator_token, officer, auditor, stranger;
};

inline const std::string v1 = "/api/postern/v1/";

inline json::Document parsed(const http::Response& r) { return json::Document::parse(r.body).value(); }

inline void check_error(const http::Response& r, unsigned status, std::int64_t code, std::string_view part) {
    BOOST_TEST_CONTEXT(r.body) {
        BOOST_TEST(r.status == status);
        BOOST_TEST(r.header("Content-Type") == "application/json");
        const auto document = parsed(r);
        BOOST_TEST(document.root()["code"].integer().value() == code);
        BOOST_TEST(contains(document.root()["description"].string().value(), part));
        BOOST_TEST(document.root()["requestId"].string().value() == "testrequest00000");
    }
}

inline std::string apply_body(std::string_view text, std::string_view more = {}) {
    json::Writer w;
    w.begin_object().key("documents").begin_array().begin_object().member("name", "site.toml").member("text", text).end_object().end_array().end_object();
    auto out = w.take();
    out.insert(out.size() - 1, more);
    return out;
}

}  // namespace postern::test
