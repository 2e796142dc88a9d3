#include "ra/explanation.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "core/base/encoding.hpp"
#include "core/crypto/serial_text.hpp"
#include "core/json/writer.hpp"
#include "ra/enrollment_steps.hpp"
#include "ra/names.hpp"
#include "ra/reports.hpp"
#include "store/tables/acme_authorization.hpp"
#include "store/tables/acme_order.hpp"
#include "store/tables/audit.hpp"
#include "store/tables/authority.hpp"
#include "store/tables/enrollment_name.hpp"
#include "store/tables/objects.hpp"

namespace postern::ra {

namespace {

using core::Task;

/// An answer stays readable; what is left out are the oldest.
constexpr std::size_t records_most = 400;
/// Of one name.
constexpr std::int64_t enrollments_most = 100;
/// How far refusals are looked through for a name or an account: pages of 500.
constexpr int refusal_pages = 20;

bool in_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == '*'; }

/// `word` in `text`, not as a part of a longer name.
bool speaks_of(std::string_view text, std::string_view word) {
    for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
        const auto end = at + word.size();
        if ((at == 0 || !in_name(text[at - 1])) && (end == text.size() || !in_name(text[end]))) return true;
    }
    return false;
}

/// Gathers records from several sides; each once.
class Explanation {
public:
    Explanation(store::Database& db, const Principal& by) : db_(db), by_(by) {}

    Task<void> request(std::string id) {
        auto key = store::values(id, by_.tenant);
        const auto rows = co_await db_.read(store::audit_by_request, std::move(key));
        keep(rows);
    }
    /// What an officer was asked is told to its end: the decision has a request id of its own.
    Task<void> decisions() {
        std::vector<std::string> asked;
        for (const auto& [id, row] : records_)
            if (row.text(6) == "request.awaiting_approval") asked.push_back(row.text(8));
        for (auto& enrollment : asked) co_await object("enrollment", std::move(enrollment));
    }
    Task<void> object(std::string_view kind, std::string id) {
        if (!seen_.insert(std::string(kind) + " " + id).second) co_return;
        auto key = store::values(kind, id, by_.tenant);
        const auto rows = co_await db_.read(store::audit_by_object, std::move(key));
        keep(rows);
    }
    /// Orders with all that belongs to them: id, token, enrollment or NULL.
    Task<void> orders(const store::Statement& statement, store::Values key) {
        const auto rows = co_await db_.read(statement, std::move(key));
        for (const auto& row : rows) {
            auto token = row.text(1);
            co_await object("acme_order", std::move(token));
            auto order = store::values(row.integer(0));
            const auto authorizations = co_await db_.read(store::acme_order_authorizations, std::move(order));
            for (const auto& a : authorizations) {
                auto authorization = a.text(0);
                co_await object("acme_authorization", std::move(authorization));
            }
            if (row.null(2)) continue;
            auto enrollment_id = std::to_string(row.integer(2));
            co_await object("enrollment", std::move(enrollment_id));
        }
    }
    Task<void> enrollment(std::int64_t id) {
        auto text = std::to_string(id);
        co_await object("enrollment", std::move(text));
        auto key = store::values(id);
        co_await orders(store::acme_order_by_enrollment, std::move(key));
    }
    /// What names it, the newest of them, and its certificates with it.
    Task<void> enrollments_named(std::string text) {
        auto key = store::values(name_key(std::move(text)), by_.tenant, enrollments_most);
        const auto rows = co_await db_.read(store::enrollment_by_name, std::move(key));
        for (const auto& row : rows) co_await enrollment(row.integer(0));
    }
    Task<void> certificate(const store::Statement& statement, store::Values key) {
        const auto rows = co_await db_.read(statement, std::move(key));
        for (const auto& raw : rows) {
            const auto row = store::CertificateRow::from(raw);
            co_await enrollment(row.enrollment.get());
        }
    }
    /// ACME accounts: id, token.
    Task<void> acme_accounts(const store::Statement& statement, store::Values key) {
        const auto rows = co_await db_.read(statement, std::move(key));
        for (const auto& row : rows) {
            refused_.push_back(row.text(1));
            auto token = row.text(1);
            co_await object("acme_account", std::move(token));
            auto account = store::values(row.integer(0));
            co_await orders(store::acme_orders_by_account, std::move(account));
        }
    }
    /// Refusals leave no row but their record: the newest of them are looked through for what was named.
    Task<void> refusals() {
        std::int64_t before = std::numeric_limits<std::int64_t>::max();
        for (int page = 0; page < refusal_pages && !refused_.empty(); ++page) {
            auto key = store::values(before, by_.tenant);
            const auto rows = co_await db_.read(store::audit_not_done_page, std::move(key));
            for (const auto& row : rows) {
                before = row.integer(0);
                const auto matches = [&](const std::string& word) {
                    return row.text(5) == word || row.text(8) == word || speaks_of(row.text(11), word);
                };
                if (std::any_of(refused_.begin(), refused_.end(), matches)) records_.emplace(before, row);
            }
            if (rows.empty()) co_return;
        }
    }
    /// One of the built-in CA's, by its key id; it is every tenant's. Of the first ones there is no record: they came with the first start.
    Task<void> authority(std::string key_id) {
        const auto rows = co_await db_.read(store::authority_all, store::Values());
        const auto successions = co_await db_.read(store::succession_all, store::Values());
        const auto named = [&](const store::Row& row) { return row.text(0) == key_id; };
        const auto found = std::find_if(rows.begin(), rows.end(), named);
        if (found == rows.end()) co_return;
        const auto row = store::AuthorityRow::from(*found);
        // A root takes over with the first issuing CA under it, and their record is the root's.
        std::optional<core::TimePoint> takes_over;
        for (const auto& raw : rows) {
            const auto other = store::AuthorityRow::from(raw);
            if (other.kind != "issuing" || (other.key_id != row.key_id && other.issuer_id != row.key_id)) continue;
            const auto dated = std::find_if(successions.begin(), successions.end(), [&](const store::Row& s) { return s.text(0) == other.key_id; });
            const auto day = dated == successions.end() ? core::TimePoint{} : dated->time(1);
            takes_over = std::min(takes_over.value_or(day), day);
        }
        tell_of(row, takes_over.value_or(core::TimePoint{}));
        auto own = row.key_id, above = row.issuer_id;
        co_await object("authority", std::move(own));
        if (row.kind == "root") co_return;
        auto key = store::values("authority", above, by_.tenant);
        const auto of_root = co_await db_.read(store::audit_by_object, std::move(key));
        for (const auto& record : of_root)
            if (speaks_of(record.text(11), row.key_id)) records_.emplace(record.integer(0), record);
    }
    void look_for(std::string word) { refused_.push_back(std::move(word)); }
    [[nodiscard]] bool empty() const noexcept { return records_.empty() && authority_.empty(); }
    [[nodiscard]] std::string render(const std::string& reference) const;

private:
    void tell_of(const store::AuthorityRow& row, core::TimePoint takes_over) {
        const auto certificate = crypto::Certificate::parse(row.certificate);
        const bool withdrawn = takes_over >= store::never_takes_over;
        json::Writer w;
        w.begin_object().member("authority", row.key_id).member("kind", row.kind).member("issuer", row.issuer_id);
        if (certificate) w.member("subject", certificate->subject().to_text()).member("notAfter", core::rfc3339(certificate->not_after()));
        w.member("made", core::rfc3339(row.created)).member("withdrawn", withdrawn);
        if (!withdrawn && takes_over > core::TimePoint{}) w.member("takesOver", core::rfc3339(takes_over));
        authority_ = w.end_object().take();
    }
    void keep(const store::Rows& rows) {
        for (const auto& row : rows) records_.emplace(row.integer(0), row);
    }
    store::Database& db_;
    const Principal& by_;
    std::set<std::string> seen_;
    std::vector<std::string> refused_;
    std::map<std::int64_t, store::Row> records_;
    std::string authority_;  ///< JSON; empty: none was asked for
};

