#pragma once
#include <chrono>
#include <stdexcept>
#include <string>

namespace postern::core {

/// A part that the work needs is away or full (the store, a backend): the HTTP session answers 503
/// with Retry-After instead of 500. `what()` goes to the log, never to the client.
class Unavailable : public std::runtime_error {
public:
    explicit Unavailable(const std::string& what, std::chrono::seconds retry_after = std::chrono::seconds(5))
        : std::runtime_error(what), retry_after_(retry_after) {}
    [[nodiscard]] std::chrono::seconds retry_after() const noexcept { return retry_after_; }

private:
    std::chrono::seconds retry_after_;
};

}  // namespace postern::core
