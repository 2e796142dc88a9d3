#pragma once
#include <memory>

#include "core/dns/resolver.hpp"

struct ub_ctx;

namespace postern::dns {

struct ContextDeleter {
    void operator()(ub_ctx* context) const noexcept;
};
using Context = std::unique_ptr<ub_ctx, ContextDeleter>;

/// A finished context in thread mode. Throws std::invalid_argument naming the entry it cannot take.
Context make_context(const ResolverConfig& config);

}  // namespace postern::dns
