#pragma once
#include <span>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/http/message.hpp"

/// Bodies of EST messages (RFC 8951 §3: base64 of DER, whatever Content-Transfer-Encoding says).
namespace postern::est {

/// A PKCS #10 request, DER, out of a body that is base64 with white space anywhere, or PEM, as people who use curl send it; with
/// `binary`, DER as well. Errors: malformed, with what is wrong.
core::Result<core::Bytes> read_csr_body(std::string_view body, bool binary);

inline constexpr std::size_t columns = 64;
/// Appends base64 of `der` in lines of `width` columns, a multiple of four, with CRLF; no other copy of it stays behind.
void append_lines(std::string& to, core::BytesView der, std::size_t width = columns);

/// Whether the client can be given base64 in lines, as libest and BouncyCastle need it. strongSwan 5.9 reads one line only, and
/// is known by what it sends: no header beyond Host, Authorization, Content-Type and Content-Length.
bool reads_lines(const http::Request& request);

/// Whether a 401 or a 202 may have a text: BouncyCastle's client takes it for an error if such an answer ends before it was read,
/// which it never reads. It is known by Content-Transfer-Encoding on its requests, and no User-Agent.
bool reads_text(const http::Request& request);

/// `der` as base64, in lines of 64 columns with CRLF for who reads them, and the header that BouncyCastle and libest look for (est.md §1.2).
http::Response answer_der(const http::Request& request, std::string_view media_type, core::BytesView der);

inline constexpr std::string_view certificates_type = "application/pkcs7-mime";
/// With the literal parameter that libest and strict clients compare.
inline constexpr std::string_view certs_only_type = "application/pkcs7-mime; smime-type=certs-only";

}  // namespace postern::est
