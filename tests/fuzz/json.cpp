// json::Document and json::Writer: what is accepted is JSON as RFC 8259 has it, by a second reader
// written from the grammar, and what is written from it reads as the same.
#include <cmath>
#include <cstdlib>
#include <set>
#include <vector>

#include "core/json/reader.hpp"
#include "core/json/writer.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

constexpr std::size_t depth_limit = 16;

/// What stands in a document, in its order.
struct Scalars {
    std::vector<double> numbers;
    std::vector<std::string> texts;  ///< strings and names
    friend bool operator==(const Scalars&, const Scalars&) = default;
};

/// The grammar, RFC 8259 §2 to §7, with what Postern asks beyond it: names once, whole UTF-8,
/// paired surrogates, numbers that a double can hold, depth.
class Grammar {
public:
    explicit Grammar(std::string_view text) : rest_(text) {}
    [[nodiscard]] const Scalars& scalars() const { return scalars_; }
    [[nodiscard]] bool doubtful() const { return doubtful_; }
    bool document() { return (space(), value(0)) && (space(), rest_.empty()); }

private:
    bool take(char c) {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    bool take(std::string_view word) {
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }
    void space() {
        while (take(' ') || take('\t') || take('\n') || take('\r')) {}
    }
    std::size_t digits() {
        std::size_t n = 0;
        for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; ++n) rest_.remove_prefix(1);
        return n;
    }

    bool value(std::size_t depth) {
        if (take('{')) return depth < depth_limit && object(depth + 1);
        if (take('[')) return depth < depth_limit && array(depth + 1);
        std::string unused;
        if (rest_.starts_with('"')) return string(unused);
        return take("true") || take("false") || take("null") || number();
    }
    bool object(std::size_t depth) {
        std::set<std::string> names;
        space();
        if (take('}')) return true;
        do {
            std::string name;
            space();
            if (!string(name) || !names.insert(name).second) return false;
            space();
            if (!take(':')) return false;
            space();
            if (!value(depth)) return false;
            space();
        } while (take(','));
        return take('}');
    }
    bool array(std::size_t depth) {
        space();
        if (take(']')) return true;
        do {
            space();
            if (!value(depth)) return false;
            space();
        } while (take(','));
        return take(']');
    }
    bool number() {
        const std::string_view before = rest_;
        take('-');
        if (!take('0') && digits() == 0) return false;
        if (take('.') && digits() == 0) return false;
        if (take('e') || take('E')) {
            if (!take('+')) take('-');
            if (digits() == 0) return false;
        }
        const std::string text(before.substr(0, before.size() - rest_.size()));
        const double as_double = std::strtod(text.c_str(), nullptr);
        const bool zero = text.substr(0, text.find_first_of("eE")).find_first_of("123456789") == std::string::npos;
        // 0e999 is nothing, but std::from_chars of GCC 12 calls it out of range: either is right.
        if (zero && text.find_first_of("eE") != std::string::npos) doubtful_ = true;
        scalars_.numbers.push_back(as_double);
        return std::isfinite(as_double) && (as_double != 0 || zero);
    }
    std::optional<unsigned> four_hex() {
        unsigned code = 0;
        for (int i = 0; i < 4; ++i) {
            if (rest_.empty() || std::isxdigit(static_cast<unsigned char>(rest_[0])) == 0) return std::nullopt;
            code = code * 16 + static_cast<unsigned>(std::stoi(std::string(rest_.substr(0, 1)), nullptr, 16));
            rest_.remove_prefix(1);
        }
        return code;
    }
    /// What follows a backslash; code points need no decoding to be told apart.
    bool escape(std::string& out) {
        constexpr std::string_view short_forms = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
        if (take('u')) {
            const auto code = four_hex();
            if (!code || (*code >= 0xdc00 && *code <= 0xdfff)) return false;
            unsigned point = *code;
            if (point >= 0xd800 && point <= 0xdbff) {
                if (!take("\\u")) return false;
                const auto low = four_hex();
                if (!low || *low < 0xdc00 || *low > 0xdfff) return false;
                point = 0x10000 + ((point - 0xd800) << 10) + (*low - 0xdc00);
            }
            append(out, point);
            return true;
        }
        const auto which = rest_.empty() ? std::string_view::npos : short_forms.find(rest_[0]);
        if (which == std::string_view::npos) return false;
        out += meant[which];
        rest_.remove_prefix(1);
        return true;
    }
    static void append(std::string& out, unsigned point) {
        if (point < 0x80) {
            out += static_cast<char>(point);
            return;
        }
        const unsigned following = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
        constexpr unsigned leads[] = {0, 0xc0, 0xe0, 0xf0};
        out += static_cast<char>(leads[following] | (point >> (6 * following)));
        for (unsigned i = following; i-- > 0;) out += static_cast<char>(0x80U | ((point >> (6 * i)) & 0x3fU));
    }
    /// One code point of RFC 3629 §4: its octets written again must be those that stand there.
    bool utf8(std::string& out) {
        const auto lead = static_cast<unsigned char>(rest_[0]);
        const std::size_t size = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
        if (rest_.size() < size) return false;
        unsigned point = size == 1 ? lead : lead & (0x7fU >> size);
        for (std::size_t i = 1; i < size; ++i) point = (point << 6) | (static_cast<unsigned char>(rest_[i]) & 0x3fU);
        std::string again;
        append(again, point);
        if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) || again != rest_.substr(0, size)) return false;
        out += again;
        rest_.remove_prefix(size);
        return true;
    }
    bool string(std::string& out) {
        if (!take('"')) return false;
        while (!take('"')) {
            if (rest_.empty() || static_cast<unsigned char>(rest_[0]) < 0x20) return false;
            if (take('\\') ? !escape(out) : !utf8(out)) return false;
        }
        scalars_.texts.push_back(out);
        return true;
    }

    std::string_view rest_;
    Scalars scalars_;
    bool doubtful_ = false;
};

