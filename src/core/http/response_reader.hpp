#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/result.hpp"
#include "core/http/chunked.hpp"
#include "core/http/client.hpp"

/// Reading of responses, fed with what arrives. More tolerant than the server's reader: bare LF and
/// folded lines are taken (RFC 9112 §2.2, §5.2), since http-01 meets every web server there is, and
/// what one exchange misreads cannot reach another. For core/http only.
namespace postern::http {

class ResponseReader {
public:
    ResponseReader(const ClientLimits& limits, Method method) noexcept : limits_(&limits), method_(method) {}

    enum class State { more, done };
    /// `used`: how much of `bytes` was taken; the rest is to be shown again with more behind it.
    core::Result<State> feed(std::string_view bytes, std::size_t& used);
    /// The peer's end of the connection: the end of the answer, or a cut in it.
    core::Result<State> at_end();

    [[nodiscard]] Response take() { return std::move(response_); }
    /// The connection can carry another exchange.
    [[nodiscard]] bool keeps() const noexcept { return keeps_ && !response_.close; }

private:
    core::Result<bool> head(std::string_view bytes, std::size_t& used);
    core::Result<void> status_line(std::string_view line);
    core::Result<void> field_line(std::string_view line);
    core::Result<void> begin_body();
    core::Result<State> body(std::string_view bytes, std::size_t& used);
    core::Result<State> over_limit();

    enum class Part { head, length, chunks, until_end };
    const ClientLimits* limits_;
    Method method_;
    Response response_;
    Part part_ = Part::head;
    std::optional<std::uint64_t> length_;
    bool coded_ = false;
    bool keeps_ = false;
    unsigned interim_ = 0;
    std::optional<ChunkedDecoder> chunks_;
};

}  // namespace postern::http
