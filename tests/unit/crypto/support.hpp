#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/encoding.hpp"
#include "core/base/result.hpp"

namespace postern::test {

inline core::Bytes octets(std::string_view text) { return core::to_bytes(core::as_bytes(text)); }
inline core::Bytes hex(std::string_view text) { return core::from_hex(text).value(); }
inline core::Bytes unbase64url(std::string_view text) { return core::from_base64url(text).value(); }

/// A file of tests/data/crypto; throws when it is missing.
core::Bytes data_file(std::string_view name);
std::string text_file(std::string_view name);

/// A folder of its own, removed at the end.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    /// Writes the file and gives its path.
    std::string write(std::string_view name, core::BytesView content) const;
    std::string write(std::string_view name, std::string_view content) const { return write(name, core::as_bytes(content)); }

private:
    std::filesystem::path path_;
};

/// What a command printed (both streams) and how it ended.
struct Outcome {
    int status = -1;
    std::string output;
};
Outcome run(const std::string& command);

/// The detail of a refusal of that kind; what happened instead, otherwise.
template <class T>
std::string refusal(const core::ResultOf<T>& result, core::ProblemKind kind) {
    if (result) return "it was accepted";
    if (result.error().kind != kind)
        return "kind is " + std::string(core::to_string(result.error().kind)) + ": " + result.error().detail;
    return result.error().detail;
}
inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace postern::test
