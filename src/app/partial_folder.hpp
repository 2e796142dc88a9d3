#pragma once
#include <string>

namespace postern::app {

/// A folder (0700) beside `target` that takes its name once it is whole, and is removed otherwise. What a kill
/// leaves of it is called TARGET.partial-XXXXXX and may be deleted.
class PartialFolder {
public:
    /// Throws std::runtime_error.
    explicit PartialFolder(const std::string& target);
    ~PartialFolder();
    PartialFolder(const PartialFolder&) = delete;
    PartialFolder& operator=(const PartialFolder&) = delete;
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// Never over something that came meanwhile. Durable when it returns; throws std::runtime_error.
    void keep_as(const std::string& target);

private:
    std::string path_;
};

}  // namespace postern::app
