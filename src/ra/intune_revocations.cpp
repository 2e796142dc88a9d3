#include "ra/intune_revocations.hpp"

#include <algorithm>
#include <set>

#include "core/async/deadline.hpp"
#include "core/async/repeat.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/serial_text.hpp"
#include "store/tables/authority.hpp"

namespace postern::ra {

using azure::RevocationCode;
using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

namespace {

constexpr int page = 500;
/// A queue that never ends is looked at again in the next round.
constexpr int most_pages = 20;
constexpr std::chrono::seconds look(5), call_time(30), revocation_time(5);
constexpr std::chrono::minutes usual_pause(15), pause_after_failure(2);
/// Afterwards a request that is given out once more is a new one.
constexpr std::chrono::hours results_kept{24 * 30}, requests_kept{24 * 7};
/// RFC 5280 §5.3.1 unspecified: Intune does not say why.
constexpr std::int64_t unspecified = 0;

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c); });
    return text;
}

/// As Intune was told of the issuer.
std::string name_text(core::BytesView der) {
    const auto name = crypto::DistinguishedName::parse(der);
    return name ? name->to_text() : std::string();
}

/// Whether both ask the same Intune. The name of a directory alone is anybody's to write into a document of his own tenant,
/// beside an address that is no Intune's.
bool same_directory(const azure::Account& a, const azure::Account& b) {
    if (a.id == b.id) return true;
    const auto &one = a.addresses, &other = b.addresses;
    return lower(a.directory) == lower(b.directory) && one.login == other.login && one.graph == other.graph && one.services == other.services;
}

core::Bytes digest_of(std::string_view context) {
    const auto digest = crypto::sha256(core::as_bytes(context));
    return {digest.begin(), digest.end()};
}

RevocationCode code_from(std::string_view text) {
    for (const auto code : {RevocationCode::none, RevocationCode::parameter_invalid, RevocationCode::certificate_not_found, RevocationCode::conflict, RevocationCode::non_retryable})
        if (azure::to_string(code) == text) return code;
    return RevocationCode::non_retryable;
}

}  // namespace

/// Of one Azure account: who asks, and when next.
struct IntuneRevocations::Turn {
    Turn(store::Database& db, const core::Clock& clock, const std::string& name, const std::string& node) : lease(db, clock, name, node, std::chrono::seconds(60)) {}
    store::Lease lease;
    core::TimePoint from{}, next{};
    bool polled = false;
};

struct IntuneRevocations::Item {
    Item(std::int64_t a, const azure::RevocationRequest& r) : row() {
        row.azure_account = a;
        row.context = r.context;
        row.context_sha256 = digest_of(r.context);
        row.serial = r.serial;
    }
    store::IntuneRevocationRow row;
    /// With what Intune is to hear.
    [[nodiscard]] store::Batch saying(RevocationCode code, std::string message, core::TimePoint now) const {
        auto told = row;
        told.code = azure::to_string(code);
        told.message = std::move(message);
        store::Batch batch;
        batch.add(store::intune_revocation_insert, told.insert_values(now));
        return batch;
    }
};

IntuneRevocations::IntuneRevocations(Deps deps)
    : deps_(std::move(deps)), asked_(deps_.metrics.counter("postern_intune_revocations_total", "What Intune wanted revoked, by result", {{"result", "asked"}})),
      revoked_(deps_.metrics.counter("postern_intune_revocations_total", "What Intune wanted revoked, by result", {{"result", "revoked"}})),
      failed_(deps_.metrics.counter("postern_intune_revocation_polls_failed_total", "Times that Intune's queue of revocations could not be read or answered")) {}
IntuneRevocations::~IntuneRevocations() = default;

Task<void> IntuneRevocations::run() {
    core::Repeated how(look, [this](const std::exception& fault) { deps_.log.warning("intune_revocations_wait", {{"why", fault.what()}}); });
    auto rounds = core::repeat(std::move(how), [this] { return round(); });
    co_await std::move(rounds);
}

/// Each Azure account by which an endpoint's requests are validated.
Task<void> IntuneRevocations::round() {
    const auto catalog = deps_.catalog.current();
    std::set<std::int64_t> seen;
    for (const auto& account : catalog->intune_accounts) {
        auto azure = catalog->azure_account(account.tenant, account.intune.azure_account);
        if (!azure || !seen.insert(azure->id).second) continue;
        std::string fault;
        try {
            co_await take_turn(azure);
        } catch (const std::exception& e) {
            fault = e.what();
        }
        const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
        if (cancellation.cancelled() != boost::asio::cancellation_type::none) co_return;
        if (fault.empty()) continue;
        // Those behind it have their turn all the same, and it has one again after a pause.
        auto& turn = *turns_[azure->id];
        turn.from = deps_.clock.now();
        turn.next = turn.from + pause_after_failure;
        failed_.add();
        deps_.log.error("intune_revocations_failed", {{"azure_account", azure->label()}, {"why", fault}});
    }
}

