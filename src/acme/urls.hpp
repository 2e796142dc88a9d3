#pragma once
#include <string>
#include <string_view>

namespace postern::acme {

/// The URLs of one endpoint (design §11), always from the configured base, never from Host. Tokens
/// and the endpoint's name need no escaping.
class Urls {
public:
    Urls(std::string_view https_base, std::string_view endpoint) {
        base_.append(https_base).append("/acme/").append(endpoint).append("/");
    }
    [[nodiscard]] std::string directory() const { return base_ + "directory"; }
    [[nodiscard]] std::string new_nonce() const { return base_ + "new-nonce"; }
    [[nodiscard]] std::string new_account() const { return base_ + "new-account"; }
    [[nodiscard]] std::string new_order() const { return base_ + "new-order"; }
    [[nodiscard]] std::string revoke_cert() const { return base_ + "revoke-cert"; }
    [[nodiscard]] std::string new_authz() const { return base_ + "new-authz"; }
    [[nodiscard]] std::string renewal_info() const { return base_ + "renewal-info"; }  ///< clients add "/" and the identifier
    [[nodiscard]] std::string key_change() const { return base_ + "key-change"; }
    [[nodiscard]] std::string account_prefix() const { return base_ + "account/"; }
    [[nodiscard]] std::string account(std::string_view token) const { return at("account/", token); }
    [[nodiscard]] std::string orders(std::string_view token) const { return at("account/", token, "/orders"); }
    [[nodiscard]] std::string order(std::string_view token) const { return at("order/", token); }
    [[nodiscard]] std::string finalize(std::string_view token) const { return at("order/", token, "/finalize"); }
    [[nodiscard]] std::string authorization(std::string_view token) const { return at("authz/", token); }
    [[nodiscard]] std::string challenge(std::string_view token) const { return at("challenge/", token); }
    /// `chain`: 0 for the one that is sent unless another is asked for.
    [[nodiscard]] std::string certificate(std::string_view token, std::size_t chain = 0) const {
        return at("certificate/", token, chain == 0 ? std::string() : "/" + std::to_string(chain));
    }

private:
    [[nodiscard]] std::string at(std::string_view kind, std::string_view token, std::string_view rest = {}) const {
        std::string url;
        url.reserve(base_.size() + kind.size() + token.size() + rest.size());
        return url.append(base_).append(kind).append(token).append(rest);
    }
    std::string base_;
};

}  // namespace postern::acme
