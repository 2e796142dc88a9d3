#pragma once
#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"

/// Removal of paddings whose failure nobody may see (Bleichenbacher 1998, Vaudenay 2002): no branch and
/// no address depends on the octets. Sizes are public.
namespace postern::crypto {

/// All ones or zero.
using Mask = std::uint64_t;

/// EME-PKCS1-v1_5 (RFC 8017 §7.2.2) around a message whose size is known: the last `message.size()`
/// octets of `encoded` replace those in `message` where everything before them is right, else
/// `message` stays as it is: random octets put there before. The mask says which.
/// `encoded` has at least 11 octets more than `message`.
Mask unpad_pkcs1(core::BytesView encoded, std::span<std::uint8_t> message) noexcept;

struct BlockPadding {
    Mask good = 0;
    std::size_t size = 0;  ///< octets of padding; 0 where it is not good
};
/// PKCS #7 padding (RFC 5652 §6.3). `padded` is a positive multiple of `block`.
BlockPadding block_padding(core::BytesView padded, std::size_t block) noexcept;

}  // namespace postern::crypto
