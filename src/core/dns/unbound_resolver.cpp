#include <fcntl.h>
#include <unbound.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <system_error>
#include <unordered_set>

#include "core/async/run_on.hpp"
#include "core/base/descriptors.hpp"
#include "core/dns/names.hpp"
#include "core/dns/static_hosts.hpp"
#include "core/dns/unbound_context.hpp"

namespace postern::dns {
namespace {

namespace asio = boost::asio;

struct ResultDeleter {
    void operator()(ub_result* result) const noexcept { ::ub_resolve_free(result); }
};
using ResultPtr = std::unique_ptr<ub_result, ResultDeleter>;

std::string question(const std::string& name, RecordType type) {
    return "the look-up of " + std::string(to_string(type)) + " for " + name;
}

/// A look-up for which no socket could be opened looks like one that no name server answered.
core::Problem failed(std::string detail) {
    if (core::descriptor_left()) return dns_problem(std::move(detail));
    return {core::ProblemKind::unavailable, "this server has no file descriptor left to look names up"};
}

core::Problem timed_out(const std::string& name, RecordType type) {
    return failed(question(name, type) + " timed out; do the name servers of the zone answer?");
}

std::string_view rcode_text(int rcode) {
    switch (rcode) {
        case 1: return "FORMERR";
        case 2: return "SERVFAIL: no name server of the zone gave a usable answer";
        case 4: return "NOTIMP";
        case 5: return "REFUSED";
        default: return "an error of the name server";
    }
}

core::Result<Answer> read_result(const ub_result& result, const std::string& name, RecordType type) {
    // First of all: bogus data comes with rcode 0 and looks like any other.
    if (result.bogus != 0) {
        return dns_problem("DNSSEC validation failed for " + name + " " + std::string(to_string(type)) + ": " +
                           (result.why_bogus != nullptr ? result.why_bogus : "no reason given"));
    }
    constexpr int noerror = 0;
    constexpr int nxdomain = 3;
    if (result.rcode != noerror && result.rcode != nxdomain) {
        return failed(question(name, type) + " was answered with " + std::string(rcode_text(result.rcode)));
    }
    Answer answer;
    answer.nxdomain = result.rcode == nxdomain;
    answer.secure = result.secure != 0;
    answer.canonical_name = name;
    if (result.canonname != nullptr) {
        // A target that could not be asked for (RFC 2181 §11 allows any octet) stays as it came.
        const auto canonical = canonical_name(result.canonname);
        answer.canonical_name = canonical ? *canonical : std::string(result.canonname);
    }
    if (result.havedata != 0) {
        for (int i = 0; result.data[i] != nullptr; ++i) {
            const auto size = static_cast<std::size_t>(result.len[i]);
            answer.rdata.push_back(core::to_bytes(core::as_bytes(std::string_view(result.data[i], size))));
        }
    }
    return answer;
}

/// The context and what is under way in it. Everything but construction and destruction runs on
/// `executor_`, so a callback and a cancel never meet; every question under way keeps it. It waits for libunbound only while questions are open: an
/// idle resolver keeps no event loop alive.
class Engine : public std::enable_shared_from_this<Engine> {
public:
    Engine(const core::Executor& executor, const ResolverConfig& config)
        : executor_(executor), context_(make_context(config)), readable_(executor) {
        // A descriptor of our own: Asio closes it, and libunbound closes its pipe.
        const int fd = ::fcntl(::ub_fd(context_.get()), F_DUPFD_CLOEXEC, 0);
        if (fd < 0) throw std::system_error(errno, std::generic_category(), "dns: the resolver's pipe");
        readable_.assign(fd);
    }

    [[nodiscard]] const core::Executor& executor() const noexcept { return executor_; }

