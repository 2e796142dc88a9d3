#include "core/http/curl_outbound.hpp"

#include <pthread.h>

#include <boost/asio/async_result.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <deque>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <unordered_map>

#include "core/http/curl_transfer.hpp"

namespace postern::http {

namespace {

namespace asio = boost::asio;
using core::Problem;
using core::ProblemKind;
using core::Result;
using TransferPtr = std::shared_ptr<Transfer>;

Problem stopped() { return {ProblemKind::unavailable, "the server stops", "outbound.full"}; }

struct MultiDeleter {
    void operator()(CURLM* multi) const noexcept { ::curl_multi_cleanup(multi); }
};

/// What callers and the loop's thread share. Outlives either: a cancellation may come late.
class Desk {
public:
    Desk(std::size_t limit, CURLM* multi) : limit_(limit), multi_(multi) {}

    /// False: refused, and `transfer` is the caller's to finish.
    bool hand_over(const TransferPtr& transfer, Problem& why) {
        const std::lock_guard lock(mutex_);
        if (multi_ == nullptr) {
            why = stopped();
            return false;
        }
        if (open_ >= limit_) {
            why = Problem(ProblemKind::unavailable, "too many calls of other services wait already", "outbound.full");
            why.retry_after = std::chrono::seconds(2);
            return false;
        }
        ++open_;
        incoming_.push_back(transfer);
        ::curl_multi_wakeup(multi_);
        return true;
    }
    void leave(TransferPtr transfer) {
        const std::lock_guard lock(mutex_);
        if (multi_ == nullptr) return;
        leaving_.push_back(std::move(transfer));
        ::curl_multi_wakeup(multi_);
    }
    /// False once it is closed.
    bool take(std::deque<TransferPtr>& incoming, std::deque<TransferPtr>& leaving) {
        const std::lock_guard lock(mutex_);
        incoming = std::exchange(incoming_, {});
        leaving = std::exchange(leaving_, {});
        return multi_ != nullptr;
    }
    void close() {
        const std::lock_guard lock(mutex_);
        if (multi_ != nullptr) ::curl_multi_wakeup(std::exchange(multi_, nullptr));
    }
    void done() {
        const std::lock_guard lock(mutex_);
        --open_;
    }

private:
    std::mutex mutex_;
    std::size_t limit_, open_ = 0;
    CURLM* multi_;  ///< to wake the loop; null: closed
    std::deque<TransferPtr> incoming_, leaving_;
};

/// The thread's side: all handles, and nobody else touches them.
class Loop {
public:
    Loop(const OutboundConfig& config, CURLM* multi, std::shared_ptr<Desk> desk) : config_(config), multi_(multi), desk_(std::move(desk)) {}

    void run() {
        std::deque<TransferPtr> incoming, leaving;
        for (bool open = true; open;) {
            open = desk_->take(incoming, leaving);
            for (auto& transfer : incoming) begin(std::move(transfer));
            for (const auto& transfer : leaving) end(transfer->handle(), stopped());
            if (!open) break;
            int running = 0;
            check(::curl_multi_perform(multi_, &running));
            int left = 0;
            while (const auto* message = ::curl_multi_info_read(multi_, &left)) {
                if (message->msg != CURLMSG_DONE) continue;
                auto* handle = message->easy_handle;
                const auto found = open_.find(handle);
                if (found != open_.end()) end(handle, found->second->outcome(message->data.result));
            }
            constexpr int at_most_ms = 10'000;  // its own timers and a wake-up end it sooner
            check(::curl_multi_poll(multi_, nullptr, 0, at_most_ms, nullptr));
        }
        while (!open_.empty()) end(open_.begin()->first, stopped());
    }

private:
    static void check(CURLMcode code) {
        if (code != CURLM_OK) throw std::runtime_error(std::string("libcurl: ") + ::curl_multi_strerror(code));
    }
    void begin(TransferPtr transfer) {
        std::optional<Problem> refused;
        try {
            refused = transfer->prepare(config_);
            if (!refused) check(::curl_multi_add_handle(multi_, transfer->handle()));
        } catch (const std::exception& fault) {
            refused = Problem(ProblemKind::internal, fault.what(), "outbound.request");
        }
        if (refused) return conclude(*transfer, std::move(*refused));
        auto* handle = transfer->handle();
        open_.emplace(handle, std::move(transfer));
    }
    void end(CURL* handle, Result<Response> outcome) {
        const auto found = open_.find(handle);
        if (found == open_.end()) return;  // it was over already
        ::curl_multi_remove_handle(multi_, handle);
        const auto transfer = std::move(found->second);
        open_.erase(found);
        conclude(*transfer, std::move(outcome));
    }
    void conclude(Transfer& transfer, Result<Response> outcome) {
        desk_->done();
        transfer.finish(std::move(outcome));
    }