void gather(const json::Value& value, Scalars& into) {
    for (const auto& [name, member] : value.members()) {
        into.texts.emplace_back(name);
        gather(member, into);
    }
    for (const auto& item : value.items()) gather(item, into);
    if (value.is_string()) into.texts.emplace_back(value.string().value());
    if (value.is_number()) into.numbers.push_back(value.number().value());
}

void write(json::Writer& w, const json::Value& value) {
    if (value.is_object()) {
        w.begin_object();
        for (const auto& [name, member] : value.members()) {
            w.key(name);
            write(w, member);
        }
        w.end_object();
    } else if (value.is_array()) {
        w.begin_array();
        for (const auto& item : value.items()) write(w, item);
        w.end_array();
    } else if (value.is_string()) {
        w.string(value.string().value());
    } else if (value.is_integer()) {
        w.integer(value.integer().value());
    } else if (value.is_number()) {
        w.number(value.number().value());
    } else if (value.is_bool()) {
        w.boolean(value.boolean().value());
    } else {
        require(value.is_null(), "a value has a kind");
        w.null();
    }
}

bool same(const json::Value& a, const json::Value& b) {
    if (a.is_object()) {
        const auto left = a.members(), right = b.members();
        if (!b.is_object() || left.size() != right.size()) return false;
        for (std::size_t i = 0; i < left.size(); ++i)
            if (left[i].first != right[i].first || !same(left[i].second, right[i].second)) return false;
        return true;
    }
    if (a.is_array()) {
        const auto left = a.items(), right = b.items();
        if (!b.is_array() || left.size() != right.size()) return false;
        for (std::size_t i = 0; i < left.size(); ++i)
            if (!same(left[i], right[i])) return false;
        return true;
    }
    if (a.is_string()) return b.is_string() && a.string().value() == b.string().value();
    if (a.is_number()) return b.is_number() && a.number().value() == b.number().value();
    if (a.is_bool()) return b.is_bool() && a.boolean().value() == b.boolean().value();
    return a.is_null() && b.is_null();
}

std::string written(const json::Document& document) {
    json::Writer w;
    write(w, document.root());
    return w.take();
}

}  // namespace

Outcome json(core::BytesView input) {
    const std::string_view text = core::as_text(input);
    json::Limits limits;
    limits.depth = depth_limit;
    const auto document = json::Document::parse(text, limits);
    Grammar grammar(text);
    const bool is_json = grammar.document();
    require(document.has_value() == is_json || (is_json && grammar.doubtful()), "the reader accepts JSON and nothing else");
    if (!document) {
        require(document.error().kind == core::ProblemKind::malformed && document.error().detail.starts_with("$"), "a refusal is malformed and says where");
        return Outcome::refused;
    }
    Scalars read;
    gather(document->root(), read);
    require(read == grammar.scalars(), "two readers find the same strings and numbers");
    const std::string once = written(*document);
    require(Grammar(once).document(), "the writer writes JSON");
    limits.bytes = 8 * limits.bytes;  // escapes take more room
    const auto again = json::Document::parse(once, limits);
    require(again && same(document->root(), again->root()), "what is written reads as the same");
    require(written(*again) == once, "what is written is written so again");
    return Outcome::accepted;
}

}  // namespace postern::fuzz
