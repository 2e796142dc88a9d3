#include "api/call.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"
#include "core/json/escape.hpp"
#include "core/json/writer.hpp"
#include "ra/imported_certificates.hpp"

/// Certificates of predecessors. They have routes of their own: nobody here issued them, so nobody here revokes them.
namespace postern::api {

namespace {

constexpr std::int64_t page_limit = 1000;
constexpr std::size_t most_text = 200;

void write(json::Writer& w, const store::ImportedCertificateRow& c, core::TimePoint now) {
    const auto status = c.status == "issued" && c.not_after < now ? std::string("expired") : c.status;
    w.begin_object()
        .member("serial", core::hex(c.serial))
        .member("sha256", core::hex(c.sha256))
        .member("subject", c.subject)
        .key("names")
        .raw(c.names)
        .member("status", status)
        .member("notBefore", core::rfc3339(c.not_before))
        .member("notAfter", core::rfc3339(c.not_after))
        .member("imported", core::rfc3339(c.created));
    if (c.successor) w.member("successor", c.successor->get());
}

core::Result<std::string> read_text(const json::Value& value) {
    const auto text = value.string();
    if (!text) return text.error();
    if (text->empty() || text->size() > most_text || json::printable(*text) != *text) return value.problem("expected one line of 1 to 200 octets");
    return std::string(*text);
}

core::Result<ra::ImportedCertificates::Order> read_order(const json::Value& root) {
    ra::ImportedCertificates::Order order;
    for (const auto& [name, to] : {std::pair("predecessor", &order.predecessor), std::pair("endpoint", &order.endpoint), std::pair("account", &order.account),
                                   std::pair("source", &order.source)}) {
        auto text = read_text(root[name]);
        if (!text) return text.error();
        *to = std::move(*text);
    }
    if (const auto said = root["import"]; said.exists()) {
        const auto number = said.integer();
        if (!number) return number.error();
        order.continues = *number;
    }
    const auto items = root["certificates"].items();
    if (items.empty() || items.size() > ra::ImportedCertificates::most_of_a_part)
        return root["certificates"].problem("expected 1 to " + std::to_string(ra::ImportedCertificates::most_of_a_part) + " certificates, base64 of DER");
    order.certificates.reserve(items.size());
    for (const auto& item : items) {
        const auto text = item.string();
        if (!text) return text.error();
        auto der = core::from_base64(*text);
        if (!der) return item.problem("expected base64 of DER");
        order.certificates.push_back(std::move(*der));
    }
    return order;
}

}  // namespace

/// {"predecessor", "endpoint", "account", "source", "certificates": [base64 of DER], "import"?} -> {"import", "added", "known", "expired",
/// "refused": [{"index", "why"}]}: a further part names the import of the first.
core::Task<Answer> import_certificates(Call call) {
    const auto body = read_body(call.request, {"predecessor", "endpoint", "account", "source", "certificates", "import"});
    if (!body) co_return body.error();
    auto order = read_order(body->root());
    if (!order) co_return order.error();
    const auto report = co_await call.deps.imported_certificates.add(std::move(*order), call.principal, call.request.id);
    if (!report) co_return report.error();
    json::Writer w;
    w.begin_object().member("import", report->import).member("added", report->added).member("known", report->known).member("expired", report->expired);
    w.key("refused").begin_array();
    for (const auto& [index, why] : report->refused) w.begin_object().member("index", static_cast<std::int64_t>(index)).member("why", json::printable(why)).end_object();
    w.end_array().end_object();
    co_return json_response(200, w.take());
}

/// ?after=ID&limit=N&search=TEXT: one JSON object a line; X-Next-After names the next page.
core::Task<Answer> list_imported_certificates(Call call) {
    const auto after = query_number(call.request, "after", 0, 0, std::numeric_limits<std::int64_t>::max());
    if (!after) co_return after.error();
    const auto limit = query_number(call.request, "limit", page_limit, 1, page_limit);
    if (!limit) co_return limit.error();
    auto search = call.request.query_value("search").value_or("");
    if (search.size() > most_text) co_return core::Problem(core::ProblemKind::malformed, "search: at most 200 octets");
    const auto rows = co_await call.deps.imported_certificates.page(*after, *limit, std::move(search), call.principal);
    const auto now = call.deps.clock.now();
    std::string body;
    std::int64_t last = 0;
    for (const auto& raw : rows) {
        const auto row = store::ImportedCertificateRow::from(raw);
        json::Writer w;
        write(w, row, now);
        w.end_object();
        body += w.take() + "\n";
        last = row.id.get();
    }
    http::Response response(200, "application/x-ndjson", std::move(body));
    response.set("Cache-Control", "no-store");
    if (static_cast<std::int64_t>(rows.size()) == *limit && last > 0) response.set("X-Next-After", std::to_string(last));
    co_return response;
}

/// ?hex=: serial or SHA-256; one JSON object a line, with "pem"
core::Task<Answer> find_imported_certificates(Call call) {
    auto hex = call.request.query_value("hex").value_or("");
    const auto rows = co_await call.deps.imported_certificates.find(hex, call.principal);
    if (rows.empty()) co_return core::Problem(core::ProblemKind::not_found, "no imported certificate with serial or SHA-256 " + hex);
    const auto now = call.deps.clock.now();
    std::string body;
    for (const auto& row : rows) {
        json::Writer w;
        write(w, row, now);
        w.member("pem", crypto::to_pem("CERTIFICATE", row.der)).end_object();
        body += w.take() + "\n";
    }
    http::Response response(200, "application/x-ndjson", std::move(body));
    response.set("Cache-Control", "no-store");
    co_return response;
}

/// {"hex": serial or SHA-256} -> {"removed": how many}
core::Task<Answer> remove_imported_certificate(Call call) {
    const auto body = read_body(call.request, {"hex"});
    if (!body) co_return body.error();
    const auto hex = body->root()["hex"].string();
    if (!hex) co_return hex.error();
    const auto done = co_await call.deps.imported_certificates.remove(std::string(*hex), call.principal, call.request.id);
    if (!done) co_return done.error();
    json::Writer w;
    w.begin_object().member("removed", static_cast<std::int64_t>(*done)).end_object();
    co_return json_response(200, w.take());
}

}  // namespace postern::api
