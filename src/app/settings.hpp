#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "app/config.hpp"

namespace postern::app {

/// One key of postern.toml with its value as text.
struct Setting {
    Setting(std::string_view k, std::string v, bool l) : key(k), value(std::move(v)), live(l) {}
    std::string_view key;  ///< "limits.idle"
    std::string value;
    bool live;             ///< a reload applies it; others need a restart
};

/// All keys in the order of the documentation, equal lists for equal configurations.
std::vector<Setting> settings_of(const Config& config);

}  // namespace postern::app
