#include "core/base/encoding.hpp"
#include "ra/blocked_keys.hpp"
#include "ra/policy/checks.hpp"

namespace postern::ra::checks {

/// What the key itself gives away was refused when it was read (core/crypto/key_quality.hpp); here,
/// what only a list knows.
Finding key_not_blocked(const PolicyInput& in) {
    const auto what = "SPKI SHA-256 " + core::hex(in.request.csr->key().spki_sha256());
    if (in.key_block == nullptr) return Finding::pass(what);
    return Finding::refuse(in.key_block->of_requester ? core::ProblemKind::forbidden : core::ProblemKind::bad_public_key, what,
                           block_text(*in.key_block));
}

}  // namespace postern::ra::checks
