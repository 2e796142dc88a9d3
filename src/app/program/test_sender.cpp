#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "app/program/faults.hpp"
#include "app/program/variant.hpp"

namespace postern::app {

namespace {

/// Stands for a receiver: one line `ID ATTEMPT BODY` a message at the end of a file, on the disk
/// before it counts as delivered.
class FileSender final : public ra::Sender {
public:
    explicit FileSender(const std::string& path) : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
        if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "cannot open " + path);
    }
    ~FileSender() override { ::close(fd_); }
    FileSender(const FileSender&) = delete;
    FileSender& operator=(const FileSender&) = delete;

    core::Task<core::Result<void>> send(ra::Message message, core::Deadline) override {
        const auto line = message.id + " " + std::to_string(message.attempt) + " " + message.body + "\n";
        if (::write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size()) || ::fsync(fd_) != 0)
            co_return core::Problem(core::ProblemKind::unavailable, std::string("the file: ") + std::strerror(errno));
        co_return core::Result<void>();
    }

private:
    int fd_;
};

}  // namespace

core::Result<ra::Senders> variant_senders() {
    if (const auto* plan = std::getenv("POSTERN_FAIL"))
        if (auto r = fault_plan().read(plan); !r) return r.error();
    ra::Senders senders;
    if (const auto* path = std::getenv("POSTERN_OUTBOX_FILE")) senders.add("certificate.issued", std::make_shared<FileSender>(path));
    return senders;
}

}  // namespace postern::app
