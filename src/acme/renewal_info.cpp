#include <algorithm>

#include "acme/certificate_id.hpp"
#include "acme/handlers.hpp"
#include "core/json/writer.hpp"

namespace postern::acme {

namespace {

using std::chrono::seconds;

/// A certificate for less is renewed at half of its life, so that a failure leaves time for another try.
constexpr std::chrono::hours short_life{24 * 10};
/// How wide the window is, so that not all of a fleet come at once: this part of the life.
constexpr int parts_of_life = 30;
constexpr seconds longest_pause{6 * 3600}, shortest_pause{60};
/// How long caches may tell what they have heard: who asks learns of a revocation after that.
constexpr seconds longest_kept{3600};

struct Window {
    Window(core::TimePoint s, core::TimePoint e) : start(s), end(e) {}
    core::TimePoint start, end;
};

Window window_of(const store::CertificateRow& certificate) {
    // What is revoked is to be replaced now: the window is over.
    if (certificate.revoked) return {core::floor_seconds(*certificate.revoked) - std::chrono::hours(1), core::floor_seconds(*certificate.revoked)};
    const auto life = certificate.not_after - certificate.not_before;
    const auto until = life < short_life ? life / 2 : life / 3 * 2;
    const auto start = core::floor_seconds(certificate.not_before + until);
    const auto end = core::floor_seconds(start + life / parts_of_life);
    return {start, std::max(end, start + seconds(1))};
}

/// When to ask again (RFC 9773 §4.3.2): several times within the window.
seconds pause_of(const Window& window) {
    const auto width = std::chrono::duration_cast<seconds>(window.end - window.start);
    return std::clamp(width / 4, shortest_pause, longest_pause);
}

}  // namespace

/// RFC 9773 §4.2: for anybody, and for caches.
core::Task<Reply> renewal_info(Parts& parts, Call& call) {
    const auto id = parse_certificate_id(call.request.params["certificate"]);
    if (!id) co_return id.error();
    const auto certificate = co_await find_certificate(parts, call, *id);
    if (!certificate) co_return Error(ErrorType::malformed, 404, "this certificate was not issued here");
    const Window window = window_of(*certificate);
    const seconds pause = pause_of(window);
    json::Writer w;
    w.begin_object().key("suggestedWindow").begin_object();
    w.member("start", core::rfc3339(window.start)).member("end", core::rfc3339(window.end)).end_object().end_object();
    http::Response answer = json_response(200, w.take());
    answer.set("Retry-After", std::to_string(pause.count()));
    answer.set("Cache-Control", "public, max-age=" + std::to_string(std::min(pause, longest_kept).count()));
    co_return answer;
}

}  // namespace postern::acme
