#include "ca/builtin/routes.hpp"

#include <algorithm>

namespace postern::ca {
namespace {

using http::Request;
using http::Response;

/// A CA certificate never changes under its key id; the short names may point elsewhere one day.
constexpr std::string_view for_a_day = "public, max-age=86400";
constexpr std::string_view for_an_hour = "public, max-age=3600";
/// A revocation must be seen within a minute, so caches keep a CRL no longer.
constexpr std::chrono::seconds crl_age{60};

struct Files {
    Files(std::function<Hierarchy()> h, std::shared_ptr<CrlSigner> c, const core::Clock& k)
        : hierarchy(std::move(h)), crls(std::move(c)), clock(k) {}
    std::function<Hierarchy()> hierarchy;
    std::shared_ptr<CrlSigner> crls;
    const core::Clock& clock;
};

/// A list that may lack revocations which clients have seen would take them back.
Response held_back() {
    Response out(503, "text/plain", "no CRL is published until this restored installation is opened\n");
    out.set("Retry-After", "300");
    return out;
}

Response absent() {
    return {404, "text/plain; charset=utf-8", "There is no such file here.\n"};
}

Response der_file(const crypto::Certificate& certificate, std::string_view cache) {
    Response out(200, "application/pkix-cert", std::string(core::as_text(certificate.der())));
    out.set("Cache-Control", cache);
    return out;
}

Response pem_file(const std::vector<const crypto::Certificate*>& certificates, std::string_view cache) {
    std::string text;
    for (const auto* each : certificates) text += crypto::to_pem("CERTIFICATE", each->der());
    Response out(200, "application/x-pem-file", std::move(text));
    out.set("Cache-Control", cache);
    return out;
}

/// "KEYID", or "SUBJECT-ISSUER" of what one root says of another's key; null: none of ours. It lives as long as `hierarchy`.
const crypto::Certificate* find_certificate(const Hierarchy& hierarchy, std::string_view name) {
    if (const auto authority = hierarchy.find(name)) return &authority->certificate;
    for (const auto& each : hierarchy.crossed)
        if (each->subject_id + "-" + each->issuer_id == name) return &each->certificate;
    return nullptr;
}

/// Today's first: who takes only one takes the right one.
Response roots_file(const Hierarchy& hierarchy, core::TimePoint now) {
    std::vector<const crypto::Certificate*> all;
    const auto trusted = hierarchy.trusted(now);
    for (auto each = trusted.rbegin(); each != trusted.rend(); ++each) all.push_back(&(*each)->certificate);
    return pem_file(all, for_an_hour);
}

Response certificate_file(const Files& files, std::string_view name) {
    const auto hierarchy = files.hierarchy();
    const auto now = files.clock.now();
    const auto root = hierarchy.root(now);
    if (name == "root.pem") return pem_file({&root->certificate}, for_an_hour);
    if (name == "root.cer") return der_file(root->certificate, for_an_hour);
    if (name == "roots.pem") return roots_file(hierarchy, now);
    if (name == "chain.pem") return pem_file({&hierarchy.today(now)->certificate, &root->certificate}, for_an_hour);
    const bool pem = name.ends_with(".pem");
    if (!pem && !name.ends_with(".cer")) return absent();
    const auto* found = find_certificate(hierarchy, name.substr(0, name.size() - 4));
    if (found == nullptr) return absent();
    return pem ? pem_file({found}, for_a_day) : der_file(*found, for_a_day);
}

Response crl_file(const Files& files, const Request& request) {
    const auto crl = files.crls->newest(request.params["key"]);
    if (request.params["shard"] != "0.crl") return absent();
    if (!crl && files.hierarchy().find(request.params["key"])) return held_back();
    if (!crl) return absent();
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(crl->next_update - files.clock.now());
    const auto age = std::clamp(left, std::chrono::seconds(0), crl_age);
    const std::string tag = "\"" + std::to_string(crl->number) + "\"";
    const bool known = request.header("If-None-Match") == tag;
    Response out = known ? Response(304) : Response(200, "application/pkix-crl", std::string(core::as_text(crl->der)));
    out.set("Cache-Control", "public, max-age=" + std::to_string(age.count()));
    out.set("ETag", tag);
    return out;
}

core::Task<Response> serve_certificate(std::shared_ptr<const Files> files, const Request& request) {
    co_return certificate_file(*files, request.params["file"]);
}

core::Task<Response> serve_crl(std::shared_ptr<const Files> files, const Request& request) {
    co_return crl_file(*files, request);
}

}  // namespace

void add_authority_routes(http::Router& router, std::function<Hierarchy()> hierarchy, std::shared_ptr<CrlSigner> crls,
                          const core::Clock& clock) {
    const auto files = std::make_shared<const Files>(std::move(hierarchy), std::move(crls), clock);
    http::RouteLimits limits;
    limits.body_bytes = 0;
    router.add(http::Method::get, "/ca/{file:file}", limits,
               [files](const Request& request) { return serve_certificate(files, request); });
    router.add(http::Method::get, "/crl/{key:label}/{shard:file}", limits,
               [files](const Request& request) { return serve_crl(files, request); });
}

}  // namespace postern::ca
