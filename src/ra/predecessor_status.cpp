#include "ra/predecessor_status.hpp"

#include <algorithm>

#include "core/async/deadline.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/ocsp.hpp"
#include "core/crypto/revocation_list.hpp"

namespace postern::ra {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

namespace {

constexpr std::chrono::minutes clocks_apart{5};
constexpr std::chrono::milliseconds look_again{20};
constexpr std::size_t nonce_size = 16, most_slots = 1000;

Problem refuse(std::string why) { return {ProblemKind::unauthenticated, std::move(why), std::string(predecessor_check)}; }

core::Deadline at_most(core::Deadline deadline, std::chrono::seconds longest) { return std::min(deadline, core::deadline_in(longest)); }

}  // namespace

bool KnownList::lists(const core::Bytes& serial) const { return std::ranges::binary_search(serials, serial); }

Result<KnownList> read_list(core::BytesView der, const crypto::Certificate& issuer, core::TimePoint now) {
    const auto list = crypto::RevocationList::parse(der);
    if (!list) return list.error();
    const auto key = crypto::PublicKey::from_spki(issuer.spki(), crypto::KeyUse::authority);
    if (!key) return key.error();
    if (list->issuer_der() != issuer.subject_der()) return Problem(ProblemKind::unauthenticated, "the CRL is another CA's");
    if (!list->signed_by(*key)) return Problem(ProblemKind::unauthenticated, "the CRL is not signed by the certificate's issuer");
    if (list->this_update() > now + clocks_apart) return Problem(ProblemKind::unavailable, "the CRL is of " + core::rfc3339(list->this_update()) + ", which is not yet");
    if (!list->next_update()) return Problem(ProblemKind::unavailable, "the CRL does not say until when it counts (nextUpdate)");
    if (*list->next_update() < now) return Problem(ProblemKind::unavailable, "the CRL counted until " + core::rfc3339(*list->next_update()));
    KnownList out;
    out.serials.reserve(list->entries().size());
    // On hold counts like revoked: whoever renews meanwhile would be out of reach.
    for (const auto& entry : list->entries()) out.serials.push_back(entry.serial);
    std::ranges::sort(out.serials);
    out.number = list->number();
    out.next_update = *list->next_update();
    out.fetched = now;
    return out;
}

PredecessorStatus::PredecessorStatus(Deps deps)
    : deps_(deps),
      good_(deps.metrics.counter("postern_predecessor_status_total", "Certificates of predecessors whose status was asked", {{"status", "good"}})),
      refused_(deps.metrics.counter("postern_predecessor_status_total", "Certificates of predecessors whose status was asked", {{"status", "refused"}})),
      unknown_(deps.metrics.counter("postern_predecessor_status_total", "Certificates of predecessors whose status was asked", {{"status", "unknown"}})) {}

/// One fetch of a list at a time; gives the turn back on whatever way it ends.
class PredecessorStatus::Fetching {
public:
    Fetching(PredecessorStatus& status, std::string key) : status_(status), key_(std::move(key)) {}
    Fetching(const Fetching&) = delete;
    Fetching& operator=(const Fetching&) = delete;
    ~Fetching() {
        const std::lock_guard lock(status_.mutex_);
        status_.slots_[key_].fetching = false;
    }

private:
    PredecessorStatus& status_;
    std::string key_;
};

Task<Result<core::Bytes>> PredecessorStatus::obtain(http::OutboundRequest request, core::Deadline deadline) {
    request.plain_allowed = true;
    const auto url = request.url;
    auto again = request;
    auto answer = co_await deps_.outbound.exchange(std::move(request), deadline);
    // To ask a second time does no harm.
    if (!answer && answer.error().check == "outbound.stale") answer = co_await deps_.outbound.exchange(std::move(again), deadline);
    if (!answer) co_return answer.error();
    if (answer->status != 200) co_return Problem(ProblemKind::unavailable, url + " answered " + std::to_string(answer->status));
    const auto octets = core::as_bytes(answer->body);
    co_return core::to_bytes(octets);
}

Task<Result<PredecessorStatus::Verdict>> PredecessorStatus::by_ocsp(const Predecessor& predecessor, const crypto::Certificate& certificate,
                                                                    const crypto::Certificate& issuer, core::Deadline deadline) {
    crypto::OcspQuestion question;
    question.certificate = certificate;
    question.issuer = issuer;
    question.nonce = deps_.random.bytes(nonce_size);
    const auto body = crypto::ocsp_request(question);
    if (!body) co_return body.error();
    http::OutboundRequest request(http::Method::post, predecessor.row.ocsp_url);
    request.headers.emplace_back("Content-Type", "application/ocsp-request");
    request.body = std::string(body->begin(), body->end());
    request.most = most_answer_octets;
    auto received = co_await obtain(std::move(request), at_most(deadline, longest_answer));
    if (!received) co_return received.error();
    const auto now = deps_.clock.now();
    const auto read = [&] { return crypto::read_ocsp_response(*received, question, now); };
    const auto answer = co_await deps_.pool.run(read);
    if (!answer) co_return answer.error();
    using Status = crypto::OcspAnswer::Status;
    Verdict verdict;
    if (answer->status == Status::revoked) verdict = "the certificate was revoked by predecessor " + predecessor.row.name + " at " + core::rfc3339(*answer->revoked);
    if (answer->status == Status::unknown) verdict = "predecessor " + predecessor.row.name + " does not know the certificate";
    co_return verdict;
}

Task<Result<std::shared_ptr<const KnownList>>> PredecessorStatus::fetch(const Predecessor& predecessor, const crypto::Certificate& issuer, std::string key,
                                                                        core::Deadline deadline) {
    core::Bytes der;
    if (predecessor.row.crl_file) {
        auto of_it = store::values(predecessor.row.id);
        const auto row = co_await store::read_one(deps_.db, store::predecessor_crl, std::move(of_it));
        if (!row) co_return Problem(ProblemKind::unavailable, "the CRL was taken away at this moment");
        der = row->blob(0);
    } else {
        http::OutboundRequest request(http::Method::get, predecessor.row.crl_url);
        request.most = most_list_octets;
        auto received = co_await obtain(std::move(request), at_most(deadline, longest_list));
        if (!received) co_return received.error();
        der = std::move(*received);
    }
    const auto now = deps_.clock.now();
    const auto read = [&] { return read_list(der, issuer, now); };
    auto list = co_await deps_.pool.run(read);
    if (!list) co_return list.error();
    const std::lock_guard lock(mutex_);
    if (slots_.size() > most_slots) std::erase_if(slots_, [](const auto& each) { return !each.second.fetching; });
    auto& slot = slots_[key];
    // An older list that still counts is no news, whoever hands it out.
    if (!slot.list || slot.list->number <= list->number || slot.list->next_update < now) slot.list = std::make_shared<const KnownList>(std::move(*list));
    co_return slot.list;
}

Task<Result<std::shared_ptr<const KnownList>>> PredecessorStatus::list_of(const Predecessor& predecessor, const crypto::Certificate& issuer, core::Deadline deadline) {
    using List = std::shared_ptr<const KnownList>;
    const auto source = predecessor.row.crl_file ? "file " + std::to_string(core::to_ms(predecessor.row.updated)) : predecessor.row.crl_url;
    const auto of_issuer = crypto::sha256(issuer.der());
    const auto key = std::to_string(predecessor.row.id.get()) + " " + core::hex(of_issuer) + " " + source;
    for (;;) {
        List known;
        bool lead = false;
        {
            const std::lock_guard lock(mutex_);
            auto& slot = slots_[key];
            if (slot.list && slot.list->next_update >= deps_.clock.now()) known = slot.list;
            const auto now = deps_.clock.now();
            // A predecessor that is away, or hands out an older list, is not asked by each who renews meanwhile.
            const bool fresh = known && (now - known->fetched < fresh_for || now - slot.asked < between_fetches);
            lead = !fresh && !slot.fetching;
            if (lead) slot.fetching = true;
            if (lead) slot.asked = now;
        }
        // Who finds one that counts does not wait for the next.
        if (known && !lead) co_return known;
        if (lead) {
            const Fetching turn(*this, key);
            auto fetched = co_await fetch(predecessor, issuer, key, deadline);
            if (fetched || !known) co_return fetched;
            deps_.log.warning("predecessor_crl_kept", {{"predecessor", predecessor.row.name}, {"source", source}, {"until", core::rfc3339(known->next_update)}, {"why", fetched.error().detail}});
            co_return known;
        }
        if (std::chrono::steady_clock::now() >= deadline) co_return Problem(ProblemKind::unavailable, "the CRL is still being fetched");
        co_await core::sleep_for(look_again);
    }
}

Task<Result<PredecessorStatus::Verdict>> PredecessorStatus::by_list(const Predecessor& predecessor, const crypto::Certificate& certificate,
                                                                    const crypto::Certificate& issuer, core::Deadline deadline) {
    const auto list = co_await list_of(predecessor, issuer, deadline);
    if (!list) co_return list.error();
    Verdict verdict;
    if ((*list)->lists(certificate.serial())) verdict = "the certificate was revoked by predecessor " + predecessor.row.name;
    co_return verdict;
}

Task<Result<PredecessorStatus::Verdict>> PredecessorStatus::look_up(const Predecessor& predecessor, const crypto::Certificate& certificate, core::RequestId request,
                                                                    core::Deadline deadline) {
    const auto* issuer = predecessor.issuer_of(certificate);
    if (issuer == nullptr) co_return Problem(ProblemKind::unavailable, "none of the predecessor's certificates signed it any more");
    const bool listed = predecessor.row.crl_file || !predecessor.row.crl_url.empty();
    if (!predecessor.row.ocsp_url.empty()) {
        auto answer = co_await by_ocsp(predecessor, certificate, *issuer, deadline);
        if (answer || !listed) co_return answer;
        deps_.log.warning("predecessor_ocsp_failed", {{"request", request.get()}, {"predecessor", predecessor.row.name}, {"url", predecessor.row.ocsp_url}, {"why", answer.error().detail}});
    }
    co_return co_await by_list(predecessor, certificate, *issuer, deadline);
}

Task<Result<PredecessorStatus::Verdict>> PredecessorStatus::ask(store::PredecessorId id, crypto::Certificate certificate, core::RequestId request, core::Deadline deadline) {
    const auto predecessor = co_await find_predecessor(deps_.db, id);
    if (!predecessor) co_return Verdict("the predecessor is no more on record");
    auto verdict = co_await look_up(*predecessor, certificate, request, deadline);
    if (!verdict) {
        unknown_.add();
        deps_.log.warning("predecessor_status_unknown", {{"request", request.get()}, {"predecessor", predecessor->row.name}, {"serial", core::hex(certificate.serial())}, {"why", verdict.error().detail}});
        co_return Problem(ProblemKind::unavailable, "the predecessor's status is not known; try again later", std::string(predecessor_check));
    }
    if (*verdict) refused_.add();
    else good_.add();
    co_return verdict;
}

Task<Result<void>> PredecessorStatus::check(store::PredecessorId id, crypto::Certificate certificate, core::RequestId request, core::Deadline deadline) {
    const auto verdict = co_await ask(id, std::move(certificate), std::move(request), deadline);
    if (!verdict) co_return refuse(verdict.error().detail);
    if (*verdict) co_return refuse(**verdict);
    co_return core::Result<void>();
}

}  // namespace postern::ra
