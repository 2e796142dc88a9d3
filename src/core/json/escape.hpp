#pragma once
#include <string>
#include <string_view>

namespace postern::json {

/// Appends `text` as the inside of a JSON string (no quotes). Everything that could break a line,
/// drive a terminal or turn the reading direction is written as \uXXXX: C0, DEL, C1, U+2028,
/// U+2029 and the bidirectional controls. Octets that are not UTF-8 become U+FFFD, one for each.
void append_escaped(std::string& out, std::string_view text);

/// The same between quotes.
void append_quoted(std::string& out, std::string_view text);

/// For people at a terminal: `text` with the same characters written as \uXXXX, quotes and backslashes
/// left alone. Line feeds and tabs are kept where `lines`, for texts of several lines.
std::string printable(std::string_view text, bool lines = false);

}  // namespace postern::json
