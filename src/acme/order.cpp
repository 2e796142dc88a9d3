#include "acme/handlers.hpp"
#include "acme/render.hpp"

namespace postern::acme {

core::Task<std::optional<store::AcmeOrderRow>> find_order(Parts& parts, const Call& call) {
    auto parameters = store::values(call.token(), call.requester().id);
    const auto row = co_await store::read_one(parts.deps.db, store::acme_order_owned, std::move(parameters));
    if (!row) co_return std::nullopt;
    co_return store::AcmeOrderRow::from(*row);
}

/// RFC 8555 §7.4: the order as it is now.
core::Task<Reply> order(Parts& parts, Call& call) {
    if (const auto read = expect_post_as_get(call); !read) co_return read.error();
    const auto found = co_await find_order(parts, call);
    if (!found) co_return not_found();
    co_return co_await order_response(parts, call, 200, *found);
}

}  // namespace postern::acme
