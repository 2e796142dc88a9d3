#pragma once
#include <string_view>

#include "core/base/result.hpp"

namespace postern::scep {

/// RFC 8894 §3.2.1.4; the values are those on the wire.
enum class FailInfo { bad_alg = 0, bad_message_check = 1, bad_request = 2, bad_time = 3, bad_cert_id = 4 };
std::string_view to_string(FailInfo f) noexcept;  ///< "badAlg"

/// What a client reads for a refusal. bad_alg: an algorithm or key that is too weak or not supported;
/// bad_message_check: signature or envelope; bad_cert_id: a certificate or transaction that there is not.
FailInfo fail_info(core::ProblemKind kind) noexcept;

}  // namespace postern::scep
