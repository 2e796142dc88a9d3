#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <memory>
#include <mutex>
#include <vector>

#include "core/async/shards.hpp"

namespace postern::core {
namespace {

/// Never destroyed, for the same reason as its contexts.
struct Idle {
    std::mutex mutex;
    std::vector<boost::asio::io_context*> contexts;

    static Idle& all() {
        static auto* const idle = new Idle;
        return *idle;
    }
};

/// A context that outlives its use: the thread of another executor that has just delivered a task's
/// result may still be inside the context's functions when run() has returned.
class LentContext {
public:
    LentContext();
    ~LentContext();
    LentContext(const LentContext&) = delete;
    LentContext& operator=(const LentContext&) = delete;

    boost::asio::io_context& operator*() const noexcept { return *context_; }

private:
    boost::asio::io_context* context_;
};

LentContext::LentContext() {
    {
        Idle& idle = Idle::all();
        const std::lock_guard lock(idle.mutex);
        if (!idle.contexts.empty()) {
            context_ = idle.contexts.back();
            idle.contexts.pop_back();
            context_->restart();
            return;
        }
    }
    context_ = std::make_unique<boost::asio::io_context>(1).release();
}

LentContext::~LentContext() {
    // One that still has work, because a handler threw, is never lent again.
    if (!context_->stopped()) return;
    Idle& idle = Idle::all();
    const std::lock_guard lock(idle.mutex);
    idle.contexts.push_back(context_);
}

}  // namespace

void run_to_end(Task<void> task) {
    const LentContext context;
    // What stands until it ends: one that is destroyed before, because what it waited for was dropped, tells nobody.
    auto failure = std::make_exception_ptr(boost::system::system_error(boost::asio::error::operation_aborted, "a task was dropped before its end"));
    boost::asio::co_spawn(*context, std::move(task), [&](std::exception_ptr e) { failure = e; });
    (*context).run();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace postern::core
