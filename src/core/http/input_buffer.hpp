#pragma once
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace postern::http {

/// Bytes that have arrived and are not used up. Small while a connection rests; its size is bounded
/// by whoever looks at it after each read. For core/http only.
class InputBuffer {
public:
    [[nodiscard]] std::string_view view() const noexcept { return {data_.get() + begin_, end_ - begin_}; }
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
    void consume(std::size_t n) noexcept { begin_ += n; }

    /// Where the next read goes: never empty. `wanted`: how large the buffer had better be.
    std::span<char> room(std::size_t wanted = 0) {
        if (begin_ == end_) begin_ = end_ = 0;
        if (end_ == capacity_ && begin_ > 0) {
            std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        if (capacity_ < wanted) grow(wanted);
        if (end_ == capacity_) grow(capacity_ == 0 ? small : capacity_ * 4);
        return {data_.get() + end_, capacity_ - end_};
    }
    void filled(std::size_t n) noexcept { end_ += n; }

    /// Gives back what a long message needed.
    void rest() noexcept {
        if (begin_ != end_ || capacity_ <= small) return;
        data_.reset();
        begin_ = end_ = capacity_ = 0;
    }

private:
    static constexpr std::size_t small = 4096;

    void grow(std::size_t to) {
        auto larger = std::make_unique_for_overwrite<char[]>(to);
        if (end_ > begin_) std::memcpy(larger.get(), data_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
        data_ = std::move(larger);
        capacity_ = to;
    }

    std::unique_ptr<char[]> data_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace postern::http
