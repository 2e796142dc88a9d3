#pragma once
#include <memory>

#include "core/async/task.hpp"
#include "app/config.hpp"
#include "core/crypto/certificate.hpp"
#include "core/http/tls_context.hpp"

namespace postern::app {

class House;

/// What the TLS listeners present: the files that [tls] names, else Postern's own certificate, enrolled
/// through the waist on the system endpoint, kept under DATA/tls and renewed when a third of its life
/// is left or the listeners' names changed.
class OwnTls {
public:
    struct Files {
        Files() = default;
        std::string chain;
        core::SecretText key;
    };
    explicit OwnTls(House& house);
    /// Loads or enrolls; afterwards both contexts are ready. Throws std::runtime_error.
    core::Task<void> prepare();
    /// The certificate that this configuration means, as it is on the disk now. `malformed` naming the file:
    /// missing, readable by others, no pair; or expired, where that is refused: a start goes on with what there is.
    enum class Expired { refused, told };
    [[nodiscard]] core::Result<Files> read(const Config& config, Expired expired) const;
    /// Presents what read() gave to handshakes from now on; false when it is what they got before.
    bool adopt(const Config& config, Files files);
    /// Looks every minute and renews in place; ends when the house closes.
    core::Task<void> keep_fresh();

    /// What clients may call this server, as its certificate says it.
    [[nodiscard]] std::vector<crypto::GeneralName> names() const;
    /// The certificate is the operator's ([tls]), not one of ours.
    [[nodiscard]] bool configured() const noexcept { return !certificate_.empty(); }
    /// Whether the listeners answer for any name: while an operator's certificate is shown, which may name
    /// more than we know.
    [[nodiscard]] const std::shared_ptr<std::atomic<bool>>& any_host() const noexcept { return any_host_; }
    [[nodiscard]] const std::shared_ptr<http::TlsContext>& https() const noexcept { return https_; }
    [[nodiscard]] const std::shared_ptr<http::TlsContext>& est() const noexcept { return est_; }

private:
    core::Task<bool> enroll();
    [[nodiscard]] std::optional<crypto::Certificate> stored() const;
    core::Task<void> renew_when_due();
    [[nodiscard]] bool usable() const;
    /// PEM as it is presented: the leaf, who issued it, and what leads there from an older root.
    [[nodiscard]] std::string with_chain(const core::Bytes& leaf, const std::string& issuer_key_id) const;
    bool renew_chain() const;
    core::Task<bool> fit() const;
    void present();

    House& house_;
    std::string certificate_, key_;  ///< paths of [tls], or empty
    std::string presented_;          ///< the chain of now
    std::shared_ptr<http::TlsContext> https_, est_;
    std::shared_ptr<std::atomic<bool>> any_host_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace postern::app
