// crypto::CmsEnvelopedData, and the paddings within, against the plain way to take them off.
#include "core/crypto/cms_enveloped.hpp"

#include <algorithm>

#include "core/crypto/cms_unpad.hpp"
#include "core/crypto/system_random.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

using core::ProblemKind;

/// RFC 8017 §7.2.2 as it is written.
bool plain_pkcs1(core::BytesView encoded, std::size_t size) {
    if (encoded[0] != 0 || encoded[1] != 2) return false;
    const auto zero = std::find(encoded.begin() + 2, encoded.end(), 0);
    return zero == encoded.end() - static_cast<std::ptrdiff_t>(size) - 1;
}
/// RFC 5652 §6.3; 0 for a wrong one.
std::size_t plain_block(core::BytesView padded, std::size_t block) {
    const std::size_t size = padded.back();
    if (size == 0 || size > block) return 0;
    const auto tail = padded.last(size);
    return std::ranges::all_of(tail, [size](std::uint8_t octet) { return octet == size; }) ? size : 0;
}

/// Behind any first octet but SEQUENCE's: a padding of an RSA block (key sizes 16, 24, 32) and of a cipher's.
Outcome paddings(core::BytesView input) {
    const std::size_t size = 16 + 8 * std::size_t{input[0] % 3U};
    const core::Bytes bytes = exact_copy(input.subspan(1));
    bool good = false;
    if (bytes.size() >= size + 11) {
        core::Bytes message(size, 0xa5);
        const crypto::Mask mask = crypto::unpad_pkcs1(bytes, message);
        good = plain_pkcs1(bytes, size);
        require(mask == (good ? ~crypto::Mask{0} : 0), "the mask says what the padding is");
        const core::BytesView expected = good ? core::BytesView(bytes).last(size) : core::BytesView();
        require(good ? std::ranges::equal(message, expected) : message == core::Bytes(size, 0xa5), "a wrong padding leaves the random key");
    }
    for (const std::size_t block : {8U, 16U}) {
        if (bytes.empty() || bytes.size() % block != 0) continue;
        const auto found = crypto::block_padding(bytes, block);
        const std::size_t plain = plain_block(bytes, block);
        require(found.size == plain && (found.good != 0) == (plain != 0), "a block's padding is found");
        good = good || plain != 0;
    }
    return outcome(good);
}

}  // namespace

Outcome cms_enveloped(core::BytesView input) {
    if (!input.empty() && input[0] != 0x30) return paddings(input);
    const core::Bytes bytes = exact_copy(input);
    const auto envelope = crypto::CmsEnvelopedData::parse(bytes);
    if (!envelope) {
        require((envelope.error().kind == ProblemKind::malformed || envelope.error().kind == ProblemKind::unsupported) && !envelope.error().detail.empty(),
                "a refusal is malformed or unsupported and says why");
        return Outcome::refused;
    }
    require(!envelope->cipher_oid().empty(), "the cipher has a name");
    require(!envelope->addressed_to({}).has_value(), "without keys nobody is addressed");
    crypto::SystemRandom random;
    const auto opened = envelope->open({}, random);
    require(!opened && opened.error().kind == (envelope->cipher() ? ProblemKind::not_found : ProblemKind::unsupported), "without keys nothing opens");
    return Outcome::accepted;
}

}  // namespace postern::fuzz
