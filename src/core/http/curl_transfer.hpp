#pragma once
#include <boost/asio/any_completion_handler.hpp>
#include <curl/curl.h>

#include <memory>
#include <optional>
#include <string>

#include "core/http/curl_outbound.hpp"

namespace postern::http {

struct EasyDeleter {
    void operator()(CURL* easy) const noexcept { ::curl_easy_cleanup(easy); }
};
struct ListDeleter {
    void operator()(curl_slist* list) const noexcept { ::curl_slist_free_all(list); }
};
struct UrlDeleter {
    void operator()(CURLU* url) const noexcept { ::curl_url_cleanup(url); }
};

/// One exchange: what libcurl is told, and what it made of it. Belongs to the loop's thread once it is handed over.
class Transfer {
public:
    using Handler = boost::asio::any_completion_handler<void(core::Result<Response>)>;

    Transfer(OutboundRequest request, core::Deadline deadline);
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    /// Who waits; before the transfer is handed over.
    void wait(Handler handler, core::Executor executor);
    /// A refusal, or nothing: then the handle is ready to be added.
    std::optional<core::Problem> prepare(const OutboundConfig& config);
    [[nodiscard]] CURL* handle() const noexcept { return easy_.get(); }
    /// What came of it, once libcurl is done with the handle.
    core::Result<Response> outcome(CURLcode code);
    /// Resumes who waits, on their executor. Once.
    void finish(core::Result<Response> outcome);

private:
    std::optional<core::Problem> read_url();
    std::optional<core::Problem> set_headers(const OutboundConfig& config);
    void set_trust(const OutboundConfig& config);
    void set_proxy(const OutboundConfig& config);
    void set_body();
    [[nodiscard]] core::Problem failure(CURLcode code);
    [[nodiscard]] bool ends_with_head() const;

    static std::size_t on_send(char* into, std::size_t size, std::size_t count, void* self);
    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
    static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address);

    OutboundRequest request_;
    core::Deadline deadline_;
    std::string host_;  ///< with the port, for messages
    bool proxied_ = false, too_long_ = false, head_ended_ = false;
    std::size_t header_octets_ = 0, sent_ = 0;
    std::string refused_address_;
    Response response_;
    struct Waiting {
        Waiting(Handler h, core::Executor e) : handler(std::move(h)), executor(std::move(e)) {}
        Handler handler;  // Asio 1.81: to be moved by construction alone
        core::Executor executor;
    };
    std::optional<Waiting> waiting_;
    std::unique_ptr<curl_slist, ListDeleter> headers_;
    std::unique_ptr<CURL, EasyDeleter> easy_;  // last: gone before what it points to
};

}  // namespace postern::http
