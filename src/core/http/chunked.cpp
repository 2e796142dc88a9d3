#include "core/http/chunked.hpp"

#include <algorithm>

#include "core/http/text.hpp"

namespace postern::http {
namespace {

constexpr std::size_t line_bytes = 256;
constexpr std::size_t all_trailer_bytes = 4096;

int hex_value(char c) noexcept {
    if (text::is_digit(c)) return c - '0';
    const char l = text::lower(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

}  // namespace

/// "1a;extension" without its CRLF.
bool ChunkedDecoder::take_size_line() {
    std::size_t digits = 0;
    left_ = 0;
    while (digits < line_.size() && hex_value(line_[digits]) >= 0) {
        if (digits == 15) return false;
        left_ = left_ * 16 + static_cast<std::uint64_t>(hex_value(line_[digits]));
        ++digits;
    }
    const std::string_view rest = text::trim(std::string_view(line_).substr(digits));
    return digits > 0 && (rest.empty() || rest.front() == ';') && text::is_field_value(rest);
}

ChunkedDecoder::State ChunkedDecoder::feed(std::string_view bytes, std::string& body, std::size_t& used) {
    used = 0;
    while (used < bytes.size()) {
        if (part_ == Part::data) {
            const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - used));
            body.append(bytes.substr(used, n));
            used += n;
            left_ -= n;
            if (left_ == 0) part_ = Part::data_end;
            continue;
        }
        const char c = bytes[used++];
        if (c != '\n') {
            line_.push_back(c);
            if (line_.size() > line_bytes) return State::malformed;
            if (part_ == Part::trailer && ++trailer_bytes_ > all_trailer_bytes) return State::malformed;
            continue;
        }
        if (line_.empty() || line_.back() != '\r') return State::malformed;
        line_.pop_back();
        const bool empty = line_.empty();
        if (part_ == Part::size) {
            if (!take_size_line()) return State::malformed;
            if (left_ > limit_ - body.size()) return State::too_long;
            part_ = left_ == 0 ? Part::trailer : Part::data;
        } else if (part_ == Part::data_end) {
            if (!empty) return State::malformed;
            part_ = Part::size;
        } else if (empty) {
            return State::done;
        } else if (!text::is_field_value(line_)) {
            return State::malformed;  // a bare CR is a line's end to some readers
        }
        line_.clear();
    }
    return State::more;
}

}  // namespace postern::http
