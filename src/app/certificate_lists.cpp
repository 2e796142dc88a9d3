#include "app/certificate_lists.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "app/csv.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"
#include "core/crypto/certificate_bag.hpp"
#include "core/crypto/der.hpp"

namespace postern::app {

namespace {

using core::Bytes;
using core::BytesView;
using core::Problem;
using core::ProblemKind;

constexpr std::string_view begin_mark = "-----BEGIN ", end_mark = "-----END ";

bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_hex(char c) noexcept { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

/// The next line without its end; `text` goes on after it.
std::string_view take_line(std::string_view& text) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
}

std::string without_spaces(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    std::ranges::copy_if(text, std::back_inserter(out), [](char c) { return !is_space(c); });
    return out;
}

/// UTF-16 becomes ASCII, "?" for what is none: names in other columns are not looked at.
std::string as_text(std::string_view contents) {
    const bool little = contents.starts_with("\xff\xfe"), big = contents.starts_with("\xfe\xff");
    if (contents.starts_with("\xef\xbb\xbf")) return std::string(contents.substr(3));
    if (!little && !big) return std::string(contents);
    std::string out;
    out.reserve(contents.size() / 2);
    for (std::size_t at = 2; at + 1 < contents.size(); at += 2) {
        const char low = contents[at + (little ? 0 : 1)], high = contents[at + (little ? 1 : 0)];
        out += high == 0 && low >= 0 ? low : '?';
    }
    return out;
}

/// "0000  30 82 04 c1 …   0...": an offset, pairs, then what they look like.
std::optional<Bytes> of_hex_dump(std::string_view text) {
    std::string digits;
    while (!text.empty()) {
        auto line = trimmed(take_line(text));
        if (line.empty()) continue;
        const auto offset = std::min(line.find_first_of(" \t"), line.size());
        if (offset < 4 || offset > 8 || !std::ranges::all_of(line.substr(0, offset), is_hex)) return std::nullopt;
        line.remove_prefix(offset);
        while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
        line = line.substr(0, line.find("   "));
        for (const char c : line) {
            if (!is_hex(c) && !is_space(c)) return std::nullopt;
            if (is_hex(c)) digits += c;
        }
    }
    if (digits.empty()) return std::nullopt;
    return core::from_hex(digits);
}

/// One value of DER from its first octet to its last.
bool is_whole(BytesView der) {
    crypto::der::Reader reader(der);
    return reader.next(crypto::der::sequence) && reader.empty();
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

/// Letters and digits of a header, in small letters: "Binary Certificate" is "binarycertificate".
std::string folded(std::string_view header) {
    std::string out;
    for (const char c : lower(std::string(header)))
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) out += c;
    return out;
}

constexpr std::array known_columns{"certificate",       "cert",           "base64",         "base64cert",    "base64certificate", "certificatebase64", "certificatepem",
                                   "pem",               "der",            "rawcertificate", "binarycertificate", "certificatedata",  "x509certificate",  "usercertificate"};

bool is_known_column(std::string_view header) {
    const auto name = folded(header);
    return std::ranges::any_of(known_columns, [&](std::string_view known) { return known == name; });
}

class Reader {
public:
    Reader(std::string text, std::string_view column) : text_(std::move(text)), column_(column) {}

    core::Result<CertificateList> read() {
        if (!column_.empty()) return read_csv();
        std::string_view rest = text_;
        std::string_view first;
        while (first.empty() && !rest.empty()) first = trimmed(take_line(rest));
        if (first.empty()) return Problem(ProblemKind::malformed, "the file is empty");
        if (first.starts_with(begin_mark)) return read_pem();
        if (header_has_column(first)) return read_csv();
        if (text_.find("\n" + std::string(begin_mark)) != std::string::npos) return read_pem();
        if (const auto alone = certificate_octets(first); alone && is_whole(*alone)) return read_lines();
        if (auto whole = certificate_octets(text_); whole && is_whole(*whole)) {
            add(std::move(*whole), "line 1");
            return std::move(out_);
        }
        return Problem(ProblemKind::malformed, "neither certificates (PEM, DER, PKCS #7) nor CSV with a column that is known to hold them; name it by --column");
    }

private:
    /// PKCS #7 is taken apart, whatever it came in.
    void add(Bytes der, const std::string& where) {
        const auto bag = crypto::certificate_bag(der);
        if (!bag) {
            out_.certificates.emplace_back(std::move(der), where);
            return;
        }
        for (std::size_t n = 0; n < bag->size(); ++n) out_.certificates.emplace_back((*bag)[n], where + ", certificate " + std::to_string(n + 1));
    }
    void bad(std::size_t line, std::string why) { out_.unreadable.emplace_back("line " + std::to_string(line), std::move(why)); }

    static bool header_has_column(std::string_view line) {
        bool broken = false;
        const auto cells = Csv(line, csv_separator(line)).next(broken);
        return std::ranges::any_of(cells, is_known_column);
    }