Task<void> IntuneRevocations::take_turn(azure::AccountRef account) {
    auto& turn = turns_[account->id];
    if (!turn) turn = std::make_unique<Turn>(deps_.db, deps_.clock, "intune/" + std::to_string(account->id), deps_.node);
    const bool held = co_await turn->lease.hold();
    if (!held) {
        turn->polled = false;  // whoever takes over asks soon
        co_return;
    }
    const auto jitter = [this](std::chrono::milliseconds most) {
        const auto octets = deps_.random.bytes(2);
        return most * (octets[0] * 256 + octets[1]) / 65536;
    };
    const auto now = deps_.clock.now();
    if (!turn->polled) {
        turn->polled = true;
        turn->from = now;
        turn->next = now + jitter(std::chrono::minutes(1));
    }
    // The wall clock, so that a laboratory's counts; one that was set back must not keep Intune waiting.
    if (now < turn->next && now >= turn->from) co_return;
    core::RequestId request(deps_.random.token());
    const auto done = co_await poll(account, std::move(request));
    const std::chrono::milliseconds pause = done ? usual_pause : pause_after_failure;
    turn->from = deps_.clock.now();
    turn->next = turn->from + pause - pause / 10 + jitter(pause / 5);
}

Task<Result<IntuneRevocations::Report>> IntuneRevocations::poll(azure::AccountRef account, core::RequestId request) {
    Report report;
    // What an earlier round could not say.
    auto told = co_await upload(account);
    std::set<std::string> seen;
    for (int i = 0; told && i < most_pages; ++i) {
        report.told += *told;
        const auto until = core::deadline_in(call_time);
        auto found = co_await deps_.intune.download_revocations(account, page, until);
        if (!found) {
            told = found.error();
            break;
        }
        const auto fresh = std::ranges::count_if(*found, [&](const azure::RevocationRequest& r) { return seen.insert(r.context).second; });
        asked_.add(static_cast<double>(fresh));
        report.asked += fresh;
        if (fresh == 0) {
            told = std::int64_t{0};
            break;
        }
        for (auto& item : *found) {
            auto each = std::move(item);
            co_await settle(*account, std::move(each), request, report);
        }
        told = co_await upload(account);
    }
    co_await prune();
    if (!told) {
        failed_.add();
        deps_.log.warning("intune_revocations_failed", {{"azure_account", account->label()}, {"check", told.error().check}, {"why", told.error().detail}});
        co_return told.error();
    }
    if (report.asked > 0)
        deps_.log.info("intune_revocations", {{"azure_account", account->label()}, {"asked", report.asked}, {"revoked", report.revoked},
                                              {"refused", report.refused}, {"foreign", report.foreign}, {"told", report.told}});
    co_return report;
}

Task<void> IntuneRevocations::settle(const azure::Account& account, azure::RevocationRequest asked, core::RequestId request, Report& report) {
    const Item item(account.id, asked);
    store::Batch again;
    again.add(store::intune_revocation_again, store::values(account.id, item.row.context_sha256));
    const auto known = co_await deps_.db.write(std::move(again));
    if (known) co_return;  // Intune did not hear, or forgot
    const auto serial = crypto::serial_from_text(asked.serial);
    std::optional<store::CertificateRow> certificate;
    if (serial) {
        auto wanted = *serial;
        certificate = co_await find(account, asked, std::move(wanted));
    }
    if (!certificate) {
        const bool mine = co_await ours(asked);
        if (!mine) {
            ++report.foreign;
            co_return;
        }
        ++report.refused;
        const auto code = serial ? RevocationCode::certificate_not_found : RevocationCode::parameter_invalid;
        std::string why = serial ? "no certificate with this serial number was issued to a device of this tenant" : "the serial number is no hexadecimal number of at most 20 octets";
        co_await record(item, code, std::move(why));
        co_return;
    }
    const auto number = core::hex(certificate->serial);
    auto success = item.saying(RevocationCode::none, {}, deps_.clock.now());
    Actor actor("intune", account.label());
    const auto until = core::deadline_in(revocation_time);
    auto revoked = co_await deps_.revocation.revoke_with(std::move(*certificate), unspecified, std::move(actor), request, until, std::move(success));
    if (revoked) {
        ++report.revoked;
        revoked_.add();
        co_return;
    }
    if (revoked.error().kind != ProblemKind::already_revoked) {  // nothing is said: Intune gives it out again
        deps_.log.error("intune_revocation_failed", {{"azure_account", account.label()}, {"serial", number}, {"why", revoked.error().detail}});
        co_return;
    }
    ++report.refused;
    co_await record(item, RevocationCode::conflict, "the certificate was revoked before");
}

