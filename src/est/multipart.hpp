#pragma once
#include <span>
#include <string>

#include "core/base/secret.hpp"
#include "core/http/message.hpp"

namespace postern::est {

/// One part of a multipart answer: DER, sent as base64.
struct Part {
    Part() = default;
    Part(std::string t, core::SecretBytes d) : type(std::move(t)), der(std::move(d)) {}
    std::string type;
    core::SecretBytes der;
};

/// multipart/mixed (RFC 2046 §5.1) as the smallest readers take it: the boundary unquoted, each part with
/// Content-Transfer-Encoding. `token`: random, of characters that a boundary may have, at most 60. A secret answer.
http::Response answer_multipart(std::span<const Part> parts, const std::string& token);

}  // namespace postern::est
