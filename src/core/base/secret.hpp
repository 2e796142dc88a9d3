#pragma once
#include <string>
#include <utility>

#include "core/base/bytes.hpp"

namespace postern::core {

/// Overwrites memory in a way the compiler keeps.
void cleanse(void* data, std::size_t size) noexcept;

/// A value that cannot be printed, compared or copied by accident, and is wiped when it ends.
/// T is std::string or Bytes. Read it only through expose(), at the place that needs it.
template <class T>
class Secret {
public:
    Secret() = default;
    explicit Secret(T value) : value_(std::move(value)) {}
    Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
    Secret& operator=(Secret&& other) noexcept {
        if (this != &other) {
            wipe();
            value_ = std::move(other.value_);
            other.wipe();
        }
        return *this;
    }
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret() { wipe(); }

    [[nodiscard]] const T& expose() const noexcept { return value_; }
    [[nodiscard]] bool empty() const noexcept { return value_.empty(); }
    [[nodiscard]] Secret clone() const { return Secret(T(value_)); }

private:
    void wipe() noexcept {
        if (!value_.empty()) cleanse(value_.data(), value_.size());
        value_.clear();
    }
    T value_{};
};

using SecretBytes = Secret<Bytes>;
using SecretText = Secret<std::string>;

}  // namespace postern::core
