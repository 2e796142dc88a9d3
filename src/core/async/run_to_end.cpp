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

}  // namespace

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

}  // namespace postern::core
