#pragma once
#include <string>

#include "app/certificate_lists.hpp"

namespace postern::app::verbs {

/// Throws std::runtime_error naming the file: absent, too large to be read at once (1 GiB), or no list of certificates.
CertificateList read_certificate_file(const std::string& path, const std::string& column = {});
/// The whole file. Throws as above.
std::string read_whole(const std::string& path);

}  // namespace postern::app::verbs
