#include "acme/handlers.hpp"
#include "core/json/writer.hpp"

namespace postern::acme {

namespace {
constexpr std::int64_t page_size = 100;
}

/// The orders list (RFC 8555 §7.1.2.1), a hundred a page. The cursor is the token of the last order
/// seen: numbers stay inside.
core::Task<Reply> orders(Parts& parts, Call& call) {
    if (call.token() != call.requester().token) co_return not_found();
    if (const auto read = expect_post_as_get(call); !read) co_return read.error();
    std::int64_t after = 0;
    if (const auto cursor = call.request.query_value("after")) {
        auto parameters = store::values(*cursor, call.requester().id);
        const auto row = co_await store::read_one(parts.deps.db, store::acme_order_cursor, std::move(parameters));
        if (!row) co_return not_found();
        after = row->integer(0);
    }
    auto parameters = store::values(call.requester().id, after, parts.now(), page_size + 1);
    const store::Rows rows = co_await parts.deps.db.read(store::acme_order_page, std::move(parameters));
    const std::size_t shown = std::min(rows.size(), static_cast<std::size_t>(page_size));
    json::Writer w;
    w.begin_object().key("orders").begin_array();
    for (std::size_t i = 0; i < shown; ++i) w.string(call.urls.order(rows[i].text(1)));
    w.end_array().end_object();
    http::Response r = json_response(200, w.take());
    if (shown < rows.size())
        r.set("Link", "<" + call.urls.orders(call.token()) + "?after=" + rows[shown - 1].text(1) + ">;rel=\"next\"");
    co_return r;
}

}  // namespace postern::acme
