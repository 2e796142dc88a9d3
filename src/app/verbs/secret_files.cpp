#include "app/verbs/secret_files.hpp"

#include <filesystem>
#include <regex>

#include "app/data_folder.hpp"

namespace postern::app::verbs {

std::string with_secret_values(std::string_view document, const std::string& document_path) {
    // Only inside a secret's inline table; the server still reads the whole document strictly.
    static const std::regex form(R"re((\bsecret\s*=\s*\{[^}\n]*?)\bfile\s*=\s*"([^"\n]+)")re");
    const std::string text(document);
    std::string out;
    std::size_t at = 0;
    for (std::sregex_iterator m(text.begin(), text.end(), form), end; m != end; ++m) {
        const auto path = std::filesystem::path(document_path).parent_path() / (*m)[2].str();
        require_private(path.string());
        auto secret = read_file(path.string());
        while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
        if (secret.find_first_of("\"\\\n\r") != std::string::npos)
            throw std::runtime_error(path.string() + ": expected one line without quotation marks and backslashes");
        out += text.substr(at, static_cast<std::size_t>(m->position()) - at) + (*m)[1].str() + "value = \"" + secret + "\"";
        at = static_cast<std::size_t>(m->position() + m->length());
    }
    return out + text.substr(at);
}

}  // namespace postern::app::verbs
