#include "core/json/writer.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "core/json/escape.hpp"

namespace postern::json {

struct Writer::Impl {
    struct Frame {
        char close;
        bool empty = true;
        bool has_key = false;
    };
    std::string out;
    std::vector<Frame> frames;

    [[noreturn]] static void misuse(const char* what) {
        throw std::logic_error(std::string("json::Writer: ") + what);
    }

    /// Whatever must stand before a value, be it scalar or container.
    void before_value() {
        if (frames.empty()) {
            if (!out.empty()) misuse("a second value at the top");
            return;
        }
        Frame& frame = frames.back();
        if (frame.close == '}') {
            if (!frame.has_key) misuse("a value without a key inside an object");
            frame.has_key = false;
            return;
        }
        if (!frame.empty) out += ',';
        frame.empty = false;
    }

    void begin(char open, char close) {
        before_value();
        out += open;
        frames.push_back(Frame{close});
    }

    void end(char close) {
        if (frames.empty() || frames.back().close != close) misuse("an end without its beginning");
        if (frames.back().has_key) misuse("a key without a value");
        out += close;
        frames.pop_back();
    }
};

Writer::Writer() : impl_(std::make_unique<Impl>()) {
    impl_->out.reserve(256);
    impl_->frames.reserve(8);
}
Writer::~Writer() = default;
Writer::Writer(Writer&&) noexcept = default;
Writer& Writer::operator=(Writer&&) noexcept = default;

Writer& Writer::begin_object() {
    impl_->begin('{', '}');
    return *this;
}

Writer& Writer::end_object() {
    impl_->end('}');
    return *this;
}

Writer& Writer::begin_array() {
    impl_->begin('[', ']');
    return *this;
}

Writer& Writer::end_array() {
    impl_->end(']');
    return *this;
}

Writer& Writer::key(std::string_view name) {
    if (impl_->frames.empty() || impl_->frames.back().close != '}') Impl::misuse("a key outside an object");
    Impl::Frame& frame = impl_->frames.back();
    if (frame.has_key) Impl::misuse("a key without a value");
    if (!frame.empty) impl_->out += ',';
    frame.empty = false;
    frame.has_key = true;
    append_quoted(impl_->out, name);
    impl_->out += ':';
    return *this;
}

Writer& Writer::string(std::string_view value) {
    impl_->before_value();
    append_quoted(impl_->out, value);
    return *this;
}

Writer& Writer::integer(std::int64_t value) {
    impl_->before_value();
    std::array<char, 24> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
    impl_->out.append(text.data(), end.ptr);
    return *this;
}

Writer& Writer::number(double value) {
    if (!std::isfinite(value)) Impl::misuse("a number that is not finite");
    impl_->before_value();
    std::array<char, 40> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
    impl_->out.append(text.data(), end.ptr);
    // "-0" would be read as the integer, which has no sign.
    if (value == 0 && std::signbit(value)) impl_->out += ".0";
    return *this;
}

Writer& Writer::boolean(bool value) {
    impl_->before_value();
    impl_->out += value ? "true" : "false";
    return *this;
}

Writer& Writer::null() {
    impl_->before_value();
    impl_->out += "null";
    return *this;
}

Writer& Writer::raw(std::string_view json) {
    if (json.empty()) Impl::misuse("an empty raw value");
    impl_->before_value();
    impl_->out += json;
    return *this;
}

std::string Writer::take() {
    if (!impl_->frames.empty()) Impl::misuse("taken with an open object or array");
    if (impl_->out.empty()) Impl::misuse("taken without a value");
    std::string text = std::move(impl_->out);
    impl_->out.clear();
    return text;
}

}  // namespace postern::json