    core::Result<CertificateList> read_csv() {
        std::string_view rest = text_;
        Csv csv(text_, csv_separator(take_line(rest)));
        bool broken = false;
        const auto header = csv.next(broken);
        const auto wanted = [&](const std::string& cell) { return column_.empty() ? is_known_column(cell) : folded(cell) == folded(column_); };
        const auto found = std::ranges::find_if(header, wanted);
        if (found == header.end()) return Problem(ProblemKind::malformed, "the first line has no column " + std::string(column_));
        const auto index = static_cast<std::size_t>(found - header.begin());
        while (!csv.at_end()) {
            const auto line = csv.line();
            const auto cells = csv.next(broken);
            if (cells.size() == 1 && trimmed(cells.front()).empty()) continue;  // an empty line
            if (broken)
                bad(line, "a quote that does not end");
            else if (index >= cells.size() || trimmed(cells[index]).empty())
                bad(line, "nothing in the column " + header[index]);
            else if (auto der = certificate_octets(cells[index]))
                add(std::move(*der), "line " + std::to_string(line));
            else
                bad(line, "the column " + header[index] + " is neither PEM, base64, hexadecimal digits nor a hex dump");
        }
        return std::move(out_);
    }

    core::Result<CertificateList> read_lines() {
        std::string_view rest = text_;
        for (std::size_t line = 1; !rest.empty(); ++line) {
            const auto text = trimmed(take_line(rest));
            if (text.empty()) continue;
            if (auto der = certificate_octets(text); der && is_whole(*der))
                add(std::move(*der), "line " + std::to_string(line));
            else
                bad(line, "neither base64 nor hexadecimal digits of a certificate");
        }
        return std::move(out_);
    }

    core::Result<CertificateList> read_pem() {
        std::string_view rest = text_;
        for (std::size_t line = 1; !rest.empty(); ++line) {
            const auto text = take_line(rest);
            if (text.starts_with(begin_mark)) read_block(rest, line, text);
        }
        return std::move(out_);
    }

    /// Up to its END line, or to where another block begins.
    void read_block(std::string_view& rest, std::size_t& line, std::string_view first) {
        const auto begin = line;
        const auto label = first.substr(begin_mark.size(), first.find("-----", begin_mark.size()) - begin_mark.size());
        std::string body;
        while (!rest.empty() && !rest.starts_with(begin_mark)) {
            const auto text = take_line(rest);
            ++line;
            if (text.starts_with(end_mark)) {
                if (label != "CERTIFICATE" && label != "X509 CERTIFICATE" && label != "PKCS7" && label != "CMS") return;  // keys and requests of the same export
                auto der = core::from_base64(without_spaces(body));
                if (der && !der->empty())
                    add(std::move(*der), "line " + std::to_string(begin));
                else
                    bad(begin, "the PEM block holds broken base64");
                return;
            }
            body += text;
        }
        bad(begin, "the PEM block has no END line");
    }

    std::string text_;
    std::string_view column_;
    CertificateList out_;
};

/// DER values one after the other.
core::Result<CertificateList> read_octets(BytesView octets) {
    CertificateList out;
    if (const auto bag = crypto::certificate_bag(octets)) {
        for (std::size_t n = 0; n < bag->size(); ++n) out.certificates.emplace_back((*bag)[n], "certificate " + std::to_string(n + 1));
        return out;
    }
    crypto::der::Reader reader(octets);
    while (!reader.empty()) {
        const auto one = reader.next(crypto::der::sequence);
        const auto where = "certificate " + std::to_string(out.certificates.size() + 1);
        if (!one) {
            out.unreadable.emplace_back(where, "it is not DER, so nothing after it can be found");
            return out;
        }
        out.certificates.emplace_back(core::to_bytes(one->whole), where);
    }
    return out;
}

}  // namespace

std::optional<Bytes> certificate_octets(std::string_view text) {
    text = trimmed(text);
    if (text.empty()) return std::nullopt;
    if (const auto begin = text.find(begin_mark); begin != std::string_view::npos) {
        const auto from = text.find("-----", begin + begin_mark.size());
        const auto to = text.find(end_mark);
        if (from == std::string_view::npos || to == std::string_view::npos || to < from + 5) return std::nullopt;
        text = text.substr(from + 5, to - from - 5);
    }
    const auto plain = without_spaces(text);
    // A certificate begins with 30: in hexadecimal so, in base64 with "M".
    if (plain.starts_with("30") && std::ranges::all_of(plain, is_hex)) return core::from_hex(lower(plain));
    if (text.starts_with("0000")) return of_hex_dump(text);
    auto out = core::from_base64(plain);
    if (!out || out->empty()) return std::nullopt;
    return std::move(*out);
}

core::Result<CertificateList> read_certificate_list(std::string_view contents, std::string_view column) {
    if (contents.starts_with('\x30') && contents.size() > 1 && static_cast<unsigned char>(contents[1]) >= 0x80) return read_octets(core::as_bytes(contents));
    return Reader(as_text(contents), column).read();
}

}  // namespace postern::app
