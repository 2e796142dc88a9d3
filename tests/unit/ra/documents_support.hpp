#pragma once
#include "tests/unit/ra/world.hpp"

/// Short words for what tests of documents do.
namespace postern::test {

inline ra::ApplyOptions prune() {
    ra::ApplyOptions o;
    o.prune = true;
    return o;
}
inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    BOOST_TEST_REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}
inline std::string all_objects(World& w) { return w.run(w.documents.export_all(administrator())); }

}  // namespace postern::test
