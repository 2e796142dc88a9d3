#include "app/verbs/certificate_files.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace postern::app::verbs {

namespace {
constexpr std::uintmax_t largest_file = std::uintmax_t{1} << 30U;
}

std::string read_whole(const std::string& path) {
    std::error_code none;
    const auto size = std::filesystem::file_size(path, none);
    if (!none && size > largest_file) throw std::runtime_error(path + " is larger than 1 GiB; split it");
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    if (!in || !(out << in.rdbuf())) throw std::runtime_error("cannot read " + path + ", or it is empty");
    return std::move(out).str();
}

CertificateList read_certificate_file(const std::string& path, const std::string& column) {
    auto list = read_certificate_list(read_whole(path), column);
    if (!list) throw std::runtime_error(path + ": " + list.error().detail);
    return std::move(*list);
}

}  // namespace postern::app::verbs
