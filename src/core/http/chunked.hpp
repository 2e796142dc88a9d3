#pragma once
#include <cstdint>
#include <string>
#include <string_view>

/// Decoder of the chunked coding (RFC 9112 §7.1). Extensions and trailers are bounded and dropped.
/// For core/http only.
namespace postern::http {

class ChunkedDecoder {
public:
    enum class State { more, done, malformed, too_long };

    explicit ChunkedDecoder(std::size_t limit) noexcept : limit_(limit) {}
    /// Appends decoded octets to `body`, never more than the limit; `used` says how much of `bytes`
    /// belonged to the message.
    State feed(std::string_view bytes, std::string& body, std::size_t& used);

private:
    enum class Part { size, data, data_end, trailer };
    bool take_size_line();

    Part part_ = Part::size;
    std::size_t limit_;
    std::uint64_t left_ = 0;
    std::string line_;
    std::size_t trailer_bytes_ = 0;
};

}  // namespace postern::http