    static core::Task<core::Result<Answer>> ask(std::shared_ptr<Engine> self, std::string name, RecordType type,
                                                core::Deadline deadline) {
        // A caller that leaves ends the wait; what was begun must be taken back first, so no throw.
        co_await asio::this_coro::throw_if_cancelled(false);
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) co_return timed_out(name, type);
        Question open(*self, name, type);
        const int refused = self->start(open);
        if (refused != UB_NOERROR) co_return failed(question(name, type) + " failed: " + ::ub_strerror(refused));
        boost::system::error_code ignored;
        auto token = asio::redirect_error(asio::use_awaitable, ignored);
        open.wake.expires_at(deadline);
        co_await open.wake.async_wait(token);
        self->finish(open);
        if (!open.outcome) co_return timed_out(name, type);
        co_return *std::move(open.outcome);
    }

private:
    struct Question {
        Question(Engine& e, std::string n, RecordType t)
            : engine(e), wake(e.executor_), name(std::move(n)), type(t) {}
        Question(const Question&) = delete;
        Question& operator=(const Question&) = delete;
        ~Question() { engine.forget(*this); }
        Engine& engine;
        asio::steady_timer wake;  ///< ends the wait: the deadline, or cancelled by the answer
        std::string name;
        RecordType type;
        int id = 0;
        std::optional<core::Result<Answer>> outcome;
    };

    int start(Question& open) {
        const int outcome = ::ub_resolve_async(context_.get(), open.name.c_str(), static_cast<int>(open.type),
                                               1 /* IN */, &open, &Engine::on_answer, &open.id);
        if (outcome == UB_NOERROR) {
            open_.insert(&open);
            watch();
        }
        return outcome;
    }

    /// Once ub_cancel has returned, libunbound calls nobody for this question: it may go.
    void forget(Question& open) noexcept {
        if (open_.erase(&open) != 0 && !open.outcome) ::ub_cancel(context_.get(), open.id);
    }

    void finish(Question& open) {
        forget(open);
        if (open_.empty()) readable_.cancel();
    }

    static void on_answer(void* argument, int error, ub_result* raw) noexcept {
        const ResultPtr result(raw);
        auto& open = *static_cast<Question*>(argument);
        if (error != UB_NOERROR || !result) {
            open.outcome.emplace(failed(question(open.name, open.type) + " failed: " + ::ub_strerror(error)));
        } else {
            open.outcome.emplace(read_result(*result, open.name, open.type));
        }
        open.wake.cancel();
    }

    void watch() {
        if (watching_ || open_.empty()) return;
        watching_ = true;
        readable_.async_wait(asio::posix::descriptor_base::wait_read,
                             [self = shared_from_this()](const boost::system::error_code& error) {
                                 self->watching_ = false;
                                 if (!error) self->process();
                                 self->watch();
                             });
    }

    void process() {
        const int outcome = ::ub_process(context_.get());
        if (outcome == UB_NOERROR) return;
        // The helper thread is gone: nothing will be answered.
        for (Question* open : open_) {
            if (open->outcome) continue;
            ::ub_cancel(context_.get(), open->id);
            open->outcome.emplace(dns_problem(question(open->name, open->type) + " failed: " + ::ub_strerror(outcome)));
            open->wake.cancel();
        }
    }

    core::Executor executor_;
    Context context_;
    asio::posix::stream_descriptor readable_;
    std::unordered_set<Question*> open_;
    bool watching_ = false;
};

class UnboundResolver final : public Resolver {
public:
    UnboundResolver(const core::Executor& executor, const ResolverConfig& config)
        : hosts_(config.static_hosts), timeout_(config.timeout), engine_(std::make_shared<Engine>(executor, config)) {}

    core::Task<core::Result<Answer>> lookup(std::string name, RecordType type, core::Deadline deadline) override {
        auto asked = canonical_name(name);
        if (!asked) co_return asked.error();
        if (auto known = hosts_.find(*asked, type)) co_return *std::move(known);
        const core::Deadline until = core::earlier(deadline, core::deadline_in(timeout_));
        auto engine = engine_;
        auto body = Engine::ask(engine, *std::move(asked), type, until);
        co_return co_await core::run_on(engine->executor(), std::move(body));
    }

private:
    StaticHosts hosts_;
    std::chrono::milliseconds timeout_;
    std::shared_ptr<Engine> engine_;
};

}  // namespace

std::unique_ptr<Resolver> make_unbound_resolver(core::Executor executor, const ResolverConfig& config) {
    return std::make_unique<UnboundResolver>(executor, config);
}

}  // namespace postern::dns
