#include "core/observe/log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <mutex>
#include <system_error>

#include "core/json/escape.hpp"

namespace postern::observe {
namespace {

/// Owns a descriptor, except standard error's.
class Output {
public:
    Output() = default;
    explicit Output(const std::string& path)
        : fd_(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640)), owned_(true) {
        if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "cannot open the log file " + path);
    }
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    ~Output() {
        if (owned_) ::close(fd_);
    }
    void swap(Output& other) noexcept {
        std::swap(fd_, other.fd_);
        std::swap(owned_, other.owned_);
    }
    /// False when the line could not be written whole.
    [[nodiscard]] bool put(std::string_view line) const noexcept {
        while (!line.empty()) {
            const ssize_t n = ::write(fd_, line.data(), line.size());
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return false;
            line.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }

private:
    int fd_ = STDERR_FILENO;
    bool owned_ = false;
};

std::string_view name_of(Level level) noexcept {
    switch (level) {
        case Level::debug: return "debug";
        case Level::info: return "info";
        case Level::warning: return "warning";
        case Level::error: return "error";
    }
    return "error";
}

/// "2026-11-21T08:00:00.123Z"
void append_now(std::string& out) {
    const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    const auto day = std::chrono::floor<std::chrono::days>(now);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss<std::chrono::milliseconds> time(now - day);
    const auto digits = [&out](std::int64_t value, std::size_t width) {
        const std::string text = std::to_string(value);
        if (text.size() < width) out.append(width - text.size(), '0');
        out += text;
    };
    digits(static_cast<int>(date.year()), 4);
    out += '-';
    digits(static_cast<unsigned>(date.month()), 2);
    out += '-';
    digits(static_cast<unsigned>(date.day()), 2);
    out += 'T';
    digits(time.hours().count(), 2);
    out += ':';
    digits(time.minutes().count(), 2);
    out += ':';
    digits(time.seconds().count(), 2);
    out += '.';
    digits(time.subseconds().count(), 3);
    out += 'Z';
}

template <class Number>
void append_number(std::string& out, Number value) {
    std::array<char, 40> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
    out.append(text.data(), end.ptr);
}

/// True when a value needs no quotes in the text format.
bool is_word(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c > 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '=';
    });
}

struct AppendValue {
    std::string& out;
    bool json;
    void operator()(std::string_view text) const {
        if (!json && is_word(text)) {
            out += text;
        } else {
            json::append_quoted(out, text);
        }
    }
    void operator()(std::int64_t number) const { append_number(out, number); }
    void operator()(bool value) const { out += value ? "true" : "false"; }
    void operator()(double number) const {
        // JSON has no word for infinity or NaN.
        if (std::isfinite(number)) {
            append_number(out, number);
        } else {
            out += "null";
        }
    }
};

void append_json(std::string& line, Level level, std::string_view event, std::initializer_list<Field> fields) {
    line += R"({"ts":")";
    append_now(line);
    line += R"(","level":")";
    line += name_of(level);
    line += R"(","event":)";
    json::append_quoted(line, event);
    for (const Field& field : fields) {
        line += ',';
        json::append_quoted(line, field.name);
        line += ':';
        std::visit(AppendValue{line, true}, field.value);
    }
    line += "}\n";
}

void append_text(std::string& line, Level level, std::string_view event, std::initializer_list<Field> fields) {
    append_now(line);
    const std::string_view name = name_of(level);
    line += ' ';
    line += name;
    line.append(std::string_view("warning").size() + 1 - name.size(), ' ');
    json::append_escaped(line, event);
    for (const Field& field : fields) {
        line += ' ';
        json::append_escaped(line, field.name);
        line += '=';
        std::visit(AppendValue{line, false}, field.value);
    }
    line += '\n';
}

}  // namespace

std::optional<Level> level_from(std::string_view text) noexcept {
    for (const Level level : {Level::debug, Level::info, Level::warning, Level::error}) {
        if (text == name_of(level)) return level;
    }
    return std::nullopt;
}

struct Log::Impl {
    Impl(Level lowest, std::string file, bool as_json) : level(lowest), path(std::move(file)), json(as_json) {}
    std::atomic<Level> level;
    const std::string path;
    const bool json;
    std::mutex mutex;  ///< guards output: lines whole, and none to a descriptor that reopen() closed
    Output output;
    std::atomic<std::uint64_t> lost{0};
};

Log::Log(Level level, const std::string& path, bool json) : impl_(std::make_unique<Impl>(level, path, json)) {
    if (!path.empty()) {
        Output file(path);
        impl_->output.swap(file);
    }
}

Log::~Log() = default;

bool Log::enabled(Level level) const noexcept {
    return level >= impl_->level.load(std::memory_order_relaxed);
}

void Log::set_level(Level level) noexcept {
    impl_->level.store(level, std::memory_order_relaxed);
}

void Log::reopen() {
    if (impl_->path.empty()) return;
    Output fresh(impl_->path);
    const std::lock_guard lock(impl_->mutex);
    impl_->output.swap(fresh);
}

void Log::write(Level level, std::string_view event, std::initializer_list<Field> fields) {
    if (!enabled(level)) return;
    std::string line;
    line.reserve(256);
    if (impl_->json) {
        append_json(line, level, event, fields);
    } else {
        append_text(line, level, event, fields);
    }
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->output.put(line)) impl_->lost.fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t Log::lost() const noexcept {
    return impl_->lost.load(std::memory_order_relaxed);
}

}  // namespace postern::observe
