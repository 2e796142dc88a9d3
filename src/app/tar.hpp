#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

namespace postern::app {

/// POSIX ustar (IEEE 1003.1 pax, "ustar Interchange Format") of a few files with short names, all the owner's alone.
class Tar {
public:
    /// `at`: of the files' last change, Unix time.
    explicit Tar(long long at) : at_(at) {}

    /// Names are at most 100 octets and files below 8 GiB, or std::logic_error.
    void add(std::string_view name, std::string_view content, unsigned mode) {
        std::string head(block, '\0');
        if (name.empty() || name.size() > 100) throw std::logic_error("a file of a tar with such a name");
        head.replace(0, name.size(), name);
        number(head, 100, 8, mode);
        number(head, 108, 8, 0);  // owner and group: whoever unpacks it
        number(head, 116, 8, 0);
        number(head, 124, 12, static_cast<long long>(content.size()));
        number(head, 136, 12, at_);
        head.replace(148, 8, "        ");
        head[156] = '0';
        head.replace(257, 8, std::string_view("ustar\00000", 8));
        unsigned sum = 0;
        for (const char c : head) sum += static_cast<unsigned char>(c);
        number(head, 148, 7, sum);
        head[154] = '\0';
        out_ += head;
        out_ += content;
        out_.append((block - content.size() % block) % block, '\0');
    }
    /// Nothing may be added after it.
    std::string finish() {
        out_.append(2 * block, '\0');
        return std::move(out_);
    }

private:
    static constexpr std::size_t block = 512;

    /// Octal digits and a NUL.
    static void number(std::string& head, std::size_t from, std::size_t width, long long value) {
        for (auto at = from + width - 1; at-- > from; value /= 8) head[at] = static_cast<char>('0' + value % 8);
        if (value != 0) throw std::logic_error("a number too large for a tar");
    }

    long long at_;
    std::string out_;
};

}  // namespace postern::app
