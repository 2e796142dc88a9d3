#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>

#include "core/async/fail_point.hpp"
#include "core/base/secret.hpp"
#include "core/base/unavailable.hpp"
#include "core/http/answer.hpp"
#include "core/http/chunked.hpp"
#include "core/http/head.hpp"
#include "core/http/input_buffer.hpp"
#include "core/http/server_state.hpp"
#include "core/http/tls_stream.hpp"

namespace postern::http {
namespace asio = boost::asio;

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A handler's own waits end at its deadline; one that is still away after this has lost its client.
constexpr seconds handler_grace(5);
/// How long, and how much, is still taken from a peer that was told to go (a reset would destroy
/// the answer on its way).
constexpr seconds farewell_time(2);
/// For a peer that is in the middle of a request that was refused.
constexpr seconds drain_time(10);
constexpr std::size_t farewell_bytes = 16 * 1024 * 1024;
constexpr std::size_t kept_answer = 16 * 1024;
constexpr std::size_t body_read = 16 * 1024;
/// Longer bodies go out from where they are, and have a second more for each such part.
constexpr std::size_t long_body = 64 * 1024;
constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view unavailable = "the service cannot do this at the moment; try again later";
constexpr std::string_view internal = "internal error";

/// Keeps the shard's list and the counters right, whichever way the session ends.
class Registered {
public:
    Registered(const Listener& listener, ShardState& shard, Connection& connection)
        : listener_(listener), shard_(shard), connection_(connection),
          place_(shard.strangers.insert(shard.strangers.end(), &connection)) {
        listener_.open.add(1);
    }
    Registered(const Registered&) = delete;
    Registered& operator=(const Registered&) = delete;
    ~Registered() {
        (served_ ? shard_.connections : shard_.strangers).erase(place_);
        connection_.finish();
        listener_.open.add(-1);
    }

    /// The last to give way, when the server is full.
    void served() noexcept {
        shard_.connections.splice(shard_.connections.end(), served_ ? shard_.connections : shard_.strangers, place_);
        served_ = true;
    }

private:
    const Listener& listener_;
    ShardState& shard_;
    Connection& connection_;
    std::list<Connection*>::iterator place_;
    bool served_ = false;
};

class Session {
public:
    Session(ServerState& server, const Listener& listener, ShardState& shard, Connection& connection,
            Registered& registered, Peer peer)
        : server_(server), own_limits_(server.limits()), limits_(*own_limits_), listener_(listener), shard_(shard), connection_(connection),
          registered_(registered), peer_(std::move(peer)) {}

    core::Task<void> run();

private:
    core::Task<bool> open();
    core::Task<bool> read_head(Refusal& refusal, HeadScanner& scanner);
    core::Task<Refusal> read_body(const Framing& framing, std::size_t limit, std::string& body);
    core::Task<ErrorCode> read_more(std::size_t wanted = 0);
    core::Task<bool> one_request();
    core::Task<Response> handle(const Router::Match& match, const Request& request);
    core::Task<bool> answer(const Request& request, const Response& response, std::string_view pattern,
                            const Framing& framing, bool close);
    /// What stands in out_; in two parts when a fault is planned between them.
    core::Task<ErrorCode> send_answer();
    core::Task<void> farewell();
    void log_answer(const Request& request, unsigned status, Clock::duration took);

    Request new_request() {
        Request request;
        request.id = server_.deps.random.request_id();
        request.peer = peer_;
        return request;
    }
    /// URLs never come from Host; a name that is not ours means a client that wanted somebody else (H08).
    [[nodiscard]] bool answers_for(const std::string& host) const {
        const auto& ours = listener_.endpoint.hosts;
        if (const auto& any = listener_.endpoint.any_host; any && any->load(std::memory_order_relaxed)) return true;
        return ours.empty() || host.empty() || std::ranges::find(ours, host) != ours.end();
    }
    [[nodiscard]] bool stopping() const noexcept { return server_.stopping.load(std::memory_order_relaxed); }

