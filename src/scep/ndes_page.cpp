#include "scep/ndes_page.hpp"

#include <algorithm>

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"

namespace postern::scep {

namespace {

constexpr std::chrono::minutes good_for(60);

/// What IIS does with a page; the texts here are ASCII.
std::string utf16(std::string_view text) {
    std::string out("\xff\xfe", 2);
    out.reserve(2 + text.size() * 2);
    for (const char c : text) {
        out += c;
        out += '\0';
    }
    return out;
}

http::Response page(std::string_view content) {
    std::string html = "<HTML><Head><Meta HTTP-Equiv=\"Content-Type\" Content=\"text/html; charset=UTF-16\">"
                       "<Title>Network Device Enrollment Service</Title></Head><Body>\r\n"
                       "<P> Network Device Enrollment Service allows you to obtain certificates for routers or other network devices using the "
                       "Simple Certificate Enrollment Protocol (SCEP). </P>\r\n";
    html += content;
    html += "</Body></HTML>\r\n";
    http::Response response(200, "text/html; charset=UTF-16", utf16(html));
    response.set("Cache-Control", "no-store");
    response.set("X-Content-Type-Options", "nosniff");
    response.set("X-Frame-Options", "DENY");
    response.set("Referrer-Policy", "no-referrer");
    return response;
}

/// Browsers send the password of Basic by themselves, also where another site's page sent them here. They say so (Fetch
/// Metadata); programs say nothing.
bool sent_by_another_site(const http::Request& request) {
    const auto site = request.header("Sec-Fetch-Site");
    return !site.empty() && site != "none" && site != "same-origin";
}

http::Response not_from_there() {
    http::Response response(403, "text/plain; charset=utf-8", "another site's page sent you here; type the address of this one yourself\n");
    response.set("Cache-Control", "no-store");
    return response;
}

/// A password that nobody reads would take the place of one that somebody needs.
http::Response reads_nothing() {
    http::Response response(405, "text/plain; charset=utf-8", "each request makes a password; use GET or POST\n");
    response.set("Allow", "GET, POST");
    response.set("Cache-Control", "no-store");
    return response;
}

/// The same for a missing, a wrong and an expired token.
http::Response unauthenticated() {
    http::Response response(401, "text/plain; charset=utf-8", "authenticate with the token of a principal that mints challenges as the password\n");
    response.set("WWW-Authenticate", "Basic realm=\"postern\", charset=\"UTF-8\"");
    response.set("Cache-Control", "no-store");
    return response;
}

http::Response not_permitted() {
    return page("<P> You do not have sufficient permission to enroll with SCEP. Please contact your system administrator. </P>\r\n");
}

/// As Windows shows it: eight hexadecimal digits at a time.
std::string thumbprint(const core::Bytes& certificate) {
    const auto hex = core::hex(crypto::sha1(certificate));
    std::string out;
    for (std::size_t i = 0; i < hex.size(); ++i) {
        if (i > 0 && i % 8 == 0) out += ' ';
        const char c = hex[i];
        out += c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return out;
}

/// The password of HTTP Basic, empty where there is none.
std::string basic_password(std::string_view header) {
    constexpr std::string_view scheme = "basic ";
    const auto same = [](char wanted, char given) { return wanted == (given >= 'A' && given <= 'Z' ? given - 'A' + 'a' : given); };
    if (header.size() < scheme.size() || !std::equal(scheme.begin(), scheme.end(), header.begin(), same)) return {};
    const auto decoded = core::from_base64(header.substr(scheme.size()));
    if (!decoded) return {};
    const auto text = core::as_text(*decoded);
    const auto colon = text.find(':');
    return colon == text.npos ? std::string() : std::string(text.substr(colon + 1));
}

}  // namespace

core::Task<http::Response> NdesPage::serve(const http::Request& request) {
    if (request.method == http::Method::head) co_return reads_nothing();
    if (sent_by_another_site(request)) co_return not_from_there();
    auto token = basic_password(request.header("Authorization"));
    const auto principal = co_await deps_.principals.from_token(std::move(token));
    if (!principal) co_return unauthenticated();
    const auto name = std::string(request.params["endpoint"]);
    using ra::Role;
    if (principal->role != Role::enroller && principal->role > Role::officer) {
        ra::Principal by = *principal;
        core::RequestId id = request.id;
        co_await deps_.principals.record_refusal(std::move(by), Role::enroller, "/scep/" + name + "/certsrv/mscep_admin/", std::move(id));
        co_return not_permitted();
    }
    ra::ChallengeWish wish;
    wish.endpoint = name;
    wish.unbound = true;
    wish.lifetime = good_for;
    ra::Principal by = *principal;
    core::RequestId id = request.id;
    const auto minted = co_await deps_.challenges.mint(std::move(wish), std::move(by), std::move(id));
    if (!minted) {
        const auto& problem = minted.error();
        deps_.log.warning("scep_no_password", {{"request", request.id.get()}, {"endpoint", name}, {"principal", principal->name}, {"check", problem.check}, {"why", problem.detail}});
        if (problem.kind == core::ProblemKind::rate_limited)
            co_return page("<P> The password cache is full. </P> <P> You cannot obtain a new password until one of those that were given out is used or expires. </P>\r\n");
        co_return not_permitted();
    }
    const auto catalog = deps_.catalog.current();
    const auto* endpoint = catalog->endpoint(ra::Protocol::scep, name);
    const auto source = endpoint ? ra_source(*catalog, *endpoint) : RaSource();
    const auto credentials = deps_.ra_credentials.of(source);
    const auto issuers = credentials->empty() ? CertificateList() : deps_.ra_credentials.chain_of(source, credentials->front()).issuers;
    std::string content = "<P> To complete certificate enrollment for your network device you will need the following information: </P>\r\n";
    if (!issuers.empty())
        content += "<P> The thumbprint (hash value) for the CA certificate is: <B> " + thumbprint(issuers.front().der()) + " </B> </P>\r\n";
    content += "<P> The enrollment challenge password is: <B> " + minted->text.expose() + " </B> </P>\r\n"
               "<P> This password can be used only once and will expire within 60 minutes. </P>\r\n"
               "<P> Each enrollment requires a new challenge password. You can refresh this web page to obtain a new challenge password. </P>\r\n";
    co_return page(content);
}

void NdesPage::add_routes(http::Router& router) {
    http::RouteLimits limits;
    limits.body_bytes = 4096;
    const auto handler = [this](const http::Request& request) { return serve(request); };
    router.add(http::Method::get, "/scep/{endpoint:label}/certsrv/mscep_admin", limits, handler);
    router.add(http::Method::post, "/scep/{endpoint:label}/certsrv/mscep_admin", limits, handler);
    router.add(http::Method::get, "/scep/{endpoint:label}/certsrv/mscep_admin/", limits, handler);
    router.add(http::Method::post, "/scep/{endpoint:label}/certsrv/mscep_admin/", limits, handler);
}

}  // namespace postern::scep
