#pragma once
#include <cstdint>
#include <concepts>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/ids.hpp"

/// Structured logs: one JSON object a line with ts, level, event, request and fields. Control
/// characters, U+2028 and U+2029 are escaped, so one event is one line (H11).
namespace postern::observe {

enum class Level { debug, info, warning, error };
std::optional<Level> level_from(std::string_view text) noexcept;

struct Field {
    using Any = std::variant<std::string_view, std::int64_t, bool, double>;
    constexpr Field(std::string_view n, std::string_view v) : name(n), value(v) {}
    constexpr Field(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
    Field(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
    constexpr Field(std::string_view n, bool v) : name(n), value(v) {}
    constexpr Field(std::string_view n, double v) : name(n), value(v) {}
    template <std::integral I>
    constexpr Field(std::string_view n, I v) : name(n), value(static_cast<std::int64_t>(v)) {}
    std::string_view name;
    Any value;
};
/// The correlation id under its one name.
inline Field request(const core::RequestId& id) { return {"request", id.get()}; }

/// Thread safe. Destination: standard error or a file that is reopened by reopen() (SIGHUP).
class Log {
public:
    /// path empty: standard error. `json` false: the same fields as text, name=value.
    /// Throws std::system_error when the file cannot be opened.
    Log(Level level, const std::string& path, bool json);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    [[nodiscard]] bool enabled(Level level) const noexcept;
    void set_level(Level level) noexcept;
    /// Throws std::system_error and keeps the old file when the path cannot be opened.
    void reopen();
    /// `event` is a stable snake_case word: "enrollment_issued".
    void write(Level level, std::string_view event, std::initializer_list<Field> fields);

    void debug(std::string_view event, std::initializer_list<Field> f = {}) { write(Level::debug, event, f); }
    void info(std::string_view event, std::initializer_list<Field> f = {}) { write(Level::info, event, f); }
    void warning(std::string_view event, std::initializer_list<Field> f = {}) { write(Level::warning, event, f); }
    void error(std::string_view event, std::initializer_list<Field> f = {}) { write(Level::error, event, f); }

    /// Lines that could not be written (disk full, reader gone); a log never stops the service.
    [[nodiscard]] std::uint64_t lost() const noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::observe
