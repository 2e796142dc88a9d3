#include "api/call.hpp"
#include "ra/explanation.hpp"

namespace postern::api {

/// ?reference=…
core::Task<Answer> explain(Call call) {
    auto reference = call.request.query_value("reference");
    if (!reference || reference->empty() || reference->size() > 300)
        co_return core::Problem(core::ProblemKind::malformed, "reference: expected 1 to 300 characters");
    auto text = co_await ra::explain(call.deps.db, call.principal, std::move(*reference));
    if (!text) co_return text.error();
    co_return json_response(200, std::move(*text));
}

}  // namespace postern::api
