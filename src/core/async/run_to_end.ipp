#pragma once
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <optional>

namespace postern::core {

template <class T>
T run_to_end(Task<T> task) {
    boost::asio::io_context context(1);
    std::exception_ptr failure;
    if constexpr (std::is_void_v<T>) {
        boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr e) { failure = e; });
        context.run();
        if (failure) std::rethrow_exception(failure);
    } else {
        std::optional<T> value;
        boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr e, T v) {
            failure = e;
            if (!e) value.emplace(std::move(v));
        });
        context.run();
        if (failure) std::rethrow_exception(failure);
        return std::move(*value);
    }
}

}  // namespace postern::core
