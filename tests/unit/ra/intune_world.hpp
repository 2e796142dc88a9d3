#pragma once
#include <deque>

#include "ra/intune_enrollment.hpp"
#include "ra/intune_revocations.hpp"
#include "tests/unit/ra/world.hpp"

namespace postern::test {

/// Intune as it is told to be; it keeps what it was asked and told.
class ScriptedIntune final : public azure::Intune {
public:
    using Answer = core::Result<void>;
    core::Task<Answer> validate(azure::AccountRef account, azure::ValidationRequest request, core::Deadline) override {
        asked_by.push_back(account->label());
        note(request.activity, "the-validation");
        validated.push_back(std::move(request));
        if (during_validation) during_validation();
        co_return take(validations);
    }
    core::Task<Answer> notify_success(azure::AccountRef, azure::SuccessNotice notice, core::Deadline) override {
        note(notice.activity, "the-success");
        successes.push_back(std::move(notice));
        if (during_success) during_success();
        co_return take(success_answers);
    }
    core::Task<Answer> notify_failure(azure::AccountRef, azure::FailureNotice notice, core::Deadline) override {
        failures.push_back(std::move(notice));
        co_return take(failure_answers);
    }
    core::Task<core::Result<std::vector<azure::RevocationRequest>>> download_revocations(azure::AccountRef account, int most, core::Deadline) override {
        if (during_download) during_download(*account);
        std::vector<azure::RevocationRequest> page;
        while (!queue.empty() && static_cast<int>(page.size()) < most) {
            page.push_back(queue.front());
            queue.pop_front();
        }
        co_return page;
    }
    core::Task<Answer> upload_results(azure::AccountRef, std::vector<azure::RevocationResult> results, core::Deadline) override {
        uploads.push_back(std::move(results));
        co_return take(upload_answers);
    }
    core::Task<std::vector<azure::TestStep>> test(azure::AccountRef, core::Deadline) override { co_return std::vector<azure::TestStep>(); }

    std::vector<std::string> asked_by;
    std::vector<azure::ValidationRequest> validated;
    std::vector<azure::SuccessNotice> successes;
    std::vector<azure::FailureNotice> failures;
    std::deque<azure::RevocationRequest> queue;
    std::vector<std::vector<azure::RevocationResult>> uploads;
    std::deque<Answer> validations, success_answers, failure_answers, upload_answers;  ///< yes, once they are used up
    std::function<void()> during_validation, during_success;
    std::function<void(const azure::Account&)> during_download;

private:
    static void note(const azure::ActivityRef& activity, std::string_view what) {
        if (activity) *activity = what;
    }
    static Answer take(std::deque<Answer>& from) {
        if (from.empty()) return {};
        auto answer = std::move(from.front());
        from.pop_front();
        return answer;
    }
};

inline core::Problem away() { return {core::ProblemKind::unavailable, "nobody answers", "intune.unreachable"}; }
inline core::Problem said(const std::string& code) { return {core::ProblemKind::forbidden, "Intune: " + code, "intune." + code}; }

inline constexpr std::string_view intune_documents = R"([[tenant]]
name = "default"

[[profile]]
name = "phone"
lifetime = "30d"
keys = ["rsa-2048"]
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]
backend = "scripted"

[[azure_account]]
name = "corp"
directory = "11111111-2222-3333-4444-555555555555"
application = "66666666-7777-8888-9999-aaaaaaaaaaaa"
secret = {value = "a client secret"}

[[endpoint]]
name = "phones"
protocol = "scep"
ra = "builtin"
profiles = ["phone"]

[[account]]
name = "phones"
endpoint = "phones"
method = "intune"
azure_account = "corp"
kind = "device"
common_names = ["phone-*"]
answer_within = "2s"
)";

/// The server's own endpoint, which every installation has: single-use credentials of Intune's are counted there.
inline constexpr std::string_view server_documents = R"([[tenant]]
name = "system"

[[profile]]
tenant = "system"
name = "server-tls"
lifetime = "90d"
keys = ["ec-p256"]

[[endpoint]]
tenant = "system"
name = "system"
protocol = "system"
profiles = ["server-tls"]
)";

inline ra::Principal the_server() {
    auto p = administrator();
    p.actor = ra::Actor("system", "upgrade");
    return p;
}

/// One device's request, as its SCEP front end hands it over.
struct IntuneWorld : World {
    explicit IntuneWorld(std::string documents_text = std::string(intune_documents)) {
        static_cast<void>(apply(server_documents, {}, the_server()).value());
        static_cast<void>(apply(documents_text).value());
        if (!azure_account()) throw std::runtime_error("the documents give no Azure account");
    }
    [[nodiscard]] const ra::Account& account_of() const {
        return catalog.current()->intune_accounts.at(0);
    }
    [[nodiscard]] azure::AccountRef azure_account() const { return catalog.current()->azure_account(tenant(), "corp"); }
    ra::IntuneRequest wish(const std::string& challenge, const std::string& name = "phone-1", const std::string& transaction = "T1") {
        crypto::DistinguishedName subject;
        subject.entries.emplace_back(crypto::DnAttribute::common_name, name);
        ra::IntuneRequest r;
        r.id = random.request_id();
        r.account = account_of();
        r.endpoint = r.account.endpoint;
        r.transaction_id = transaction;
        r.csr = crypto::Csr::parse(csr_with_challenge(device_key, subject, challenge)).value();
        r.deadline = core::deadline_in(30s);
        return r;
    }
    core::Result<ra::IssuedCertificate> enroll(ra::IntuneRequest r) { return run(intune_enrollment.enroll(std::move(r))); }
    core::Result<ra::IssuedCertificate> enroll(const std::string& challenge) { return enroll(wish(challenge)); }
    std::size_t deliver(std::string_view kind) { return run(intune_outbox.deliver(kind)); }
    /// Everything in the store, as one text: what is not to be found there.
    std::string store_octets();
    static core::Bytes csr_with_challenge(const crypto::PrivateKey& key, const crypto::DistinguishedName& subject, const std::string& challenge);

    ScriptedIntune intune;
    crypto::PrivateKey device_key = crypto::PrivateKey::generate(*crypto::KeySpec::from("rsa-2048"));
    ra::IntuneNotices notices{ra::IntuneNotices::Deps{db, numbers, catalog, sealer, intune, revocation, clock, log, metrics}};
    ra::Outbox intune_outbox{ra::Outbox::Deps{db, clock, log, metrics, tasks, "node-1"}, intune_senders()};
    ra::Enrollment scep_enrollment{ra::Enrollment::Deps{db, numbers, catalog, backends, random, clock, log, metrics, gate, clock_agreement, intune_outbox, lives, stranger_refusals}};
    ra::Sweeper scep_sweeper{sweeper_deps(scep_enrollment, "node-1", lives)};
    ra::IntuneEnrollment intune_enrollment{ra::IntuneEnrollment::Deps{db, numbers, catalog, sealer, intune, notices, scep_enrollment, stranger_refusals, intune_outbox, tasks, clock, log, metrics}};
    ra::IntuneRevocations intune_revocations{ra::IntuneRevocations::Deps{db, numbers, catalog, backends, revocation, intune, random, clock, log, metrics, "node-1"}};

private:
    ra::Senders intune_senders() {
        ra::Senders out;
        for (const auto kind : {ra::intune_success_kind, ra::intune_failure_kind}) out.add(std::string(kind), std::make_shared<ra::IntuneSender>(notices, kind));
        return out;
    }
};

}  // namespace postern::test
