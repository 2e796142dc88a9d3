#include "app/place.hpp"

#include <filesystem>

#include "app/data_folder.hpp"
#include "tests/unit/app/support.hpp"

BOOST_AUTO_TEST_SUITE(app_place)

using namespace postern;
using namespace postern::test;
namespace fs = std::filesystem;

namespace {

/// A working folder, and a machine whose package has its folders below another.
struct Machine {
    Machine() {
        installed.data = folder.file("installed");
        installed.config_file = folder.file("installed.toml");
        fs::create_directory(here);
        fs::current_path(here);
    }
    ~Machine() { fs::current_path(before); }
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;
    Folder folder;
    app::Installed installed;
    fs::path before = fs::current_path();
    std::string here = folder.file("here");
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_named_folder_is_that_one) {
    Machine m;
    fs::create_directory(m.installed.data);
    BOOST_TEST(app::find_data("x/../data/", m.installed) == m.here + "/data");
    BOOST_TEST(app::find_data("/srv/ca//", m.installed) == "/srv/ca");
}

BOOST_AUTO_TEST_CASE(the_one_at_hand_comes_before_the_packages) {
    Machine m;
    BOOST_TEST(app::find_data("", m.installed) == m.here + "/postern-data");
    fs::create_directory(m.installed.data);
    BOOST_TEST(app::find_data("", m.installed) == m.installed.data);
    fs::create_directory(m.here + "/postern-data");
    BOOST_TEST(app::find_data("", m.installed) == m.here + "/postern-data");
}

BOOST_AUTO_TEST_CASE(the_packages_file_is_for_the_packages_folder_alone) {
    Machine m;
    BOOST_TEST(app::find_config_file("", m.installed.data, m.installed).empty());
    app::write_file(m.installed.config_file, "", 0644);
    BOOST_TEST(app::find_config_file("", m.installed.data, m.installed) == m.installed.config_file);
    BOOST_TEST(app::find_config_file("", m.here, m.installed).empty());
    BOOST_TEST(app::find_config_file("own.toml", m.installed.data, m.installed) == m.here + "/own.toml");
}

BOOST_AUTO_TEST_SUITE_END()
