#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <optional>

namespace postern::core {

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

template <class T>
T run_to_end(Task<T> task) {
    const LentContext context;
    // What stands until it ends: one that is destroyed before, because what it waited for was dropped, tells nobody.
    auto failure = std::make_exception_ptr(boost::system::system_error(boost::asio::error::operation_aborted, "a task was dropped before its end"));
    if constexpr (std::is_void_v<T>) {
        boost::asio::co_spawn(*context, std::move(task), [&](std::exception_ptr e) { failure = e; });
        (*context).run();
        if (failure) std::rethrow_exception(failure);
    } else {
        std::optional<T> value;
        boost::asio::co_spawn(*context, std::move(task), [&](std::exception_ptr e, T v) {
            failure = e;
            if (!e) value.emplace(std::move(v));
        });
        (*context).run();
        if (failure) std::rethrow_exception(failure);
        return std::move(*value);
    }
}

}  // namespace postern::core
