#include "core/http/curl_transfer.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <algorithm>
#include <array>
#include <stdexcept>

#include "core/http/text.hpp"

namespace postern::http {

namespace {

using core::Problem;
using core::ProblemKind;

constexpr std::size_t most_header_octets = std::size_t{64} * 1024;

/// An option that this libcurl does not take is a fault of the build.
template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
    if (const auto code = ::curl_easy_setopt(easy, option, value); code != CURLE_OK)
        throw std::runtime_error("libcurl refuses option " + std::to_string(option) + ": " + ::curl_easy_strerror(code));
}

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
    char* text = nullptr;
    if (::curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
    std::string out(text);
    ::curl_free(text);
    return out;
}

curl_blob copied(const std::string& text) {
    curl_blob blob{};
    blob.data = const_cast<char*>(text.data());  // NOLINT: libcurl copies it
    blob.len = text.size();
    blob.flags = CURL_BLOB_COPY;
    return blob;
}

std::chrono::milliseconds left_until(core::Deadline deadline) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
}

}  // namespace

Transfer::Transfer(OutboundRequest request, core::Deadline deadline) : request_(std::move(request)), deadline_(deadline) {}

void Transfer::wait(Handler handler, core::Executor executor) {
    // It does not run out of work while somebody waits on it.
    waiting_.emplace(std::move(handler), boost::asio::prefer(executor, boost::asio::execution::outstanding_work.tracked));
}

void Transfer::finish(core::Result<Response> outcome) {
    const core::Executor executor = waiting_->executor;
    boost::asio::post(executor, [handler = std::move(waiting_->handler), value = std::move(outcome)]() mutable { std::move(handler)(std::move(value)); });
    waiting_.reset();
}

