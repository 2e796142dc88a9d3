#include "ra/access_codes.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>

#include "core/async/deadline.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/argon2.hpp"
#include "core/crypto/digest.hpp"
#include "ra/catalog.hpp"

namespace postern::ra {

namespace {

constexpr std::size_t shortest = 12, longest = 255, fewest_kinds = 6;

constexpr std::chrono::seconds longest_wait(10);

}  // namespace

namespace {

/// `label` separates what else is looked up by a hash.
std::string lookup_id(const crypto::Sealer& sealer, std::string_view label, std::string_view mark, core::EndpointId endpoint, std::string_view secret) {
    std::string text = std::to_string(endpoint.get()) + "/";
    text += secret;
    const core::SecretBytes input(core::Bytes(text.begin(), text.end()));
    core::cleanse(text.data(), text.size());
    return std::string(mark) + core::base64url(sealer.lookup_hash(label, input.expose()));
}

}  // namespace

std::string access_code_id(const crypto::Sealer& sealer, core::EndpointId endpoint, std::string_view code) {
    return lookup_id(sealer, "access-code", "code-", endpoint, code);
}

std::string password_id(const crypto::Sealer& sealer, core::EndpointId endpoint, std::string_view user, std::string_view password) {
    core::SecretText pair(std::string(user) + ":" + std::string(password));
    return lookup_id(sealer, "basic-password", "basic-", endpoint, pair.expose());
}

core::Task<std::optional<Account>> find_account_by_password(store::Database& db, const crypto::Sealer& sealer, core::EndpointId endpoint,
                                                            std::string user, core::SecretText password) {
    if (password.empty()) co_return std::nullopt;
    auto account = co_await find_account_by_public_id(db, endpoint, password_id(sealer, endpoint, user, password.expose()));
    if (!account || (account->method != AccountMethod::basic && account->method != AccountMethod::certificate)) co_return std::nullopt;
    co_return account;
}

core::Task<std::optional<Account>> find_account_by_access_code(store::Database& db, const crypto::Sealer& sealer, core::EndpointId endpoint,
                                                               std::string code) {
    if (code.empty()) co_return std::nullopt;  // an empty secret denies, it never means "no check"
    auto account = co_await find_account_by_public_id(db, endpoint, access_code_id(sealer, endpoint, code));
    if (!account || account->method != AccountMethod::access_code) co_return std::nullopt;
    co_return account;
}

std::string why_no_access_code(std::string_view code) {
    if (code.empty()) return "it is empty";
    if (code.size() < shortest || code.size() > longest) return "it has " + std::to_string(code.size()) + " characters; 12 to 255 are needed";
    if (!std::ranges::all_of(code, [](char c) { return c > ' ' && c < 0x7f; })) return "only visible ASCII characters arrive unchanged from every device";
    if (std::set<char>(code.begin(), code.end()).size() < fewest_kinds) return "it has fewer than six different characters";
    return {};
}

core::Bytes seal_chosen_code(const crypto::Sealer& sealer, core::AccountId account, std::string_view code, core::Random& random) {
    const auto hash = crypto::argon2id(code, random);
    return sealer.seal(account_secret_label, account_secret_context(account), core::as_bytes(hash));
}

bool is_chosen_code(const crypto::Sealer& sealer, core::AccountId account, core::BytesView sealed, std::string_view code) {
    if (code.empty()) return false;
    const auto hash = sealer.open(account_secret_label, account_secret_context(account), sealed);
    return hash && crypto::argon2id_matches(core::as_text(hash->expose()), code);
}

/// One that waits for its turn; its timer belongs to its executor.
struct ChosenCodes::Waiting {
    Waiting(const core::Executor& e, std::string s, core::Deadline until) : executor(e), source(std::move(s)), timer(e, until) {}
    core::Executor executor;
    std::string source;
    boost::asio::steady_timer timer;
    bool granted = false;  ///< under the mutex
};

/// A place among those that may hash, or in their line; passed on when its frame ends, however that comes.
class ChosenCodes::Turn {
public:
    explicit Turn(ChosenCodes& codes) : codes_(codes) {
        const std::lock_guard lock(codes_.mutex_);
        if (codes_.running_ == most_at_once) return;
        ++codes_.running_;
        taken_ = true;
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
        const std::lock_guard lock(codes_.mutex_);
        if (waiting_ && !waiting_->granted) {
            std::erase(codes_.line_, waiting_);
            return;
        }
        if (!taken_ && !waiting_) return;
        if (codes_.line_.empty()) {
            --codes_.running_;
            return;
        }
        const auto next = codes_.line_.front();
        codes_.line_.pop_front();
        next->granted = true;
        boost::asio::post(next->executor, [next] { next->timer.expires_at(std::chrono::steady_clock::now()); });
    }
    [[nodiscard]] bool taken() const {
        const std::lock_guard lock(codes_.mutex_);
        return taken_ || (waiting_ && waiting_->granted);
    }
    /// Null: too many wait.
    std::shared_ptr<Waiting> line_up(const core::Executor& executor, std::string source, core::Deadline until) {
        const std::lock_guard lock(codes_.mutex_);
        const auto of_source = std::ranges::count_if(codes_.line_, [&](const auto& each) { return each->source == source; });
        if (codes_.line_.size() == most_waiting || static_cast<std::size_t>(of_source) == most_of_source) return nullptr;
        waiting_ = std::make_shared<Waiting>(executor, std::move(source), until);
        codes_.line_.push_back(waiting_);
        return waiting_;
    }

private:
    ChosenCodes& codes_;
    bool taken_ = false;
    std::shared_ptr<Waiting> waiting_;
};

ChosenCodes::~ChosenCodes() = default;
ChosenCodes::ChosenCodes(const crypto::Sealer& sealer, core::CpuPool& pool, core::Random& random, const core::Clock& clock)
    : sealer_(sealer), pool_(pool), clock_(clock), process_key_(random.bytes(32)) {}

core::Bytes ChosenCodes::key_of(const Account& account, std::string_view code) const {
    std::string text = std::to_string(account.id.get()) + "/" + std::to_string(account.version) + "/";
    text += code;
    const core::SecretBytes input(core::Bytes(text.begin(), text.end()));
    return crypto::hmac(crypto::HmacHash::sha256, process_key_.expose(), input.expose());
}

bool ChosenCodes::remembered(const core::Bytes& key) {
    const std::lock_guard lock(mutex_);
    const auto found = until_.find(key);
    if (found == until_.end()) return false;
    if (found->second > clock_.steady()) return true;
    until_.erase(found);
    return false;
}

void ChosenCodes::remember(core::Bytes key) {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.steady();
    if (until_.size() >= most_remembered) std::erase_if(until_, [&](const auto& each) { return each.second <= now; });
    if (until_.size() < most_remembered) until_[std::move(key)] = now + remembered_for;
}

core::Task<core::Result<ChosenCodes::Verdict>> ChosenCodes::judge(Account account, core::SecretText code, std::string source, core::Deadline until) {
    auto key = key_of(account, code.expose());
    if (remembered(key)) co_return Verdict::right;
    Turn turn(*this);
    if (!turn.taken()) {
        const core::Executor executor = co_await boost::asio::this_coro::executor;
        const auto waiting = turn.line_up(executor, std::move(source), std::min(until, core::deadline_in(longest_wait)));
        if (waiting) co_await waiting->timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        // A fleet that begins with one code needs one hash.
        if (remembered(key)) co_return Verdict::right;
    }
    if (!turn.taken()) {
        core::Problem busy(core::ProblemKind::unavailable, "other challenges are being judged; ask again");
        busy.retry_after = std::chrono::seconds(1);
        co_return busy;
    }
    const auto work = [&] { return is_chosen_code(sealer_, account.id, account.secret_sealed, code.expose()); };
    const auto right = co_await pool_.run(work);
    if (!right) co_return right.error();
    if (!*right) co_return Verdict::wrong;
    remember(std::move(key));
    co_return Verdict::right;
}

}  // namespace postern::ra
