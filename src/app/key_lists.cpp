#include "app/key_lists.hpp"

#include <algorithm>
#include <array>
#include <istream>
#include <stdexcept>

#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"
#include "core/crypto/csr.hpp"
#include "core/crypto/fingerprints.hpp"

namespace postern::app {

namespace {

using core::Problem;
using core::ProblemKind;
using crypto::KeyUse;
using crypto::PublicKey;

constexpr std::size_t longest_line = 64 * 1024;
constexpr std::string_view begin_mark = "-----BEGIN ";

[[noreturn]] void refuse(std::int64_t line, const std::string& why) { throw std::runtime_error("line " + std::to_string(line) + ": " + why); }

core::Result<ListedKey> listed(core::Result<PublicKey> key) {
    if (!key) return key.error();
    ListedKey out;
    out.key = std::move(*key);
    return out;
}
core::Result<ListedKey> of_certificate(core::BytesView der) {
    const auto read = crypto::Certificate::parse(der);
    if (!read) return read.error();
    auto out = listed(PublicKey::from_spki(read->spki(), KeyUse::csr));
    if (out) out->of_authority = read->is_ca();
    return out;
}
core::Result<PublicKey> of_request(core::BytesView der) {
    auto read = crypto::Csr::parse(der);
    if (!read) return read.error();
    return read->key();
}
core::Result<PublicKey> of_private(const std::string& pem) {
    auto read = crypto::PrivateKey::from_pem(pem);
    if (!read) return read.error();
    return read->public_key();
}

/// The key of one PEM block; nullopt for a kind that holds none (EC PARAMETERS stand before EC keys).
std::optional<core::Result<ListedKey>> key_of(std::string_view label, const std::string& pem) {
    if (label.ends_with("PRIVATE KEY")) return listed(of_private(pem));
    const bool certificate = label == "CERTIFICATE";
    const bool request = label == "CERTIFICATE REQUEST" || label == "NEW CERTIFICATE REQUEST";
    if (!certificate && !request && label != "PUBLIC KEY") return std::nullopt;
    const auto blocks = crypto::from_pem(label, pem);
    if (!blocks) return blocks.error();
    if (blocks->size() != 1) return Problem(ProblemKind::malformed, "the PEM block is broken");
    if (certificate) return of_certificate(blocks->front());
    if (request) return listed(of_request(blocks->front()));
    return listed(PublicKey::from_spki(blocks->front(), KeyUse::csr));
}

class Reader {
public:
    Reader(std::istream& in, KeyListFormat format, const std::function<void(ListedKey)>& each) : in_(in), format_(format), each_(each) {}

    KeyListCounts read() {
        if (format_ == KeyListFormat::badkeys)
            read_badkeys();
        else
            read_lines();
        return counts_;
    }

private:
    void give(ListedKey key) {
        ++counts_.keys;
        if (key.of_authority) ++counts_.authorities;
        each_(std::move(key));
    }

    void read_badkeys() {
        std::array<char, 16> record{};
        while (in_.read(record.data(), record.size())) {
            ListedKey out;
            out.digest.assign(record.begin(), record.begin() + crypto::number_fingerprint_size);
            give(std::move(out));
        }
        if (in_.gcount() != 0) throw std::runtime_error("the file is no badkeys blocklist: its size is no multiple of 16 octets");
    }

    void read_lines() {
        std::string line;
        while (std::getline(in_, line)) {
            ++line_;
            if (line.size() > longest_line) refuse(line_, "longer than any list of keys has");
            if (!line.empty() && line.back() == '\r') line.pop_back();
            if (line.starts_with(begin_mark))
                read_pem(line);
            else if (format_ != KeyListFormat::pem)
                read_fingerprints(line);
        }
    }

    /// From its BEGIN line to its END line. Text around blocks is no part of them (RFC 7468 §2).
    void read_pem(const std::string& first) {
        if (format_ == KeyListFormat::fingerprints) refuse(line_, "a PEM block in a list of fingerprints");
        const auto begin = line_;
        const std::string label = first.substr(begin_mark.size(), first.find("-----", begin_mark.size()) - begin_mark.size());
        std::string pem = first + "\n", line;
        do {
            if (!std::getline(in_, line)) refuse(begin, "the PEM block has no END line");
            ++line_;
            if (!line.empty() && line.back() == '\r') line.pop_back();
            pem += line + "\n";
            if (pem.size() > longest_line) refuse(begin, "a PEM block larger than any key has");
        } while (!line.starts_with("-----END "));
        auto key = key_of(label, pem);
        core::cleanse(pem.data(), pem.size());
        if (!key) return;
        if (!*key) {
            const auto& why = key->error();
            if (why.kind != ProblemKind::bad_public_key) refuse(begin, why.detail);
            if (counts_.unusable++ == 0)
                counts_.first_unusable = "line " + std::to_string(begin) + ": " + (why.check.empty() ? "" : why.check + ": ") + why.detail;
            return;
        }
        give(std::move(**key));
    }

    /// Fingerprints between the punctuation of JSON and YAML; what ends in a colon is a YAML key.
    void read_fingerprints(std::string_view line) {
        constexpr std::string_view between = " \t\"',[]-";
        line = line.substr(0, line.find('#'));
        for (std::size_t at = 0; (at = line.find_first_not_of(between, at)) != std::string_view::npos;) {
            const auto end = std::min(line.find_first_of(" \t\"',[]", at), line.size());
            const auto word = line.substr(at, end - at);
            at = end;
            if (word.ends_with(':') && word.size() > 1) continue;
            ListedKey out;
            out.digest = digest(word);
            give(std::move(out));
        }
    }

    core::Bytes digest(std::string_view word) const {
        auto octets = core::from_hex(word);
        const bool hexadecimal = octets.has_value();
        if (!hexadecimal) octets = core::from_base64(word);
        const auto size = octets ? octets->size() : 0;
        if (size == crypto::spki_fingerprint_size) return std::move(*octets);
        if (hexadecimal && (size == crypto::number_fingerprint_size || size == crypto::modulus_fingerprint_size)) return std::move(*octets);
        refuse(line_, "\"" + std::string(word.substr(0, 80)) +
                          "\" is no fingerprint: expected 64, 30 or 20 hexadecimal digits, base64 of 32 octets, or PEM");
    }

    std::istream& in_;
    KeyListFormat format_;
    const std::function<void(ListedKey)>& each_;
    KeyListCounts counts_;
    std::int64_t line_ = 0;
};

}  // namespace

std::optional<KeyListFormat> key_list_format_from(std::string_view text) noexcept {
    constexpr std::pair<std::string_view, KeyListFormat> known[] = {{"auto", KeyListFormat::automatic},
                                                                    {"fingerprints", KeyListFormat::fingerprints},
                                                                    {"pem", KeyListFormat::pem},
                                                                    {"badkeys", KeyListFormat::badkeys}};
    for (const auto& [name, format] : known)
        if (name == text) return format;
    return std::nullopt;
}

std::vector<core::Bytes> ListedKey::digests() const {
    if (!key) return {digest};
    auto prints = crypto::fingerprints(*key);
    return {std::move(prints.spki), std::move(prints.number)};
}

KeyListCounts read_key_list(std::istream& in, KeyListFormat format, const std::function<void(ListedKey)>& each) {
    return Reader(in, format, each).read();
}

}  // namespace postern::app
