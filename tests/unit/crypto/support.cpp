#include "tests/unit/crypto/support.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace postern::test {

std::string text_file(std::string_view name) {
    const std::string path = std::string(POSTERN_TEST_DATA "/crypto/") + std::string(name);
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error("no test data " + path);
    std::ostringstream out;
    out << in.rdbuf();
    return std::move(out).str();
}

core::Bytes data_file(std::string_view name) { return octets(text_file(name)); }

TemporaryFolder::TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "postern-crypto-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
}
TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}
std::string TemporaryFolder::write(std::string_view name, core::BytesView content) const {
    const std::string path = (path_ / name).string();
    std::ofstream out(path, std::ios::binary);
    out << core::as_text(content);
    if (!out.flush()) throw std::runtime_error("cannot write " + path);
    return path;
}

Outcome run(const std::string& command) {
    Outcome outcome;
    std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("popen");
    char buffer[4096];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) != 0;) outcome.output.append(buffer, n);
    outcome.status = ::pclose(pipe);
    return outcome;
}

}  // namespace postern::test
