#pragma once
#include <string>
#include <string_view>

#include "core/http/message.hpp"

/// Writing of responses. For core/http only.
namespace postern::http {

struct AnswerFrame {
    AnswerFrame() = default;
    std::string_view date;
    std::string_view request_id;
    bool close = false;
    bool http_1_0 = false;
    bool head_only = false;   ///< answer to HEAD: the length of the body, without it
    bool body_apart = false;  ///< the caller sends the body itself
};

/// Whether the body follows the head at all: not for HEAD, 204 and 304.
bool sends_body(const Response& response, const AnswerFrame& frame) noexcept;

/// False: a header that may not be sent, a fault of the handler; `out` is then not to be used.
/// Content-Length, Transfer-Encoding and Connection are ours: a handler's are dropped.
bool write_answer(std::string& out, const Response& response, const AnswerFrame& frame);

}  // namespace postern::http
