#include "api/call.hpp"
#include "core/json/writer.hpp"

/// The built-in CA's own authorities, and the RA certificates that come from elsewhere.
namespace postern::api {

namespace {

std::optional<core::Problem> refuse_tenants(const Call& call) {
    if (!call.principal.tenant) return std::nullopt;
    return core::Problem(core::ProblemKind::forbidden, "the built-in CA is every tenant's; ask an administrator of the installation");
}

}  // namespace

/// -> {"authorities": [{"authority", "role", "issuer", "subject", "notAfter", "takesOver"?}], "crossCertificates": [{"subject", "issuer", "serial", "notBefore",
/// "notAfter"}]}: roots first, of these today's; role is root, next_root, former_root, withdrawn_root, issuing, successor, former or withdrawn
core::Task<Answer> list_authorities(Call call) { co_return json_response(200, call.deps.operations.authorities()); }

/// {"takesOver": "2027-01-31T00:00:00Z", "root": false} -> {"authority", "takesOver", "notAfter", "root"?: {"authority", "notAfter", "sha256"}}
core::Task<Answer> prepare_successor(Call call) {
    if (auto refused = refuse_tenants(call)) co_return std::move(*refused);
    const auto body = read_body(call.request, {"takesOver", "root"});
    if (!body) co_return body.error();
    Operations::SuccessorOrder order;
    const auto wish = body->root()["takesOver"];
    const auto text = wish.string();
    if (!text) co_return text.error();
    const auto at = core::from_rfc3339(*text);
    if (!at) co_return wish.problem("expected a time such as \"2027-01-31T00:00:00Z\"");
    order.takes_over = *at;
    if (const auto root = body->root()["root"]; root.exists()) {
        const auto flag = root.boolean();
        if (!flag) co_return flag.error();
        order.new_root = *flag;
    }
    auto principal = call.principal;
    auto done = co_await call.deps.operations.prepare_successor(order, std::move(principal), call.request.id);
    if (!done) co_return done.error();
    co_return json_response(201, std::move(*done));
}

/// -> {"authority", "root"?}: the one that waited, and the root that came with it
core::Task<Answer> withdraw_successor(Call call) {
    if (auto refused = refuse_tenants(call)) co_return std::move(*refused);
    auto principal = call.principal;
    auto done = co_await call.deps.operations.withdraw_successor(std::move(principal), call.request.id);
    if (!done) co_return done.error();
    co_return json_response(200, std::move(*done));
}

/// {"endpoint", "key": PEM, "certificates": PEM} -> {"serial", "until", "warning"?}. A private key crosses no network for this.
core::Task<Answer> import_ra(Call call) {
    if (!call.request.peer.unix_uid)
        co_return core::Problem(core::ProblemKind::forbidden, "a private key is taken on the server's own machine only: run the verb there, with --data");
    const auto body = read_body(call.request, {"endpoint", "key", "certificates"});
    if (!body) co_return body.error();
    const auto root = body->root();
    Operations::RaImport import;
    const auto endpoint = root["endpoint"].string();
    if (!endpoint) co_return endpoint.error();
    import.endpoint = *endpoint;
    const auto key = root["key"].string();
    if (!key) co_return key.error();
    import.key = core::SecretText(std::string(*key));
    const auto certificates = root["certificates"].string();
    if (!certificates) co_return certificates.error();
    import.certificates = *certificates;
    auto principal = call.principal;
    auto done = co_await call.deps.operations.import_ra(std::move(import), std::move(principal), call.request.id);
    if (!done) co_return done.error();
    co_return json_response(201, std::move(*done));
}

}  // namespace postern::api
