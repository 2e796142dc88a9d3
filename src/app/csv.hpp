#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

/// Tables as programs and people export them.
namespace postern::app {

/// What stands between the cells, by the header line: comma, semicolon or tab.
inline char csv_separator(std::string_view header) {
    const auto count = [&](char c) { return std::ranges::count(header, c); };
    return count('\t') > 0 && count('\t') >= count(',') ? '\t' : count(';') > count(',') ? ';' : ',';
}

/// Records of RFC 4180: cells in quotes may have line ends and doubled quotes.
class Csv {
public:
    /// Larger ones are nothing that anybody imports: nobody waits for the end of a quote that was forgotten.
    static constexpr std::size_t longest_cell = 256 * 1024;

    Csv(std::string_view text, char between) : text_(text), between_(between) {}
    [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
    /// Where the next record begins, from 1.
    [[nodiscard]] std::size_t line() const { return line_; }
    /// A cell that does not end is cut at the end of its first line, and `broken` says so.
    std::vector<std::string> next(bool& broken) {
        std::vector<std::string> out;
        broken = false;
        for (;;) {
            out.push_back(cell(broken));
            if (at_end()) return out;
            const char c = text_[at_++];
            if (c == between_) continue;
            if (c == '\r' && !at_end() && text_[at_] == '\n') ++at_;
            ++line_;
            return out;
        }
    }

private:
    std::string cell(bool& broken) {
        while (!at_end() && text_[at_] == ' ') ++at_;
        if (at_end() || text_[at_] != '"') return bare();
        std::string out;
        const auto begin = at_++, line = line_;
        while (!at_end() && out.size() <= longest_cell) {
            const char c = text_[at_++];
            if (c == '\n') ++line_;
            if (c != '"') {
                out += c;
                continue;
            }
            if (!at_end() && text_[at_] == '"') {
                out += '"';
                ++at_;
                continue;
            }
            bare();  // nothing belongs between the quote and the end of the cell
            return out;
        }
        broken = true;
        at_ = begin + 1;
        line_ = line;
        return bare();
    }
    std::string bare() {
        const auto end = std::min(text_.find_first_of(std::string{between_, '\r', '\n'}, at_), text_.size());
        std::string out(text_.substr(at_, end - at_));
        at_ = end;
        return out;
    }
    std::string_view text_;
    char between_;
    std::size_t at_ = 0, line_ = 1;
};

}  // namespace postern::app
