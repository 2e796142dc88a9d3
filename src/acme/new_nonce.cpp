#include "acme/handlers.hpp"

namespace postern::acme {

/// RFC 8555 §7.2. The nonce itself is on every answer; certbot and lego ask by HEAD, acme-tiny by
/// GET before each POST.
core::Task<Reply> new_nonce(Parts&, Call& call) {
    if (const auto read = expect_post_as_get(call); !read) co_return read.error();
    co_return http::Response(call.request.method == http::Method::head ? 200U : 204U);
}

}  // namespace postern::acme
