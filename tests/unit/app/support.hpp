#pragma once
#include <stdlib.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/support/folder.hpp"

namespace postern::test {

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

template <class E = std::runtime_error>
auto says(std::string text) {
    return [text = std::move(text)](const E& e) {
        BOOST_TEST(contains(e.what(), text), "expected \"" << text << "\" in: " << e.what());
        return contains(e.what(), text);
    };
}

}  // namespace postern::test