    const OutboundConfig& config_;
    CURLM* multi_;
    std::shared_ptr<Desk> desk_;
    std::unordered_map<CURL*, TransferPtr> open_;
};

class CurlOutbound final : public Outbound {
public:
    explicit CurlOutbound(OutboundConfig config) : config_(std::move(config)) {
        if (::curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::runtime_error("libcurl cannot be initialised");
        const auto* version = ::curl_version_info(CURLVERSION_NOW);
        if ((version->features & CURL_VERSION_SSL) == 0 || (version->features & CURL_VERSION_ASYNCHDNS) == 0)
            throw std::runtime_error("this libcurl has no TLS, or looks names up in one thread");
        multi_.reset(::curl_multi_init());
        if (!multi_) throw std::bad_alloc();
        constexpr long kept = 64;
        ::curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, kept);
        desk_ = std::make_shared<Desk>(config_.at_once, multi_.get());
        thread_ = std::thread([this] {
            // TLS writes to sockets that a peer has closed; whoever embeds this may not ignore the signal.
            sigset_t pipe;
            ::sigemptyset(&pipe);
            ::sigaddset(&pipe, SIGPIPE);
            ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
            Loop(config_, multi_.get(), desk_).run();
        });
    }
    ~CurlOutbound() override {
        desk_->close();
        thread_.join();
    }
    CurlOutbound(const CurlOutbound&) = delete;
    CurlOutbound& operator=(const CurlOutbound&) = delete;

    core::Task<Result<Response>> exchange(OutboundRequest request, core::Deadline deadline) override {
        auto executor = co_await asio::this_coro::executor;
        auto transfer = std::make_shared<Transfer>(std::move(request), deadline);
        auto waiting = asio::async_initiate<const asio::use_awaitable_t<>, void(Result<Response>)>(
            [](auto handler, TransferPtr handed, core::Executor where, std::shared_ptr<Desk> desk) {
                auto slot = asio::get_associated_cancellation_slot(handler);
                handed->wait(std::move(handler), std::move(where));
                Problem why;
                if (!desk->hand_over(handed, why)) return handed->finish(std::move(why));
                if (slot.is_connected())
                    slot.assign([desk, weak = std::weak_ptr<Transfer>(handed)](asio::cancellation_type) {
                        if (auto alive = weak.lock()) desk->leave(std::move(alive));
                    });
            },
            asio::use_awaitable, transfer, executor, desk_);
        auto answer = co_await std::move(waiting);
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) throw boost::system::system_error(asio::error::operation_aborted);
        co_return answer;
    }

private:
    OutboundConfig config_;
    std::unique_ptr<CURLM, MultiDeleter> multi_;
    std::shared_ptr<Desk> desk_;
    std::thread thread_;
};

}  // namespace

std::unique_ptr<Outbound> make_curl_outbound(OutboundConfig config) { return std::make_unique<CurlOutbound>(std::move(config)); }

}  // namespace postern::http