    ServerState& server_;
    std::shared_ptr<const ServerLimits> own_limits_;
    const ServerLimits& limits_;
    const Listener& listener_;
    ShardState& shard_;
    Connection& connection_;
    Registered& registered_;
    Peer peer_;
    std::unique_ptr<Stream> stream_;
    InputBuffer in_;
    std::string out_;
    Clock::time_point request_began_{};
    bool first_ = true;
    bool unread_ = false;    ///< a request was refused before its end
    bool answered_ = false;  ///< the last thing we did was to answer and to say that we close
};

/// Makes the stream. The TLS state, which is what costs memory, is made at the first byte.
core::Task<bool> Session::open() {
    if (stopping()) co_return false;
    if (!listener_.tls) {
        stream_ = plain_stream(connection_.socket());
        co_return true;
    }
    const auto until = core::deadline_in(limits_.handshake);
    connection_.enter(Phase::idle, until);
    const ErrorCode woken = co_await connection_.socket().wait_readable();
    if (stopping()) co_return false;
    if (woken) {
        listener_.unshaken.add();
        co_return false;
    }
    connection_.enter(Phase::handshake, until);
    auto tls = tls_server_stream(connection_.socket(), listener_.tls->current());
    const bool shaken = co_await tls->handshake();
    if (!shaken) {
        listener_.unshaken.add();
        server_.deps.log.debug("tls_handshake_failed", {{"listener", listener_.endpoint.name},
                                                        {"peer", peer_.address},
                                                        {"reason", tls->reason()}});
        co_return false;
    }
    peer_.tls = true;
    if (listener_.tls->client() == TlsContext::ClientCertificate::requested) {
        peer_.client_certificate = tls->peer_certificate();
        peer_.tls_facts = std::make_shared<const TlsFacts>(tls->facts());
    }
    stream_ = std::move(tls);
    co_return true;
}

core::Task<ErrorCode> Session::read_more(std::size_t wanted) {
    const Received got = co_await stream_->read_some(in_.room(wanted));
    in_.filled(got.bytes);
    co_return got.error;
}

/// False: the connection ended, or has nothing more to say. A refusal is still to be answered.
core::Task<bool> Session::read_head(Refusal& refusal, HeadScanner& scanner) {
    if (in_.empty()) {
        in_.rest();
        // A new connection has to speak within the head's time; between requests, idle applies.
        connection_.enter(Phase::idle, core::deadline_in(first_ ? limits_.head : limits_.idle));
        if (stopping()) co_return false;
        const ErrorCode ended = co_await read_more();
        if (ended) co_return false;
    }
    first_ = false;
    request_began_ = Clock::now();
    connection_.enter(Phase::head, request_began_ + limits_.head);
    while (!scanner.scan(in_.view(), refusal)) {
        if (refusal) co_return true;
        const ErrorCode ended = co_await read_more();
        if (!ended) continue;
        if (!connection_.timed_out()) co_return false;
        refusal = Refusal(408, "the head of the request took too long to arrive");
        co_return true;
    }
    co_return true;
}

/// Status 0: the body is there. A connection that ended in the middle is a refusal that nobody reads.
core::Task<Refusal> Session::read_body(const Framing& framing, std::size_t limit, std::string& body) {
    static constexpr std::string_view too_long = "the body is longer than this path takes";
    static constexpr std::string_view cut_off = "the connection ended within the body";
    if (framing.content_length > limit) co_return Refusal(413, too_long);
    connection_.enter(Phase::body, core::deadline_in(limits_.body));
    if (framing.expects_continue && in_.empty()) {
        const ErrorCode failed = co_await stream_->write(go_on);
        if (failed) co_return Refusal(400, cut_off);
    }
    ChunkedDecoder decoder(limit);
    std::uint64_t left = framing.content_length;
    // What is claimed is not reserved: memory follows what arrives.
    body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(left, body_read)));
    for (;;) {
        if (framing.chunked) {
            std::size_t used = 0;
            const auto state = decoder.feed(in_.view(), body, used);
            in_.consume(used);
            if (state == ChunkedDecoder::State::done) co_return Refusal();
            if (state == ChunkedDecoder::State::too_long) co_return Refusal(413, too_long);
            if (state == ChunkedDecoder::State::malformed) co_return Refusal(400, "the body is not in the chunked coding");
        } else {
            const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left, in_.view().size()));
            body.append(in_.view().substr(0, n));
            in_.consume(n);
            left -= n;
            if (left == 0) co_return Refusal();
        }
        const ErrorCode ended = co_await read_more(body_read);
        if (!ended) continue;
        if (connection_.timed_out()) co_return Refusal(408, "the body of the request took too long to arrive");
        co_return Refusal(400, cut_off);
    }
}