Task<void> IntuneRevocations::record(Item item, RevocationCode code, std::string message) {
    auto batch = item.saying(code, std::move(message), deps_.clock.now());
    const auto written = co_await deps_.db.write(std::move(batch));
    static_cast<void>(written);  // a duplicate: another node said it
}

Task<std::optional<store::CertificateRow>> IntuneRevocations::find(const azure::Account& account, const azure::RevocationRequest& item, core::Bytes serial) {
    auto by_serial = store::values(serial);
    const auto rows = co_await deps_.db.read(store::certificate_by_serial, std::move(by_serial));
    for (const auto& raw : rows) {
        auto row = store::CertificateRow::from(raw);
        const auto certificate = crypto::Certificate::parse(row.der);
        const bool named = !item.issuer_id.empty()  ? lower(item.issuer_id) == row.issuer_key_id
                           : !item.issuer.empty() ? certificate && name_text(certificate->issuer_der()) == item.issuer
                                                  : true;
        if (!named) continue;
        // Another directory's Intune has no say in it; that of the same one, however many applications are registered there.
        const auto owner = co_await find_account(deps_.db, row.account);
        const auto by = owner && owner->method == AccountMethod::intune ? deps_.catalog.current()->azure_account(owner->tenant, owner->intune.azure_account) : nullptr;
        if (by && same_directory(*by, account)) co_return row;
    }
    co_return std::nullopt;
}

Task<bool> IntuneRevocations::ours(const azure::RevocationRequest& item) {
    auto none = store::values();
    const auto rows = co_await deps_.db.read(store::authority_all, std::move(none));
    for (const auto& raw : rows) {
        const auto authority = store::AuthorityRow::from(raw);
        const auto certificate = crypto::Certificate::parse(authority.certificate);
        const bool named = !item.issuer_id.empty() ? lower(item.issuer_id) == authority.key_id
                                                   : certificate && name_text(certificate->subject_der()) == item.issuer;
        if (named) co_return true;
    }
    co_return false;
}

Task<Result<std::int64_t>> IntuneRevocations::upload(azure::AccountRef account) {
    std::int64_t told = 0;
    for (;;) {
        auto key = store::values(account->id, page);
        const auto found = co_await deps_.db.read(store::intune_revocation_waiting, std::move(key));
        if (found.empty()) co_return told;
        std::vector<store::IntuneRevocationRow> rows;
        for (const auto& raw : found) rows.push_back(store::IntuneRevocationRow::from(raw));
        const auto all = rows;
        const auto sent = co_await upload_page(account, std::move(rows));
        if (!sent && sent.error().kind != ProblemKind::incorrect_response) co_return sent.error();
        // One that Intune does not take holds up the others no longer than this.
        for (std::size_t i = 0; !sent && i < all.size(); ++i) {
            std::vector<store::IntuneRevocationRow> one(1, all[i]);
            const auto taken = co_await upload_page(account, std::move(one));
            if (!taken && taken.error().kind != ProblemKind::incorrect_response) co_return taken.error();
            if (!taken) deps_.log.error("intune_result_refused", {{"azure_account", account->label()}, {"serial", all[i].serial}, {"why", taken.error().detail}});
            told += taken ? 1 : 0;
        }
        store::Batch batch;
        for (const auto& row : all) batch.add(store::intune_revocation_uploaded, store::values(row.azure_account, row.context_sha256, deps_.clock.now()), store::Expect::any);
        const auto written = co_await deps_.db.write(std::move(batch));
        static_cast<void>(written);  // it expects nothing
        if (sent) told += static_cast<std::int64_t>(all.size());
    }
}

Task<Result<void>> IntuneRevocations::upload_page(azure::AccountRef account, std::vector<store::IntuneRevocationRow> rows) {
    std::vector<azure::RevocationResult> results;
    for (auto& row : rows) results.emplace_back(std::move(row.context), code_from(row.code), std::move(row.message));
    const auto until = core::deadline_in(call_time);
    auto sent = co_await deps_.intune.upload_results(account, std::move(results), until);
    co_return sent;
}

Task<void> IntuneRevocations::prune() {
    const auto now = deps_.clock.now();
    store::Batch batch;
    batch.add(store::intune_revocation_prune, store::values(now - results_kept), store::Expect::any);
    batch.add(store::intune_request_prune, store::values(now - requests_kept), store::Expect::any);
    const auto written = co_await deps_.db.write(std::move(batch));
    static_cast<void>(written);  // it expects nothing
}

}  // namespace postern::ra
