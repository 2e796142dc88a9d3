#include "api/call.hpp"
#include "ra/reports.hpp"

namespace postern::api {

core::Task<Answer> explain(Call call) {
    auto text = co_await ra::explain(call.deps.db, call.principal, call.request.params["reference"]);
    if (!text) co_return text.error();
    co_return json_response(200, std::move(*text));
}

}  // namespace postern::api
