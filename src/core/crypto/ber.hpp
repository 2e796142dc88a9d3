#pragma once
#include <optional>

#include "core/crypto/der.hpp"

/// Basic encoding rules for the wrapping of CMS messages, where they are legal (RFC 5652 §2): Apple
/// sends indefinite lengths and strings in pieces. Certificates, requests and signed attributes are
/// DER all the same and are read by der::Reader.
namespace postern::crypto::ber {

/// What der::Reader is for DER; `content` never includes the end-of-contents octets. Lengths may be
/// indefinite (nested 32 deep at most, around 16384 elements at most) or longer than needed, up to four
/// octets; tags have one octet. Time is linear in the number of elements around which a length is indefinite.
class Reader {
public:
    explicit Reader(core::BytesView bytes) : rest_(bytes) {}
    [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
    [[nodiscard]] std::uint8_t peek() const noexcept { return rest_.empty() ? 0 : rest_.front(); }
    /// nullopt at the end or for anything that is not BER; nothing can be read after that.
    std::optional<der::Element> next() noexcept;
    /// next(), and its tag must be this one.
    std::optional<der::Element> next(std::uint8_t tag) noexcept;

private:
    core::BytesView rest_;
};

/// The octets of a string that may come in pieces: `primitive` is the tag in one piece
/// (der::octet_string, or der::context(0) where it is implicitly tagged); pieces are OCTET STRINGs,
/// nested 4 deep at most and 4096 in number. nullopt for anything else.
std::optional<core::Bytes> octets(const der::Element& e, std::uint8_t primitive);

}  // namespace postern::crypto::ber