std::string Explanation::render(const std::string& reference) const {
    json::Writer w;
    auto from = records_.begin();
    const bool truncated = records_.size() > records_most;
    if (truncated) std::advance(from, static_cast<std::ptrdiff_t>(records_.size() - records_most));
    w.begin_object().member("reference", reference).member("request", from == records_.end() ? std::string() : from->second.text(3)).member("truncated", truncated);
    if (!authority_.empty()) w.key("authority").raw(authority_);
    w.key("records").begin_array();
    for (; from != records_.end(); ++from) {
        const auto& r = from->second;
        w.begin_object()
            .member("at", core::rfc3339(r.time(1)))
            .member("request", r.text(3))
            .member("actor", r.text(4) + " " + r.text(5))
            .member("action", r.text(6))
            .member("object", r.text(7) + (r.text(8).empty() ? "" : " " + r.text(8)))
            .member("outcome", r.text(9))
            .member("check", r.text(10))
            .key("detail")
            .raw(r.text(11))
            .end_object();
    }
    w.end_array().end_object();
    return w.take();
}

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    const bool whole = error == std::errc() && end == text.data() + text.size() && n > 0;
    return whole ? std::optional(n) : std::nullopt;
}

Task<void> by_number(Explanation& found, std::int64_t n) {
    co_await found.enrollment(n);
    if (!found.empty()) co_return;
    auto key = store::values(n);
    co_await found.certificate(store::certificate_by_id, std::move(key));
}

Task<void> by_serial(Explanation& found, core::Bytes serial) {
    auto key = store::values(serial);
    co_await found.certificate(store::certificate_by_serial, std::move(key));
}