std::optional<Problem> Transfer::prepare(const OutboundConfig& config) {
    if (auto wrong = read_url()) return wrong;
    const auto left = left_until(deadline_);
    if (left.count() <= 0) return Problem(ProblemKind::connection, host_ + ": the time was over before it was asked", "outbound.timeout");
    easy_.reset(::curl_easy_init());
    if (!easy_) throw std::bad_alloc();
    auto* easy = easy_.get();
    set(easy, CURLOPT_URL, request_.url.c_str());
    set(easy, CURLOPT_PRIVATE, static_cast<void*>(this));
    set(easy, CURLOPT_PROTOCOLS_STR, request_.plain_allowed ? "http,https" : "https");
    set(easy, CURLOPT_PATH_AS_IS, 1L);
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(easy, CURLOPT_USERAGENT, config.user_agent.c_str());
    set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(left, config.connect).count()));
    // A look-up that hangs must not hold up the others when its exchange is dropped.
    set(easy, CURLOPT_QUICK_EXIT, 1L);
    set(easy, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    set(easy, CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(easy, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    set(easy, CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request_.most));
    if (request_.guard != nullptr) {
        set(easy, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_socket);
        set(easy, CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
    }
    // A kept connection was looked at by nobody's guard but its own.
    if (request_.guard != nullptr || request_.fresh) {
        set(easy, CURLOPT_FRESH_CONNECT, 1L);
        set(easy, CURLOPT_FORBID_REUSE, 1L);
    }
    set_trust(config);
    set_proxy(config);
    set_body();
    return set_headers(config);
}

std::optional<Problem> Transfer::read_url() {
    const auto wrong = [&](std::string what) { return Problem(ProblemKind::malformed, std::move(what), "outbound.request"); };
    const std::unique_ptr<CURLU, UrlDeleter> url(::curl_url());
    if (!url || ::curl_url_set(url.get(), CURLUPART_URL, request_.url.c_str(), 0) != CURLUE_OK || request_.url.find('\0') != std::string::npos ||
        request_.url.find(":///") == request_.url.find(':'))  // libcurl would take the path for a host
        return wrong("not an absolute URL");
    const auto scheme = part_of(url.get(), CURLUPART_SCHEME), host = part_of(url.get(), CURLUPART_HOST);
    host_ = host + ":" + part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
    if (scheme != "https" && (scheme != "http" || !request_.plain_allowed)) return wrong(host_ + ": " + scheme + " is not allowed here, only https");
    if (!part_of(url.get(), CURLUPART_USER).empty() || !part_of(url.get(), CURLUPART_PASSWORD).empty() || !part_of(url.get(), CURLUPART_FRAGMENT).empty())
        return wrong(host_ + ": a URL with a user, password or fragment");
    return std::nullopt;
}

void Transfer::set_trust(const OutboundConfig& config) {
    auto* easy = easy_.get();
    set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(easy, CURLOPT_PROXY_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    set(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
    set(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
    // Certificates are exchanged while a server runs; libcurl would keep them for a day.
    set(easy, CURLOPT_CA_CACHE_TIMEOUT, 3600L);
    if (request_.ca_pem.empty() && config.ca_file.empty()) return;
    // Its folder of system certificates would be trusted beside.
    set(easy, CURLOPT_CAPATH, static_cast<char*>(nullptr));
    set(easy, CURLOPT_PROXY_CAPATH, static_cast<char*>(nullptr));
    if (!request_.ca_pem.empty()) {
        auto blob = copied(request_.ca_pem);
        set(easy, CURLOPT_CAINFO_BLOB, &blob);
        set(easy, CURLOPT_PROXY_CAINFO_BLOB, &blob);
    } else {
        set(easy, CURLOPT_CAINFO, config.ca_file.c_str());
        set(easy, CURLOPT_PROXY_CAINFO, config.ca_file.c_str());
    }
}

void Transfer::set_proxy(const OutboundConfig& config) {
    auto* easy = easy_.get();
    const auto* proxy = request_.proxy ? request_.proxy.get() : config.proxy.get();
    // Without a word it would look into the environment.
    set(easy, CURLOPT_PROXY, proxy ? proxy->url.c_str() : "");
    set(easy, CURLOPT_NOPROXY, "");
    if (proxy == nullptr) return;
    if (!request_.proxy) {
        std::string list;
        for (const auto& host : config.no_proxy) list += (list.empty() ? "" : ",") + host;
        set(easy, CURLOPT_NOPROXY, list.c_str());
    }
    proxied_ = true;
    set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(easy, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
    if (proxy->user.empty()) return;
    set(easy, CURLOPT_PROXYAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(easy, CURLOPT_PROXYUSERNAME, proxy->user.c_str());
    set(easy, CURLOPT_PROXYPASSWORD, proxy->password.expose().c_str());
}

void Transfer::set_body() {
    auto* easy = easy_.get();
    const bool has_body = request_.method == Method::post || request_.method == Method::put || request_.method == Method::patch;
    if (has_body) {
        set(easy, CURLOPT_POST, 1L);
        set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
        // Handed out once: libcurl would repeat a POST by itself on a new connection when a kept one breaks, also
        // when the peer has it already. Whether that may be is the caller's to know.
        set(easy, CURLOPT_READFUNCTION, &Transfer::on_send);
        set(easy, CURLOPT_READDATA, static_cast<void*>(this));
    }
    if (request_.method == Method::head) set(easy, CURLOPT_NOBODY, 1L);
    else if (request_.method != Method::post && request_.method != Method::get)
        set(easy, CURLOPT_CUSTOMREQUEST, std::string(to_string(request_.method)).c_str());
}

std::optional<Problem> Transfer::set_headers(const OutboundConfig&) {
    const auto add = [&](const std::string& line) {
        auto* longer = ::curl_slist_append(headers_.get(), line.c_str());
        if (longer == nullptr) throw std::bad_alloc();
        (void)headers_.release();
        headers_.reset(longer);
    };
    add("Expect:");  // no waiting for a 100
    bool typed = false;
    for (const auto& [name, value] : request_.headers) {
        if (!text::is_token(name) || !text::is_field_value(value)) return Problem(ProblemKind::malformed, host_ + ": a header that cannot be sent", "outbound.request");
        add(value.empty() ? name + ";" : name + ": " + value);
        typed = typed || text::same(name, "Content-Type");
    }
    if (!typed) add("Content-Type:");  // libcurl would call every body a form
    set(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
    return std::nullopt;
}

std::size_t Transfer::on_send(char* into, std::size_t size, std::size_t count, void* self) {
    auto& t = *static_cast<Transfer*>(self);
    const auto octets = std::min(size * count, t.request_.body.size() - t.sent_);
    std::copy_n(t.request_.body.data() + t.sent_, octets, into);
    t.sent_ += octets;
    return octets;
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
    auto& t = *static_cast<Transfer*>(self);
    std::string_view line(data, size * count);
    if ((t.header_octets_ += line.size()) > most_header_octets) {
        t.too_long_ = true;
        return 0;
    }
    if (line.starts_with("HTTP/")) {  // an interim answer came before this one
        t.response_.headers.clear();
        t.head_ended_ = false;
        return size * count;
    }
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
    t.head_ended_ = line.empty();
    // A peer that sends a body all the same, whenever its octets come, would have it read as the beginning of the next answer.
    if (t.head_ended_ && t.ends_with_head() && ::curl_easy_setopt(t.easy_.get(), CURLOPT_FORBID_REUSE, 1L) != CURLE_OK) return 0;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return size * count;
    const auto value = text::trim(line.substr(colon + 1));
    t.response_.headers.emplace_back(line.substr(0, colon), value);
    return size * count;
}

/// RFC 9112 section 6.3
bool Transfer::ends_with_head() const {
    long status = 0;
    ::curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    return request_.method == Method::head || status == 204 || status == 304;
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
    auto& t = *static_cast<Transfer*>(self);
    const std::size_t octets = size * count;
    if (octets > t.request_.most - std::min(t.request_.most, t.response_.body.size())) {
        t.too_long_ = true;
        return 0;
    }
    t.response_.body.append(data, octets);
    return octets;
}

curl_socket_t Transfer::on_socket(void* self, curlsocktype, curl_sockaddr* address) {
    auto& t = *static_cast<Transfer*>(self);
    std::array<char, NI_MAXHOST> text{};
    const bool shown = ::getnameinfo(&address->addr, address->addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0;
    const auto why = shown ? t.request_.guard(text.data()) : std::optional<std::string_view>("an address that cannot be shown");
    if (why) {
        t.refused_address_ = std::string(text.data()) + ": " + std::string(*why);
        return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

core::Result<Response> Transfer::outcome(CURLcode code) {
    if (code != CURLE_OK) return failure(code);
    // A head that breaks off is none, whatever its first line says.
    if (!head_ended_) return failure(CURLE_PARTIAL_FILE);
    long status = 0;
    ::curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<unsigned>(status);
    return std::move(response_);
}

Problem Transfer::failure(CURLcode code) {
    long connect_status = 0;
    if (proxied_) ::curl_easy_getinfo(easy_.get(), CURLINFO_HTTP_CONNECTCODE, &connect_status);
    if (connect_status == 407)
        return {ProblemKind::connection, host_ + ": the proxy wants a user and password, or others than it was given (407)", "outbound.proxy"};
    if (connect_status != 0 && connect_status / 100 != 2)
        return {ProblemKind::connection, host_ + ": the proxy refused to connect (status " + std::to_string(connect_status) + ")", "outbound.proxy"};
    if (!refused_address_.empty()) return {ProblemKind::forbidden, host_ + ": must not be dialled: " + refused_address_, "outbound.address"};
    if (too_long_ || code == CURLE_FILESIZE_EXCEEDED)
        return {ProblemKind::malformed, host_ + ": the answer is longer than " + std::to_string(request_.most) + " octets", "outbound.too_long"};
    const std::string who = proxied_ ? host_ + ", by the proxy" : host_;
    switch (static_cast<int>(code)) {  // of a hundred codes
        case CURLE_COULDNT_RESOLVE_PROXY: return {ProblemKind::dns, host_ + ": the name of the proxy is unknown", "outbound.dns"};
        case CURLE_COULDNT_RESOLVE_HOST: return {ProblemKind::dns, host_ + ": the name is unknown", "outbound.dns"};
        case CURLE_COULDNT_CONNECT: return {ProblemKind::connection, who + ": nobody takes the connection", "outbound.connect"};
        case CURLE_PEER_FAILED_VERIFICATION:
            return {ProblemKind::tls, who + ": its certificate is not trusted, or is for another name", "outbound.tls"};
        case CURLE_SSL_CACERT_BADFILE: return {ProblemKind::tls, who + ": the file of trusted certificates cannot be read", "outbound.tls"};
        case CURLE_SSL_CONNECT_ERROR: return {ProblemKind::tls, who + ": the TLS handshake failed", "outbound.tls"};
        case CURLE_SEND_FAIL_REWIND: return {ProblemKind::connection, who + ": a connection that was kept had ended", "outbound.stale"};
        case CURLE_OPERATION_TIMEDOUT: return {ProblemKind::connection, who + ": no answer in time", "outbound.timeout"};
        default: return {ProblemKind::connection, who + ": the connection ended before the answer did (" + ::curl_easy_strerror(code) + ")", "outbound.cut"};
    }
}

}  // namespace postern::http
