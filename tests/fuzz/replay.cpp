// Carries out every target's property for every input of its corpus, tests/data/fuzz/<target>.
#include <algorithm>
#include <array>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <set>

#include "tests/fuzz/property.hpp"

namespace fuzz = postern::fuzz;
namespace core = postern::core;
namespace fs = std::filesystem;

namespace {

struct Target {
    std::string_view name;
    fuzz::Outcome (*property)(core::BytesView);
};
std::ostream& operator<<(std::ostream& out, const Target& target) { return out << target.name; }

constexpr std::array targets{
    Target{"certificate", &fuzz::certificate},     Target{"cms_enveloped", &fuzz::cms_enveloped},
    Target{"config", &fuzz::config},               Target{"csr", &fuzz::csr},
    Target{"der", &fuzz::der},                     Target{"dns", &fuzz::dns},
    Target{"documents", &fuzz::documents},         Target{"encoding", &fuzz::encoding},
    Target{"http_chunked", &fuzz::http_chunked},   Target{"http_head", &fuzz::http_head},
    Target{"http_response", &fuzz::http_response}, Target{"http_route", &fuzz::http_route},
    Target{"json", &fuzz::json},                   Target{"jwk", &fuzz::jwk},
    Target{"jws", &fuzz::jws},                     Target{"location", &fuzz::location},
    Target{"names", &fuzz::names},                 Target{"scep_message", &fuzz::scep_message},
    Target{"scep_query", &fuzz::scep_query},       Target{"tbs", &fuzz::tbs},
    Target{"toml", &fuzz::toml},
    Target{"certificate_list", &fuzz::certificate_list}, Target{"ocsp", &fuzz::ocsp},
    Target{"csr_attributes", &fuzz::csr_attributes}, Target{"est_body", &fuzz::est_body},
    Target{"caa", &fuzz::caa},                     Target{"acme_certificate", &fuzz::acme_certificate},
};

const fs::path corpora = fs::path(POSTERN_TEST_DATA) / "fuzz";
/// A corpus below these has been lost, or never tried what it is for.
constexpr std::size_t fewest_inputs = 12;
constexpr std::size_t fewest_accepted = 3;
constexpr std::uintmax_t most_octets = 1024 * 1024;  // of all corpora together

core::Bytes contents(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    BOOST_REQUIRE_MESSAGE(in.good() || in.eof(), "cannot read " << file);
    return core::to_bytes(core::as_bytes(text));
}

std::vector<fs::path> inputs_of(std::string_view target) {
    std::vector<fs::path> files;
    BOOST_REQUIRE_MESSAGE(fs::is_directory(corpora / target), "no corpus of " << target);
    for (const auto& entry : fs::directory_iterator(corpora / target)) files.push_back(entry.path());
    std::ranges::sort(files);
    return files;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fuzz_replay)

BOOST_DATA_TEST_CASE(the_property_holds_for_every_input_of_the_corpus, boost::unit_test::data::make(targets), target) {
    const auto files = inputs_of(target.name);
    std::size_t accepted = 0;
    for (const auto& file : files) {
        const core::Bytes input = contents(file);
        try {
            if (target.property(input) == fuzz::Outcome::accepted) ++accepted;
        } catch (const std::exception& e) {
            BOOST_ERROR(target.name << " " << file.filename().string() << ": " << e.what());
        }
    }
    BOOST_TEST_MESSAGE(target.name << ": " << files.size() << " inputs, " << accepted << " accepted");
    BOOST_TEST(files.size() >= fewest_inputs);
    BOOST_TEST(accepted >= fewest_accepted);
    BOOST_TEST(files.size() - accepted >= fewest_accepted, "the corpus has nothing that is refused");
}

BOOST_AUTO_TEST_CASE(every_target_with_a_file_or_a_corpus_is_replayed) {
    std::set<std::string, std::less<>> named, found;
    for (const auto& target : targets) named.emplace(target.name);
    for (const auto& entry : fs::directory_iterator(fs::path(POSTERN_SOURCE_DIR) / "tests/fuzz"))
        if (entry.path().extension() == ".cpp" && entry.path().stem() != "replay") found.insert(entry.path().stem().string());
    for (const auto& entry : fs::directory_iterator(corpora))
        if (entry.is_directory()) found.insert(entry.path().filename().string());
    BOOST_TEST(named == found, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_corpora_stay_small) {
    std::uintmax_t octets = 0;
    for (const auto& entry : fs::recursive_directory_iterator(corpora))
        if (entry.is_regular_file()) octets += entry.file_size();
    BOOST_TEST(octets < most_octets);
}

BOOST_AUTO_TEST_SUITE_END()
