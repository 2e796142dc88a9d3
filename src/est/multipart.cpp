#include "est/multipart.hpp"

#include "est/bodies.hpp"

namespace postern::est {

http::Response answer_multipart(std::span<const Part> parts, const std::string& token) {
    const auto boundary = "postern-" + token;
    std::size_t size = 256;
    for (const auto& part : parts) size += 256 + part.der.expose().size() * 3 / 2;
    std::string body;
    body.reserve(size);  // what grows leaves copies behind
    for (const auto& part : parts) {
        body.append("--").append(boundary).append("\r\nContent-Type: ").append(part.type).append("\r\nContent-Transfer-Encoding: base64\r\n\r\n");
        append_lines(body, part.der.expose());
    }
    body.append("--").append(boundary).append("--\r\n");
    http::Response response(200, "multipart/mixed; boundary=" + boundary, std::move(body));
    response.secret = true;
    return response;
}

}  // namespace postern::est
