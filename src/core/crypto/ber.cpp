#include "core/crypto/ber.hpp"

namespace postern::crypto::ber {
namespace {

using core::BytesView;

constexpr std::uint8_t constructed = 0x20;
constexpr unsigned most_open = 32;
constexpr std::size_t most_within = 16384;  // each level is looked through again when it is read
constexpr unsigned deepest_piece = 4;
constexpr std::size_t most_pieces = 4096;  // clients write pieces of a kilobyte and more

struct Header {
    std::uint8_t tag = 0;
    std::size_t size = 0;               ///< of tag and length
    std::optional<std::size_t> length;  ///< nothing: indefinite
};

std::optional<Header> read_header(BytesView bytes) noexcept {
    if (bytes.size() < 2) return std::nullopt;
    Header header;
    header.tag = bytes[0];
    // Tag 0 only ends contents, and no CMS type has a tag of several octets.
    if ((header.tag & 0x1fU) == 0x1f || (header.tag & ~constructed) == 0) return std::nullopt;
    const std::uint8_t first = bytes[1];
    header.size = 2;
    if (first == 0x80) {
        if ((header.tag & constructed) == 0) return std::nullopt;
        return header;
    }
    if (first < 0x80) {
        header.length = first;
        return header;
    }
    const std::size_t octets = first & 0x7fU;
    if (octets > 4 || bytes.size() - 2 < octets) return std::nullopt;
    std::size_t length = 0;
    for (std::size_t i = 0; i < octets; ++i) length = length << 8 | bytes[2 + i];
    header.size += octets;
    header.length = length;
    return header;
}

/// How much of what follows an indefinite length comes before the end-of-contents octets.
std::optional<std::size_t> until_end(BytesView bytes) noexcept {
    std::size_t at = 0;
    unsigned open = 1;
    std::size_t left = most_within;
    while (bytes.size() - at >= 2) {
        if (bytes[at] == 0 && bytes[at + 1] == 0) {
            if (--open == 0) return at;
            at += 2;
            continue;
        }
        const auto header = read_header(bytes.subspan(at));
        if (!header || left-- == 0) return std::nullopt;
        at += header->size;
        if (!header->length) {
            if (++open > most_open) return std::nullopt;
        } else {
            if (*header->length > bytes.size() - at) return std::nullopt;
            at += *header->length;
        }
    }
    return std::nullopt;
}

bool append_pieces(BytesView content, unsigned depth, std::size_t& left, core::Bytes& out) {
    if (depth > deepest_piece) return false;
    Reader pieces(content);
    while (!pieces.empty()) {
        const auto piece = pieces.next();
        if (!piece || left-- == 0) return false;
        if (piece->tag == der::octet_string)
            out.insert(out.end(), piece->content.begin(), piece->content.end());
        else if (piece->tag != (der::octet_string | constructed) || !append_pieces(piece->content, depth + 1, left, out))
            return false;
    }
    return true;
}

}  // namespace

std::optional<der::Element> Reader::next() noexcept {
    const BytesView bytes = rest_;
    rest_ = {};
    const auto header = read_header(bytes);
    if (!header) return std::nullopt;
    const BytesView after = bytes.subspan(header->size);
    const auto length = header->length ? header->length : until_end(after);
    if (!length || *length > after.size()) return std::nullopt;
    const std::size_t end = header->length ? 0 : 2;
    der::Element element;
    element.tag = header->tag;
    element.content = after.first(*length);
    element.whole = bytes.first(header->size + *length + end);
    rest_ = bytes.subspan(element.whole.size());
    return element;
}

std::optional<der::Element> Reader::next(std::uint8_t tag) noexcept {
    if (peek() != tag) {
        rest_ = {};
        return std::nullopt;
    }
    return next();
}

std::optional<core::Bytes> octets(const der::Element& e, std::uint8_t primitive) {
    if (e.tag == primitive) return core::to_bytes(e.content);
    core::Bytes out;
    std::size_t left = most_pieces;
    if (e.tag != (primitive | constructed) || !append_pieces(e.content, 1, left, out)) return std::nullopt;
    return out;
}

}  // namespace postern::crypto::ber
