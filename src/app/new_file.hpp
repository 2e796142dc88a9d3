#pragma once
#include <string>
#include <string_view>

namespace postern::app {

/// A file (0600) that takes its name once it is whole and durable, and is removed otherwise: whoever cannot write it reads so before
/// anything is done for it. What a kill leaves is called PATH.partial-XXXXXX and may be deleted.
class NewFile {
public:
    /// `replace`: an older file of that name is replaced in the end; else there must be none. Throws std::runtime_error.
    NewFile(std::string path, bool replace);
    ~NewFile();
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    /// Throws std::runtime_error.
    void write(std::string_view content);
    /// Never over something that came meanwhile, unless it replaces. Throws std::runtime_error: then there is no such file, or the older
    /// one is there still.
    void keep();

private:
    std::string path_, partial_;
    bool replace_;
    int fd_ = -1;
};

}  // namespace postern::app
