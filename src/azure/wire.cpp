#include "azure/wire.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "core/base/encoding.hpp"
#include "core/json/reader.hpp"

namespace postern::azure {

namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
    Number out{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return out;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<core::TimePoint> http_date(std::string_view text) {
    constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    constexpr std::size_t length = 29;
    if (text.size() != length || text.substr(26) != "GMT" || text[19] != ':' || text[22] != ':') return std::nullopt;
    const auto month = std::ranges::find(months, text.substr(8, 3));
    const auto day = number<unsigned>(text.substr(5, 2)), hour = number<unsigned>(text.substr(17, 2)), minute = number<unsigned>(text.substr(20, 2)),
               second = number<unsigned>(text.substr(23, 2));
    const auto year = number<int>(text.substr(12, 4));
    if (month == months.end() || !day || !year || !hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
                                           std::chrono::day(*day));
    if (!date.ok()) return std::nullopt;
    return core::TimePoint(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

/// Of an OData error, what it is called and what it says.
std::string error_of(const http::Response& response) {
    const auto body = json::Document::parse(response.body);
    if (!body) return {};
    const auto error = body->root()["error"];
    const auto code = error["code"].string(), message = error["message"].string();
    std::string out;
    if (code) out += ": " + loggable(*code);
    if (message) out += ": " + loggable(*message);
    return out;
}

Failure failure_of(const http::Response& response, const std::string& who, core::TimePoint now) {
    const auto status = response.status;
    const auto answered = who + " answered " + std::to_string(status);
    if (status == 408 || status >= 500) {
        Failure out(Trouble::unreachable, answered, "Wait; https://status.cloud.microsoft tells of outages");
        out.retry_after = retry_after(response.header("Retry-After"), now);
        return out;
    }
    if (status == 429) {
        Failure out(Trouble::throttled, who + " asks for fewer calls (429)", "Wait; other users of the same app registration count too");
        out.retry_after = retry_after(response.header("Retry-After"), now);
        return out;
    }
    if (status == 401) return {Trouble::unauthorized, who + " refuses the token (401)" + error_of(response)};
    if (status == 403) return {Trouble::permission, who + " refuses permission (403)" + error_of(response)};
    if (status == 404 || status == 410) return {Trouble::gone, answered + error_of(response)};
    return {Trouble::rejected, answered + error_of(response)};
}

/// host, and the port's digits
std::pair<std::string, std::string> authority(std::string_view origin) {
    auto rest = origin.substr(std::string_view("https://").size());
    const auto colon = rest.rfind(':');
    return {std::string(rest.substr(0, colon)), std::string(rest.substr(colon + 1))};
}

}  // namespace

std::string guid(core::Random& random) {
    auto octets = random.bytes(16);
    octets[6] = static_cast<std::uint8_t>((octets[6] & 0x0f) | 0x40);  // RFC 9562 §5.4: version 4
    octets[8] = static_cast<std::uint8_t>((octets[8] & 0x3f) | 0x80);
    auto text = core::hex(octets);
    for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, "-");
    return text;
}

std::optional<std::chrono::seconds> retry_after(std::string_view value, core::TimePoint now) {
    if (const auto seconds = number<std::uint32_t>(value)) return std::chrono::seconds(*seconds);
    const bool digits = !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    if (digits) return std::chrono::seconds(std::numeric_limits<std::uint32_t>::max());  // longer than anybody waits
    const auto date = http_date(value);
    if (!date) return std::nullopt;
    return std::max(std::chrono::ceil<std::chrono::seconds>(*date - now), std::chrono::seconds(0));
}

std::string loggable(std::string_view text) {
    constexpr std::size_t longest = 200, longest_word = 40;  // a GUID has 36
    std::string out, word;
    const auto flush = [&] {
        out += word.size() > longest_word ? "…" : word;
        word.clear();
    };
    for (const char c : text) {
        if (c != ' ' && static_cast<unsigned char>(c) > 0x20 && c != 0x7f) {
            word += c;
            continue;
        }
        flush();
        if (out.size() > longest) break;
        out += ' ';
    }
    flush();
    if (out.size() > longest) {
        out.resize(longest);
        while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xc0) == 0x80) out.pop_back();
    }
    return out;
}

core::Result<http::OutboundRequest> request_for(const Account& account, const crypto::Sealer& sealer, http::Method method, std::string url) {
    http::OutboundRequest out(method, std::move(url));
    out.ca_pem = account.ca_pem;
    if (account.proxy.empty()) return out;
    auto proxy = std::make_shared<http::Proxy>();
    proxy->url = account.proxy;
    proxy->user = account.proxy_user;
    if (!account.sealed_proxy_password.empty()) {
        const auto opened = sealer.open(proxy_password_label, sealing_context(account.id), account.sealed_proxy_password);
        if (!opened) return core::Problem(core::ProblemKind::unavailable, "the proxy's password was sealed under another master key");
        proxy->password = core::SecretText(std::string(core::as_text(opened->expose())));
    }
    out.proxy = std::move(proxy);
    return out;
}

Attempt<http::Response> judge_answer(core::Result<http::Response> answer, const std::string& who, core::TimePoint now) {
    if (!answer) {
        const auto& why = answer.error();
        if (why.check == "outbound.too_long") return Failure(Trouble::answer, who + " answered too much: " + why.detail);
        std::string advice;
        if (why.check == "outbound.tls") advice = "A proxy that opens TLS needs its CA in [outbound] ca_file, or in the account's trust_anchors";
        if (why.check == "outbound.proxy") advice = "Check proxy, proxy_user and proxy_password, of the account or of [outbound]";
        if (why.check == "outbound.dns" || why.check == "outbound.connect" || why.check == "outbound.timeout")
            advice = "Check the name server, the firewall and the proxy of this machine; it must reach port 443 of that host";
        Failure out(Trouble::unreachable, who + " is not reached: " + why.detail, advice);
        out.at_once = why.check == "outbound.stale";
        return out;
    }
    if (answer->status / 100 != 2) return failure_of(*answer, who, now);
    return std::move(*answer);
}

core::Task<Attempt<http::Response>> send(http::Outbound& outbound, http::OutboundRequest request, std::string who, core::TimePoint now,
                                         core::Deadline deadline) {
    auto answer = co_await outbound.exchange(std::move(request), deadline);
    co_return judge_answer(std::move(answer), who, now);
}

std::string origin_of(std::string_view url) {
    constexpr std::string_view scheme = "https://";
    if (url.size() <= scheme.size() || lower(url.substr(0, scheme.size())) != scheme) return {};
    const auto end = url.find_first_of("/?#", scheme.size());
    auto place = lower(url.substr(scheme.size(), end == std::string_view::npos ? end : end - scheme.size()));
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':'; };
    if (place.empty() || !std::ranges::all_of(place, plain) || std::ranges::count(place, ':') > 1) return {};
    const auto colon = place.find(':');
    if (colon == 0 || colon + 1 == place.size()) return {};
    if (colon == std::string::npos) place += ":443";
    return std::string(scheme) + place;
}

bool may_serve(const Addresses& addresses, std::string_view url) {
    const auto origin = origin_of(url);
    if (origin.empty()) return false;
    const auto [host, port] = authority(origin);
    return std::ranges::any_of(addresses.services, [&](const std::string& allowed) {
        if (allowed.starts_with('.')) return host.ends_with(allowed) && host.size() > allowed.size() && port == "443";
        return allowed == host || allowed == host + ":" + port;
    });
}

}  // namespace postern::azure
