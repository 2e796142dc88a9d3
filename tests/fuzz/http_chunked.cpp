// http::ChunkedDecoder: the body does not depend on how the octets arrive, and a second reader
// (RFC 9112 §7.1) finds the same one.
#include "core/http/chunked.hpp"

#include <algorithm>

#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

using State = http::ChunkedDecoder::State;
constexpr std::size_t limit = 256;

struct Decoded {
    State state = State::more;
    std::string body;
    std::size_t used = 0;
};

Decoded decode(std::string_view bytes, std::size_t step) {
    Decoded out;
    http::ChunkedDecoder decoder(limit);
    while (out.state == State::more && out.used < bytes.size()) {
        const core::Bytes piece = exact_copy(core::as_bytes(bytes.substr(out.used, step)));
        std::size_t used = 0;
        out.state = decoder.feed(core::as_text(piece), out.body, used);
        require(used <= piece.size(), "no more is used than was there");
        require(out.state != State::more || used == piece.size(), "whoever wants more has used all");
        require(out.body.size() <= limit, "the body stays within its limit");
        out.used += used;
    }
    return out;
}

/// The message's own octets, and what they say; nullopt for anything that is not a whole one.
struct Second {
    std::string body;
    std::size_t size = 0;
};
std::optional<Second> second_reader(std::string_view bytes) {
    Second out;
    const auto line = [&]() -> std::optional<std::string_view> {
        const auto end = bytes.find("\r\n", out.size);
        if (end == bytes.npos) return std::nullopt;
        const auto text = bytes.substr(out.size, end - out.size);
        out.size = end + 2;
        if (text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos) return std::nullopt;
        return text;
    };
    for (;;) {
        const auto head = line();
        if (!head) return std::nullopt;
        const auto digits = std::min(head->find_first_not_of("0123456789abcdefABCDEF"), head->size());
        if (digits == 0 || digits > 15) return std::nullopt;
        const auto after = head->find_first_not_of(" \t", digits);
        // White space behind a size, with which old servers pad it, means the same to every reader.
        if (after != head->npos && (*head)[after] != ';') return std::nullopt;
        const auto size = std::stoull(std::string(head->substr(0, digits)), nullptr, 16);
        if (size == 0) break;
        if (size > bytes.size() - out.size) return std::nullopt;
        out.body += bytes.substr(out.size, size);
        out.size += size;
        if (line() != std::string_view()) return std::nullopt;
    }
    for (auto trailer = line(); ; trailer = line()) {
        if (!trailer) return std::nullopt;
        if (trailer->empty()) return out;
    }
}

}  // namespace

Outcome http_chunked(core::BytesView input) {
    if (input.empty()) return Outcome::refused;
    const std::string_view bytes = core::as_text(input.subspan(1));
    const Decoded whole = decode(bytes, bytes.size() + 1);
    for (const std::size_t step : {std::size_t{1}, std::size_t{2} + input[0] % 32}) {
        const Decoded pieces = decode(bytes, step);
        require(pieces.state == whole.state && pieces.used == whole.used && pieces.body == whole.body, "it does not matter how the octets arrive");
    }
    if (whole.state != State::done) return Outcome::refused;
    const auto second = second_reader(bytes);
    require(second.has_value(), "a second, strict reader takes the message");
    require(second->body == whole.body && second->size == whole.used, "a second reader finds the same body and the same end");
    return Outcome::accepted;
}

}  // namespace postern::fuzz