/// The one place where exceptions of handlers end.
core::Task<Response> Session::handle(const Router::Match& match, const Request& request) {
    std::exception_ptr failure;
    std::string what;
    std::optional<seconds> retry_after;
    try {
        auto work = (*match.handler)(request);
        Response response = co_await std::move(work);
        co_return response;
    } catch (const core::Unavailable& e) {
        failure = std::current_exception();
        what = e.what();
        retry_after = e.retry_after();
    } catch (const std::exception& e) {
        failure = std::current_exception();
        what = e.what();
    } catch (...) {
        failure = std::current_exception();
        what = "an exception of unknown type";
    }
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none) std::rethrow_exception(failure);
    if (retry_after) {
        server_.deps.log.warning("handler_unavailable",
                                 {{"request", request.id.get()}, {"route", match.pattern}, {"what", what}});
        Response busy = co_await listener_.router.error(request, 503, unavailable);
        busy.set("Retry-After", std::to_string(retry_after->count()));
        co_return busy;
    }
    server_.deps.log.error("handler_fault", {{"request", request.id.get()}, {"route", match.pattern}, {"what", what}});
    co_return co_await listener_.router.error(request, 500, internal);
}

void Session::log_answer(const Request& request, unsigned status, Clock::duration took) {
    const auto level = status < 400 ? observe::Level::debug : observe::Level::info;
    if (!server_.deps.log.enabled(level)) return;
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    server_.deps.log.write(level, "http_request", {{"request", request.id.get()},
                                                   {"listener", listener_.endpoint.name},
                                                   {"peer", peer_.address},
                                                   {"method", to_string(request.method)},
                                                   {"path", request.path},
                                                   {"status", status},
                                                   {"duration_us", us}});
}

core::Task<ErrorCode> Session::send_answer() {
    std::string_view all = out_;
    if (core::fail_point_armed("reply_half_sent")) {
        const ErrorCode failed = co_await stream_->write(all.substr(0, all.size() / 2));
        if (failed) co_return failed;
        co_await core::fail_point("reply_half_sent");
        all.remove_prefix(all.size() / 2);
    }
    co_return co_await stream_->write(all);
}

/// True: the connection can take another request.
core::Task<bool> Session::answer(const Request& request, const Response& response, std::string_view pattern,
                                 const Framing& framing, bool close) {
    unsigned status = response.status;
    AnswerFrame frame;
    frame.date = shard_.date();
    frame.request_id = request.id.get();
    frame.close = close || response.close || !framing.keep_alive || stopping();
    frame.http_1_0 = framing.http_1_0;
    frame.head_only = request.method == Method::head;
    frame.body_apart = response.body.size() > long_body;
    bool apart = frame.body_apart && sends_body(response, frame);
    if (!write_answer(out_, response, frame)) {
        server_.deps.log.error("handler_fault", {{"request", request.id.get()},
                                                 {"route", pattern},
                                                 {"what", "a response header has characters that it may not have"}});
        status = 500;
        const Response plain = co_await listener_.router.error(request, status, internal);
        apart = false;
        frame.body_apart = false;
        if (!write_answer(out_, plain, frame)) co_return false;
    }
    // Before it is sent: whoever has read an answer finds it counted.
    const auto took = Clock::now() - request_began_;
    shard_.count(listener_, pattern, status, std::chrono::duration<double>(took).count());
    log_answer(request, status, took);
    const auto slow = seconds(response.body.size() / long_body);
    connection_.enter(Phase::writing, core::deadline_in(limits_.write + slow));
    ErrorCode failed = co_await send_answer();
    if (!failed && apart) failed = co_await stream_->write(response.body);
    if (response.secret) core::cleanse(out_.data(), out_.size());
    if (out_.capacity() > kept_answer) out_ = std::string();
    if (status < 400) registered_.served();
    answered_ = !failed && frame.close;
    co_return !failed && !frame.close;
}

