#pragma once
#include <compare>
#include <cstdint>
#include <functional>
#include <utility>

namespace postern::core {

/// A value that does not mix with others of the same representation: an AccountId is no OrderId.
template <class T, class Tag>
class Strong {
public:
    using value_type = T;
    constexpr Strong() = default;
    constexpr explicit Strong(T value) : value_(std::move(value)) {}
    [[nodiscard]] constexpr const T& get() const& noexcept { return value_; }
    friend auto operator<=>(const Strong&, const Strong&) = default;
    friend bool operator==(const Strong&, const Strong&) = default;

private:
    T value_{};
};

}  // namespace postern::core

template <class T, class Tag>
struct std::hash<postern::core::Strong<T, Tag>> {
    std::size_t operator()(const postern::core::Strong<T, Tag>& id) const noexcept {
        return std::hash<T>{}(id.get());
    }
};
