#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace postern::json {

/// Writes compact JSON in call order; slashes are not escaped, invalid UTF-8 becomes U+FFFD.
/// Misuse (a value without a key inside an object) is a broken invariant and throws.
class Writer {
public:
    Writer();
    ~Writer();
    Writer(Writer&&) noexcept;
    Writer& operator=(Writer&&) noexcept;

    Writer& begin_object();
    Writer& end_object();
    Writer& begin_array();
    Writer& end_array();
    Writer& key(std::string_view name);
    Writer& string(std::string_view value);
    Writer& integer(std::int64_t value);
    Writer& number(double value);
    Writer& boolean(bool value);
    Writer& null();
    /// A value that is JSON already (a trace from the store); not checked.
    Writer& raw(std::string_view json);

    Writer& member(std::string_view name, std::string_view value) { return key(name).string(value); }
    Writer& member(std::string_view name, const char* value) { return key(name).string(value); }
    Writer& member(std::string_view name, std::int64_t value) { return key(name).integer(value); }
    Writer& member(std::string_view name, int value) { return key(name).integer(value); }
    Writer& member(std::string_view name, bool value) { return key(name).boolean(value); }

    /// The text so far; the writer starts anew.
    [[nodiscard]] std::string take();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::json