core::Task<bool> Session::one_request() {
    Refusal refusal;
    HeadScanner scanner(limits_);
    const bool arrived = co_await read_head(refusal, scanner);
    if (!arrived) co_return false;
    Request request = new_request();
    Framing framing;
    if (!refusal) {
        const auto head = in_.view().substr(scanner.begin(), scanner.end() - scanner.begin());
        refusal = parse_head(head, limits_, request, framing);
        in_.consume(scanner.end());
    }
    if (!refusal && !answers_for(request.host))
        refusal = Refusal(421, "this server does not answer for the host name that the request names");
    Router::Match match;
    if (!refusal) {
        match = listener_.router.match(request.method, request.path);
        request.deadline = request_began_ + match.limits.time;
        if (framing.encoded && framing.has_body()) {
            refusal = Refusal(415, "a body with a Content-Encoding is not served; send it as it is");
        } else if (framing.has_body()) {
            // Also for a path that does not exist: then the connection can go on.
            refusal = co_await read_body(framing, match.limits.body_bytes, request.body);
        }
    }
    if (refusal) {
        unread_ = true;
        const Response told = co_await listener_.router.error(request, refusal.status, refusal.detail);
        co_return co_await answer(request, told, match.pattern, framing, true);
    }
    if (match.handler == nullptr) {
        const Response told = co_await listener_.router.unmatched(match, request);
        co_return co_await answer(request, told, match.pattern, framing, false);
    }
    request.params = std::move(match.params);
    connection_.enter(Phase::handling, request.deadline + handler_grace);
    Response response = co_await handle(match, request);
    const bool more = co_await answer(request, response, match.pattern, framing, false);
    if (response.secret) core::cleanse(response.body.data(), response.body.size());
    co_return more;
}

core::Task<void> Session::farewell() {
    const bool patient = unread_ && !stopping();
    connection_.enter(Phase::closing, core::deadline_in(patient ? drain_time : farewell_time));
    co_await stream_->shutdown();
    std::size_t taken = 0;
    while (taken < farewell_bytes) {
        ErrorCode error;
        taken += connection_.socket().discard(error);
        if (error == asio::error::would_block) error = co_await connection_.socket().wait_readable();
        if (error) break;
    }
}

core::Task<void> Session::run() {
    // The results have names: GCC 12 lays the frame out wrongly for an await in a loop's condition.
    bool more = co_await open();
    while (more) more = co_await one_request();
    if (answered_) co_await farewell();
}

}  // namespace

core::Task<void> serve(std::shared_ptr<ServerState> server, const Listener& listener, ShardState& shard, Fd fd,
                       Peer peer, ConnectionPlace place) {
    const ConnectionPlace held(std::move(place));
    if (held.over()) {
        const bool gone = shard.make_room();
        (gone ? server->evicted : server->turned_away).add();
        if (!gone) co_return;
    }
    const auto connection = std::make_shared<Connection>(shard.context, std::move(fd));
    Registered registered(listener, shard, *connection);
    Session session(*server, listener, shard, *connection, registered, std::move(peer));
    co_await session.run();
}

}  // namespace postern::http
