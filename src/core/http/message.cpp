#include "core/http/message.hpp"

#include <stdexcept>

#include "core/http/text.hpp"

namespace postern::http {
namespace {

std::string_view find_header(const Headers& headers, std::string_view name) noexcept {
    for (const auto& [key, value] : headers)
        if (text::same(key, name)) return value;
    return {};
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string_view to_string(Method m) noexcept {
    switch (m) {
        case Method::get: return "GET";
        case Method::head: return "HEAD";
        case Method::post: return "POST";
        case Method::put: return "PUT";
        case Method::patch: return "PATCH";
        case Method::delete_: return "DELETE";
        case Method::options: return "OPTIONS";
        case Method::other: return "OTHER";
    }
    return "OTHER";
}

Method method_from(std::string_view token) noexcept {
    for (const Method m : {Method::get, Method::post, Method::head, Method::put, Method::patch, Method::delete_,
                           Method::options})
        if (token == to_string(m)) return m;
    return Method::other;
}

const std::string& Params::operator[](std::string_view name) const {
    for (const auto& [key, value] : values_)
        if (key == name) return value;
    throw std::logic_error("the route has no parameter named " + std::string(name));
}

std::string_view Request::header(std::string_view name) const noexcept {
    return find_header(headers, name);
}

std::optional<std::string> Request::query_value(std::string_view name) const {
    std::string_view rest = query;
    while (!rest.empty()) {
        const auto end = std::min(rest.find('&'), rest.size());
        const std::string_view pair = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const auto equals = std::min(pair.find('='), pair.size());
        const auto key = percent_decode(pair.substr(0, equals));
        if (!key || *key != name) continue;
        return percent_decode(pair.substr(std::min(equals + 1, pair.size())));
    }
    return std::nullopt;
}

Response::Response(unsigned s, std::string_view content_type, std::string b) : status(s), body(std::move(b)) {
    headers.emplace_back("Content-Type", content_type);
}

Response& Response::set(std::string_view name, std::string_view value) {
    headers.emplace_back(name, value);
    return *this;
}

std::string_view Response::header(std::string_view name) const noexcept {
    return find_header(headers, name);
}

std::string_view reason_phrase(unsigned status) noexcept {
    switch (status) {
        case 100: return "Continue";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 206: return "Partial Content";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 303: return "See Other";
        case 304: return "Not Modified";
        case 307: return "Temporary Redirect";
        case 308: return "Permanent Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 411: return "Length Required";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 417: return "Expectation Failed";
        case 421: return "Misdirected Request";
        case 422: return "Unprocessable Content";
        case 428: return "Precondition Required";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        default: return "Unknown";
    }
}

bool media_type_is(std::string_view value, std::string_view type) noexcept {
    return text::same(text::trim(value.substr(0, value.find(';'))), type);
}

std::optional<std::string> percent_decode(std::string_view input) {
    std::string out;
    out.reserve(input.size());
    for (std::size_t i = 0; i < input.size(); ++i) {
        if (input[i] != '%') {
            out.push_back(input[i]);
            continue;
        }
        if (input.size() - i < 3) return std::nullopt;
        const int high = hex_digit(input[i + 1]);
        const int low = hex_digit(input[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
    }
    return out;
}

}  // namespace postern::http