Task<void> by_token(Explanation& found, std::string token) {
    const auto key = store::values(token);
    auto order = key, authorization = key, certificate = key, account = key;
    co_await found.orders(store::acme_order_by_token, std::move(order));
    co_await found.orders(store::acme_orders_by_authorization, std::move(authorization));
    auto ordered_by_none = token;  // newAuthz
    co_await found.object("acme_authorization", std::move(ordered_by_none));
    co_await found.certificate(store::certificate_by_token, std::move(certificate));
    co_await found.acme_accounts(store::acme_account_traced, std::move(account));
    // A finalize whose claim was taken back.
    if (!found.empty()) found.look_for(token);
}

Task<void> by_account(store::Database& db, const Principal& by, Explanation& found, std::string reference) {
    const auto slash = reference.find('/');
    const auto name = slash == std::string::npos ? reference : reference.substr(slash + 1);
    std::optional<std::string> tenant;
    if (slash != std::string::npos) tenant = reference.substr(0, slash);
    auto key = store::values(name, by.tenant, tenant);
    const auto rows = co_await db.read(store::account_by_name, std::move(key));
    for (const auto& row : rows) {
        auto whole = row.text(1) + "/" + row.text(2), alone = row.text(2);
        co_await found.object("account", std::move(whole));
        co_await found.object("account", std::move(alone));
        auto credential = store::values(row.integer(0));
        co_await found.acme_accounts(store::acme_accounts_by_credential, std::move(credential));
    }
}

/// As crypto::to_text writes them, mailboxes and principal names also without the kind.
bool is_identity(std::string_view reference) {
    const bool prefixed = reference.starts_with("email:") || reference.starts_with("uri:") || reference.starts_with("upn:");
    return prefixed || reference.find('@') != std::string_view::npos;
}

Task<void> by_name(const Principal& by, Explanation& found, std::string reference) {
    if (is_identity(reference)) {
        const bool prefixed = reference.starts_with("email:") || reference.starts_with("uri:") || reference.starts_with("upn:");
        std::vector<std::string> texts{reference};
        if (!prefixed) texts = {"email:" + reference, "upn:" + reference};
        for (auto& text : texts) co_await found.enrollments_named(std::move(text));
        auto folded = name_key(reference);  // as normalize_mailbox has it
        if (folded != reference) found.look_for(std::move(folded));
        found.look_for(std::move(reference));
        co_return;
    }
    if (reference.ends_with('.')) reference.pop_back();
    NameRules rules;
    rules.single_label = true;
    if (auto address = crypto::canonical_ip(reference); !address.empty()) {
        found.look_for(address);
        co_await found.enrollments_named(std::move(address));
        co_return;
    }
    const auto name = normalize_dns(reference, rules);
    if (!name) co_return;
    co_await found.enrollments_named(*name);
    auto key = store::values(name->starts_with("*.") ? name->substr(2) : *name, by.tenant);
    co_await found.orders(store::acme_orders_by_name, std::move(key));
    found.look_for(*name);
}

}  // namespace

core::Task<core::Result<std::string>> explain(store::Database& db, const Principal& by, std::string reference) {
    Explanation found(db, by);
    // A correlation id first: what logs, headers and refusals show. It stands for that request alone.
    auto request = reference, token = reference, account = reference, name = reference;
    co_await found.request(std::move(request));
    co_await found.decisions();
    if (!found.empty()) co_return found.render(reference);

    if (const auto key_id = crypto::key_id_from_text(reference)) {
        auto authority = core::hex(*key_id);
        co_await found.authority(std::move(authority));
        if (!found.empty()) co_return found.render(reference);
    }

    const auto n = number(reference);
    if (n) co_await by_number(found, *n);
    auto bytes = crypto::serial_from_text(reference);
    if (bytes && found.empty()) co_await by_serial(found, std::move(*bytes));
    const bool looks_like_token = reference.size() == 22 && core::from_base64url(reference);
    if (looks_like_token && found.empty()) co_await by_token(found, std::move(token));
    // What was refused of a SCEP transaction; one that was issued stands under its enrollment.
    if (found.empty()) co_await found.object("scep_transaction", reference);
    // Of an EST client, as its refusals name it: "user factory", "device 4711", "certificate 1f…".
    if (found.empty()) co_await found.object("est_request", reference);
    if (found.empty()) co_await by_account(db, by, found, std::move(account));
    if (found.empty()) co_await by_name(by, found, std::move(name));
    co_await found.refusals();
    if (!found.empty()) co_return found.render(reference);
    core::Problem absent(core::ProblemKind::not_found,
                         "nothing is recorded under " + reference +
                             "; give a request id (X-Request-Id), the number of an enrollment or certificate, a serial, the token of an "
                             "order, authorization, certificate or account from its URL, the key id of a CA of ours, a SCEP transactionID, an EST client as a refusal names it (\"user factory\"), an account's name, a DNS name or an e-mail address, uri:… or upn:…. What was refused "
                             "before a credential was judged, or was one of too many, is in the log only");
    co_return absent;
}

}  // namespace postern::ra
