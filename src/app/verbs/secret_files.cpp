#include "app/verbs/secret_files.hpp"

#include <filesystem>
#include <regex>

#include "app/data_folder.hpp"

namespace postern::app::verbs {

namespace {

/// As a string of TOML. A key in PEM has several lines.
std::string quoted(std::string_view secret, const std::string& path) {
    std::string out = "\"";
    for (const char c : secret) {
        if (c == '\n') {
            out += "\\n";
        } else if (c == '\r') {
            out += "\\r";
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            throw std::runtime_error(path + ": holds control characters; expected the secret as text, or a key as PEM");
        } else {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
    }
    return out + "\"";
}

}  // namespace

std::string with_secret_values(std::string_view document, const std::string& document_path) {
    // Only inside a secret's inline table; the server still reads the whole document strictly.
    static const std::regex form(R"re((\b(?:secret|proxy_password)\s*=\s*\{[^}\n]*?)\bfile\s*=\s*"([^"\n]+)")re");
    const std::string text(document);
    std::string out;
    std::size_t at = 0;
    for (std::sregex_iterator m(text.begin(), text.end(), form), end; m != end; ++m) {
        const auto path = std::filesystem::path(document_path).parent_path() / (*m)[2].str();
        require_private(path.string());
        auto secret = read_file(path.string());
        while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
        out += text.substr(at, static_cast<std::size_t>(m->position()) - at) + (*m)[1].str() + "value = " + quoted(secret, path.string());
        at = static_cast<std::size_t>(m->position() + m->length());
    }
    return out + text.substr(at);
}

}  // namespace postern::app::verbs
