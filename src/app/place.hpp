#pragma once
#include <string>

/// Where a verb finds the installation that it is about, and as whom it works there.
namespace postern::app {

/// What the Debian package made.
struct Installed {
    Installed() = default;
    std::string data = "/var/lib/postern", config_file = "/etc/postern/postern.toml";
};

/// The absolute data folder: the one named, else postern-data here, else the package's where there is one.
std::string find_data(const std::string& named, const Installed& installed = {});
/// The absolute postern.toml: the one named, else the package's for its data folder; empty: none.
std::string find_config_file(const std::string& named, const std::string& data, const Installed& installed = {});

/// Throws std::runtime_error naming the owner when this process may not enter or change the folder.
void require_entry(const std::string& data);
/// Root works on another user's folder as that user, or what it made there would stop the server. For
/// good, so whatever only root may read is read before.
void become_owner(const std::string& data);

}  // namespace postern::app
