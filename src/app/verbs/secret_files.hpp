#pragma once
#include <string>
#include <string_view>

namespace postern::app::verbs {

/// A document's `{file = "…"}` becomes `{value = "…"}`: files are read where the person is, relative
/// to the document, and never by the server. Throws std::runtime_error naming the file.
std::string with_secret_values(std::string_view document, const std::string& document_path);

}  // namespace postern::app::verbs
