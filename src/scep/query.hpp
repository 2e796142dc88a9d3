#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "scep/policy.hpp"

/// SCEP's requests as they stand in a URL (RFC 8894 §4.1), read from the raw target: a library that
/// decodes "+" to a space would break the messages of macOS, which leaves "+" and "/" as they are.
namespace postern::scep {

enum class Operation { get_ca_caps, get_ca_cert, get_next_ca_cert, pki_operation };

struct Query {
    Query() = default;
    std::string operation;               ///< percent-decoded; empty when absent
    std::optional<std::string> message;  ///< as it is in the target
};

inline constexpr std::size_t longest_query = 64 * 1024;

/// `operation` and `message` of what follows the first "?" of a raw target; other parameters are ignored.
/// `malformed` for either of them twice, broken percent-encoding, and more than 64 KiB.
core::Result<Query> read_query(std::string_view target);

/// By GET. `malformed` for what is none of the four, whose case counts.
core::Result<Operation> get_operation(const Query& query);
/// By POST, which can be PKIOperation alone (§4.3): a missing operation is taken for that, another is `malformed`.
core::Result<Operation> post_operation(const Query& query);

/// The pkiMessage of a PKIOperation by GET. `forbidden` where policy wants POST; `malformed` without a message and
/// for one that decode_message() refuses.
core::Result<core::Bytes> get_message(const Query& query, const MessagePolicy& policy);
/// Percent-decoded ("+" stays one), line breaks and spaces at the ends
/// removed, spaces that are left taken for the "+" they once were, then strict base64 (RFC 4648 §4; the
/// URL-safe alphabet is refused). `malformed` otherwise, for nothing, and beyond `most` octets.
core::Result<core::Bytes> decode_message(std::string_view raw, std::size_t most);

/// The CA identifier of GetCACaps, GetCACert and GetNextCACert, for logs: decoded, at most 255 printable
/// ASCII characters; empty for anything else. Nothing is decided by it.
std::string ca_identifier(const Query& query);

}  // namespace postern::scep
