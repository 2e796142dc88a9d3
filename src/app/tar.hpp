#pragma once
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace postern::app {

/// POSIX ustar (IEEE 1003.1 pax, "ustar Interchange Format") of files with short names below one folder, all the owner's alone.
class Tar {
public:
    using Sink = std::function<void(std::string_view)>;

    /// `folder`: what it is unpacked into, at most 155 octets. `at`: of the files' last change, Unix time.
    Tar(std::string folder, long long at, Sink sink) : folder_(std::move(folder)), at_(at), sink_(std::move(sink)) {
        if (folder_.empty() || folder_.size() > 155) throw std::logic_error("a tar of a folder with such a name");
    }
    /// Names are at most 100 octets and files below 8 GiB, or std::logic_error.
    void add(std::string_view name, std::string_view content, unsigned mode) {
        head(name, content.size(), mode, '0');
        sink_(content);
        sink_(std::string((block - content.size() % block) % block, '\0'));
    }
    /// 0700
    void add_folder(std::string_view name) { head(name, 0, 0700, '5'); }
    /// Nothing may be added after it.
    void finish() { sink_(std::string(2 * block, '\0')); }

private:
    static constexpr std::size_t block = 512;

    void head(std::string_view name, std::size_t size, unsigned mode, char type) {
        std::string out(block, '\0');
        if (name.empty() || name.size() > 100) throw std::logic_error("a file of a tar with such a name");
        out.replace(0, name.size(), name);
        number(out, 100, 8, mode);
        number(out, 108, 8, 0);  // owner and group: whoever unpacks it
        number(out, 116, 8, 0);
        number(out, 124, 12, static_cast<long long>(size));
        number(out, 136, 12, at_);
        out.replace(148, 8, "        ");
        out[156] = type;
        out.replace(257, 8, std::string_view("ustar\00000", 8));
        out.replace(345, folder_.size(), folder_);
        unsigned sum = 0;
        for (const char c : out) sum += static_cast<unsigned char>(c);
        number(out, 148, 7, sum);
        sink_(out);
    }
    /// Octal digits and a NUL.
    static void number(std::string& out, std::size_t from, std::size_t width, long long value) {
        for (auto at = from + width - 1; at-- > from; value /= 8) out[at] = static_cast<char>('0' + value % 8);
        out[from + width - 1] = '\0';
        if (value != 0) throw std::logic_error("a number too large for a tar");
    }

    std::string folder_;
    long long at_;
    Sink sink_;
};

}  // namespace postern::app
