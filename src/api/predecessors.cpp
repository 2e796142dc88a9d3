#include "api/call.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "core/json/escape.hpp"
#include "core/json/writer.hpp"
#include "ra/predecessors.hpp"

/// CAs that tenants moved away from.
namespace postern::api {

namespace {

constexpr std::size_t longest_name = 64;

void write(json::Writer& w, const ra::Predecessor& p) {
    w.member("name", p.row.name).member("crl", p.row.crl_url).member("ocsp", p.row.ocsp_url).member("crlFile", p.row.crl_file);
    w.member("updated", core::rfc3339(p.row.updated)).member("updatedBy", p.row.updated_by).key("certificates").begin_array();
    for (const auto& c : p.certificates)
        w.begin_object()
            .member("subject", json::printable(c.subject().to_text()))
            .member("notAfter", core::rfc3339(c.not_after()))
            .member("sha256", core::hex(crypto::sha256(c.der())))
            .end_object();
    w.end_array();
}

/// What stands in documents, lists and audit records: a word as names of objects are.
core::Result<std::string> read_name(const json::Value& value) {
    const auto text = value.string();
    if (!text) return text.error();
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
    if (text->empty() || text->size() > longest_name || text->find_first_not_of(letters) != std::string_view::npos)
        return value.problem("expected 1 to 64 of a-z, 0-9, '.', '-' and '_'");
    return std::string(*text);
}

core::Result<core::Bytes> read_der(const json::Value& value) {
    const auto text = value.string();
    if (!text) return text.error();
    auto der = core::from_base64(*text);
    if (!der || der->empty()) return value.problem("expected base64 of DER");
    return std::move(*der);
}

core::Result<ra::Predecessors::Order> read_order(const json::Value& root) {
    ra::Predecessors::Order order;
    auto name = read_name(root["name"]);
    if (!name) return name.error();
    order.name = std::move(*name);
    const auto tenant = root["tenant"].optional_string();
    if (!tenant) return tenant.error();
    order.tenant = tenant->value_or("");
    for (const auto& item : root["certificates"].items()) {
        auto der = read_der(item);
        if (!der) return der.error();
        order.certificates.push_back(std::move(*der));
    }
    const auto crl = root["crl"].optional_string(), ocsp = root["ocsp"].optional_string();
    if (!crl) return crl.error();
    if (!ocsp) return ocsp.error();
    if (*crl) order.crl_url = std::string(**crl);
    if (*ocsp) order.ocsp_url = std::string(**ocsp);
    if (const auto list = root["crlDer"]; list.exists()) {
        if (*crl) return list.problem("a CRL has a URL or comes as a file, not both");
        auto der = read_der(list);
        if (!der) return der.error();
        order.crl = std::move(*der);
    }
    return order;
}

}  // namespace

/// {"name", "tenant"?, "certificates": [base64 of DER]?, "crl"?: URL, "crlDer"?: base64, "ocsp"?: URL}: a new one, or more of one.
core::Task<Answer> put_predecessor(Call call) {
    const auto body = read_body(call.request, {"name", "tenant", "certificates", "crl", "crlDer", "ocsp"});
    if (!body) co_return body.error();
    auto order = read_order(body->root());
    if (!order) co_return order.error();
    const auto done = co_await call.deps.predecessors.put(std::move(*order), call.principal, call.request.id);
    if (!done) co_return done.error();
    json::Writer w;
    w.begin_object();
    write(w, *done);
    w.end_object();
    co_return json_response(200, w.take());
}

/// ?name=: that one; one JSON object a line
core::Task<Answer> list_predecessors(Call call) {
    auto name = call.request.query_value("name").value_or("");
    const auto listed = co_await call.deps.predecessors.list(call.principal, std::move(name));
    std::string body;
    for (const auto& each : listed) {
        json::Writer w;
        w.begin_object();
        write(w, each.predecessor);
        w.member("tenant", each.tenant).member("imported", each.imported).member("left", each.left).end_object();
        body += w.take() + "\n";
    }
    http::Response response(200, "application/x-ndjson", std::move(body));
    response.set("Cache-Control", "no-store");
    co_return response;
}

/// {"name", "tenant"?, "withCertificates"?: bool} -> {"certificates": how many left with it}
core::Task<Answer> remove_predecessor(Call call) {
    const auto body = read_body(call.request, {"name", "tenant", "withCertificates"});
    if (!body) co_return body.error();
    auto name = read_name(body->root()["name"]);
    if (!name) co_return name.error();
    const auto tenant = body->root()["tenant"].optional_string();
    if (!tenant) co_return tenant.error();
    bool with_certificates = false;
    if (const auto said = body->root()["withCertificates"]; said.exists()) {
        const auto flag = said.boolean();
        if (!flag) co_return flag.error();
        with_certificates = *flag;
    }
    auto of = std::string(tenant->value_or(""));
    const auto done = co_await call.deps.predecessors.remove(std::move(of), std::move(*name), with_certificates, call.principal, call.request.id);
    if (!done) co_return done.error();
    json::Writer w;
    w.begin_object().member("certificates", *done).end_object();
    co_return json_response(200, w.take());
}

}  // namespace postern::api
