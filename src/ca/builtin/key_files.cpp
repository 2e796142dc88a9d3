#include "ca/builtin/key_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "core/base/encoding.hpp"

namespace postern::ca {
namespace {

constexpr std::size_t most_octets = 64UL * 1024;

/// A descriptor that closes itself.
class Descriptor {
public:
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_;
};

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
    throw std::runtime_error("CA key " + path + ": " + what);
}

[[noreturn]] void failed(const std::string& path, const char* doing) {
    throw std::runtime_error(path + ": cannot " + doing + ": " + std::strerror(errno));
}

void write_all(int fd, core::BytesView content, const std::string& path) {
    while (!content.empty()) {
        const auto n = ::write(fd, content.data(), content.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) failed(path, "write");
        content = content.subspan(static_cast<std::size_t>(n));
    }
}

std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

void sync_folder(const std::string& folder) {
    const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0) failed(folder, "sync the folder");
}

std::string octal(unsigned mode) {
    std::string out = "0000";
    for (std::size_t i = 4; i-- > 0; mode >>= 3U) out[i] = static_cast<char>('0' + (mode & 7U));
    return out;
}

void check_permissions(int fd, const std::string& path) {
    struct stat about {};
    if (::fstat(fd, &about) != 0) failed(path, "examine");
    if (!S_ISREG(about.st_mode)) refuse(path, "this is not a regular file; put the key file itself there");
    if (about.st_uid != ::geteuid() && about.st_uid != 0)
        refuse(path, "it belongs to user " + std::to_string(about.st_uid) + ", who could have replaced it; run: chown " +
                         std::to_string(::geteuid()) + " " + path + " if you trust its content");
    const unsigned mode = about.st_mode & 07777U;
    if ((mode & 077U) != 0)
        refuse(path, "mode " + octal(mode) + " lets others in; consider the key disclosed if strangers have accounts here, otherwise run: chmod 600 " + path);
    if (about.st_size <= 0 || static_cast<std::size_t>(about.st_size) > most_octets)
        refuse(path, "its size cannot be that of a sealed key; restore it from the backup");
}

core::Bytes read_all(int fd, const std::string& path) {
    core::Bytes out(most_octets + 1);
    std::size_t got = 0;
    for (;;) {
        const auto n = ::read(fd, out.data() + got, out.size() - got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) failed(path, "read");
        if (n == 0) break;
        got += static_cast<std::size_t>(n);
        if (got > most_octets) refuse(path, "it is too large for a sealed key; restore it from the backup");
    }
    out.resize(got);
    return out;
}

constexpr std::string_view seal_label = "ca-key";

}  // namespace

core::Bytes seal_key(const crypto::Sealer& sealer, const std::string& key_id, const crypto::PrivateKey& key) {
    const core::SecretBytes pkcs8 = key.to_pkcs8();
    return sealer.seal(seal_label, key_id, pkcs8.expose());
}

crypto::PrivateKey open_key(const crypto::Sealer& sealer, const std::string& key_id, core::BytesView sealed, const std::string& where) {
    const auto plain = sealer.open(seal_label, key_id, sealed);
    if (!plain)
        refuse(where, "it does not open: it was sealed under another master key or for another CA, or its content was changed; put back the master key it was made with, or restore both from the same backup");
    auto key = crypto::PrivateKey::from_pkcs8(plain->expose());
    if (!key) refuse(where, "it opens, but holds no usable private key (" + key.error().detail + "); restore it from the backup");
    if (core::hex(key->public_key().key_identifier()) != key_id)
        refuse(where, "it holds another key than its name says; restore it from the backup");
    return std::move(*key);
}

KeyFiles::KeyFiles(std::string folder, const crypto::Sealer& sealer) : folder_(std::move(folder)), sealer_(sealer) {}

std::string KeyFiles::path(const std::string& key_id) const {
    return folder_ + "/" + key_id + ".key";
}

void KeyFiles::store(const std::string& key_id, const crypto::PrivateKey& key) const {
    if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) failed(folder_, "make the folder");
    replace_file(path(key_id), seal_key(sealer_, key_id, key), 0600);
}

bool KeyFiles::has(const std::string& key_id) const {
    struct stat about {};
    return ::lstat(path(key_id).c_str(), &about) == 0;
}

void KeyFiles::keep(store::Batch&, const std::string& key_id, const crypto::PrivateKey& key, core::TimePoint) { store(key_id, key); }

core::Task<crypto::PrivateKey> KeyFiles::find(std::string key_id) { co_return load(key_id); }

crypto::PrivateKey KeyFiles::load(const std::string& key_id) const {
    const auto file = path(key_id);
    const Descriptor fd(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (!fd && errno == ELOOP) refuse(file, "this is a symbolic link; put the key file itself there");
    if (!fd && errno == ENOENT)
        refuse(file, "it is missing; restore it from the backup of the keys folder. Without it this CA cannot sign anything, certificates and CRLs included");
    if (!fd) failed(file, "open");
    check_permissions(fd.get(), file);
    const auto sealed = read_all(fd.get(), file);
    return open_key(sealer_, key_id, sealed, file);
}

void replace_file(const std::string& path, core::BytesView content, unsigned mode) {
    const std::string fresh = path + ".new";
    if (::unlink(fresh.c_str()) != 0 && errno != ENOENT) failed(fresh, "remove what an interrupted start left");
    {
        const Descriptor fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!fd) failed(fresh, "create");
        write_all(fd.get(), content, fresh);
        if (::fchmod(fd.get(), static_cast<mode_t>(mode)) != 0) failed(fresh, "set the mode of");
        if (::fsync(fd.get()) != 0) failed(fresh, "sync");
    }
    if (::rename(fresh.c_str(), path.c_str()) != 0) failed(path, "put into place");
    sync_folder(folder_of(path));
}

}  // namespace postern::ca
