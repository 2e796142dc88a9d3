#pragma once
#include <memory>

#include "core/async/task.hpp"
#include "core/crypto/name.hpp"
#include "core/http/tls_context.hpp"

namespace postern::app {

class House;

/// Postern's own TLS certificate, enrolled through the waist on the system endpoint and kept under
/// DATA/tls. Renewed when a third of its life is left or the listeners' names changed.
class OwnTls {
public:
    explicit OwnTls(House& house) : house_(house) {}
    /// Loads or enrolls; afterwards both contexts are ready. Throws std::runtime_error.
    core::Task<void> prepare();
    /// Looks every hour and renews in place; ends when the house closes.
    core::Task<void> keep_fresh();

    [[nodiscard]] const std::shared_ptr<http::TlsContext>& https() const noexcept { return https_; }
    [[nodiscard]] const std::shared_ptr<http::TlsContext>& est() const noexcept { return est_; }

private:
    core::Task<bool> enroll();
    core::Task<void> renew_when_due();
    [[nodiscard]] bool usable() const;
    [[nodiscard]] std::vector<crypto::GeneralName> names() const;
    void present();

    House& house_;
    std::shared_ptr<http::TlsContext> https_, est_;
};

}  // namespace postern::app
