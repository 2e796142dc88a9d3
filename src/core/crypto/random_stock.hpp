#pragma once
#include <array>
#include <cstdint>
#include <span>

namespace postern::crypto {

/// Random octets drawn ahead, for one thread. What is taken is wiped, and the rest when the thread ends, so that nothing here tells
/// what was given out or would have been.
class RandomStock {
public:
    /// The most that is taken at once, in octets.
    static constexpr std::size_t longest = 32;

    /// `draw` fills what it is given, or throws.
    explicit RandomStock(void (*draw)(std::span<std::uint8_t>)) noexcept : draw_(draw) {}
    ~RandomStock();
    RandomStock(const RandomStock&) = delete;
    RandomStock& operator=(const RandomStock&) = delete;

    /// At most `longest` octets.
    void take(std::span<std::uint8_t> out);

private:
    void (*draw_)(std::span<std::uint8_t>);
    std::array<std::uint8_t, 512> octets_{};
    std::size_t at_ = octets_.size();
};

}  // namespace postern::crypto
