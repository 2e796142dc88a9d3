#include "core/http/response_reader.hpp"

#include <limits>

#include "core/http/head.hpp"
#include "core/http/text.hpp"

namespace postern::http {
namespace {

constexpr unsigned most_interim = 8;

core::Problem broken(std::string what) {
    return core::Problem(core::ProblemKind::connection, std::move(what));
}

/// Position behind the blank line that ends a head; npos: not there yet.
std::size_t head_end(std::string_view bytes) noexcept {
    for (auto feed = bytes.find('\n'); feed != bytes.npos; feed = bytes.find('\n', feed + 1)) {
        std::string_view after = bytes.substr(feed + 1);
        if (after.starts_with('\r')) after.remove_prefix(1);
        if (after.starts_with('\n')) return bytes.size() - after.size() + 1;
    }
    return bytes.npos;
}

std::string_view cut_line(std::string_view& rest) noexcept {
    const auto feed = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, feed);
    rest.remove_prefix(std::min(feed + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace

core::Result<ResponseReader::State> ResponseReader::feed(std::string_view bytes, std::size_t& used) {
    used = 0;
    while (part_ == Part::head) {
        std::size_t taken = 0;
        const auto complete = head(bytes.substr(used), taken);
        used += taken;
        if (!complete) return complete.error();
        if (!*complete && taken == 0) return State::more;
    }
    return body(bytes, used);
}

core::Result<ResponseReader::State> ResponseReader::at_end() {
    if (part_ == Part::until_end) return State::done;
    if (part_ == Part::head) return broken("the server closed the connection before it answered");
    return broken("the server closed the connection within its answer");
}

/// True: a final head was taken. An interim one is taken and forgotten.
core::Result<bool> ResponseReader::head(std::string_view bytes, std::size_t& used) {
    const auto end = head_end(bytes);
    if (std::min(end, bytes.size()) > limits_->header_bytes)
        return broken("the headers of the answer are longer than " + std::to_string(limits_->header_bytes) + " bytes");
    if (end == bytes.npos) return false;
    used = end;
    std::string_view rest = bytes.substr(0, end);
    response_ = Response();
    if (auto ok = status_line(cut_line(rest)); !ok) return ok.error();
    for (std::string_view line = cut_line(rest); !line.empty(); line = cut_line(rest))
        if (auto ok = field_line(line); !ok) return ok.error();
    if (response_.status < 200) {
        if (++interim_ > most_interim) return broken("the server sends one interim answer after another");
        return false;
    }
    if (auto ok = begin_body(); !ok) return ok.error();
    return true;
}

core::Result<void> ResponseReader::status_line(std::string_view line) {
    const std::string_view code = line.size() >= 12 ? line.substr(9, 3) : std::string_view();
    const bool known = line.starts_with("HTTP/1.") && line.size() >= 12 && line[8] == ' ' &&
                       (line.size() == 12 || line[12] == ' ');
    const auto status = known ? parse_length(code) : std::nullopt;
    if (!status || *status < 100 || *status > 599) return broken("the answer is no HTTP/1.1");
    response_.status = static_cast<unsigned>(*status);
    keeps_ = line[7] == '1';
    length_.reset();
    coded_ = false;
    return {};
}

core::Result<void> ResponseReader::field_line(std::string_view line) {
    if (line.front() == ' ' || line.front() == '\t') {
        if (response_.headers.empty()) return broken("the answer begins with a folded header line");
        if (!text::is_field_value(line)) return broken("a header of the answer has a control character");
        response_.headers.back().second.append(" ").append(text::trim(line));
        return {};
    }
    const auto colon = line.find(':');
    const std::string_view name = text::trim(line.substr(0, colon));
    if (colon == line.npos || !text::is_token(name)) return broken("a header line of the answer has no name");
    const std::string_view value = text::trim(line.substr(colon + 1));
    if (!text::is_field_value(value)) return broken("a header of the answer has a control character");
    response_.set(name, value);
    if (text::same(name, "Connection") && text::list_has(value, "close")) keeps_ = false;
    if (text::same(name, "Content-Length")) {
        const auto length = parse_length(value);
        if (!length || (length_ && *length_ != *length)) return broken("the answer has no usable Content-Length");
        length_ = length;
    }
    if (text::same(name, "Transfer-Encoding")) {
        if (coded_ || !text::same(value, "chunked")) return broken("the answer has an unknown Transfer-Encoding");
        coded_ = true;
    }
    return {};
}

/// RFC 9112 §6.3.
core::Result<void> ResponseReader::begin_body() {
    const bool none = method_ == Method::head || response_.status == 204 || response_.status == 304;
    if (none || (!coded_ && length_)) {
        part_ = Part::length;
        if (none) length_ = 0;
        if (*length_ > limits_->body_bytes && !limits_->cut_body) return over_limit().error();
    } else if (coded_) {
        part_ = Part::chunks;
        // The limit is watched here, so that a cut keeps what came before it.
        chunks_.emplace(std::numeric_limits<std::size_t>::max());
    } else {
        part_ = Part::until_end;
        keeps_ = false;
    }
    return {};
}

core::Result<ResponseReader::State> ResponseReader::over_limit() {
    if (!limits_->cut_body)
        return broken("the answer is longer than " + std::to_string(limits_->body_bytes) + " bytes");
    response_.body.resize(limits_->body_bytes);
    response_.close = true;
    return State::done;
}

core::Result<ResponseReader::State> ResponseReader::body(std::string_view bytes, std::size_t& used) {
    const std::string_view fresh = bytes.substr(used);
    if (part_ == Part::chunks) {
        std::size_t taken = 0;
        const auto state = chunks_->feed(fresh, response_.body, taken);
        used += taken;
        if (response_.body.size() > limits_->body_bytes) return over_limit();
        if (state == ChunkedDecoder::State::done) return State::done;
        if (state != ChunkedDecoder::State::more) return broken("the body of the answer is not in the chunked coding");
        return State::more;
    }
    std::size_t n = fresh.size();
    if (part_ == Part::length) n = static_cast<std::size_t>(std::min<std::uint64_t>(n, *length_ - response_.body.size()));
    response_.body.append(fresh.substr(0, n));
    used += n;
    if (response_.body.size() > limits_->body_bytes) return over_limit();
    const bool complete = part_ == Part::length && response_.body.size() == *length_;
    return complete ? State::done : State::more;
}

}  // namespace postern::http
