#include "core/crypto/key.hpp"
#include "ra/azure_account.hpp"
#include "ra/documents/plan.hpp"

namespace postern::ra::documents {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;

/// What is sealed already stays as it is when it is the same: a second apply changes nothing.
store::Value sealed_again(const crypto::Sealer& sealer, std::string_view label, const std::string& context, core::BytesView plain, store::Value stored) {
    const auto* before = std::get_if<core::Bytes>(&stored);
    const auto held = before ? sealer.open(label, context, *before) : std::nullopt;
    if (held && core::equal_constant_time(held->expose(), plain)) return stored;
    return sealer.seal(label, context, plain);
}

/// The octets that are sealed: the secret as it is, or the key as PKCS#8.
Result<core::SecretBytes> credential_octets(const Wanted& w, const azure::Account& account) {
    const auto& text = w.secret_value.expose();
    if (account.credential == azure::CredentialKind::secret) {
        constexpr std::size_t longest = 256;
        if (text.find("-----BEGIN") != std::string::npos) return at(w, "secret: is a key; name its certificate too, as `certificate`");
        if (text.size() > longest || text.find_first_of("\r\n") != std::string::npos) return at(w, "secret: expected the Value of a client secret, one line");
        return core::SecretBytes(core::to_bytes(core::as_bytes(text)));
    }
    const auto key = crypto::PrivateKey::from_pem(text);
    if (!key) return at(w, "secret: with `certificate`, the file holds its private key as PEM (PKCS #8): " + key.error().detail);
    auto der = key->to_pkcs8();
    if (const auto fits = fits_certificate(account, der.expose()); !fits) return at(w, "secret: " + fits.error().detail);
    return der;
}

}  // namespace

Result<void> Plan::settle_credential(const Wanted& w, Step& step) const {
    const auto context = azure::sealing_context(step.row.id);
    const auto before = [&](std::size_t column) { return step.stored ? step.stored->keys.at(column) : store::Value(std::monostate{}); };
    // What is wrong with the body is told by judge(), with its key.
    const auto account = read_azure_account(step.row);
    store::Value credential = before(0), password = before(1);
    const auto* kept = std::get_if<core::Bytes>(&credential);
    if (account && w.secret == SecretWish::given) {
        const auto octets = credential_octets(w, *account);
        if (!octets) return octets.error();
        credential = sealed_again(deps_.sealer, azure::credential_label, context, octets->expose(), std::move(credential));
    } else if (account && kept == nullptr) {
        return at(w, "secret is missing: the account has none to keep; use {file = \"…\"}");
    } else if (account) {
        // A certificate that came instead of a secret, or another one, needs its key.
        const auto held = deps_.sealer.open(azure::credential_label, context, *kept);
        const bool is_key = held && crypto::PrivateKey::from_pkcs8(held->expose()).has_value();
        const bool wants_key = account->credential != azure::CredentialKind::secret;
        if (held && (is_key != wants_key || (wants_key && !fits_certificate(*account, held->expose()))))
            return at(w, wants_key ? "secret: the key that is kept is not that of the certificate; use {file = \"…\"}" : "secret: a key is kept, and the document names no certificate; use {file = \"…\"}");
    }
    if (w.proxy_secret == SecretWish::given) {
        password = sealed_again(deps_.sealer, azure::proxy_password_label, context, core::as_bytes(w.proxy_secret_value.expose()), std::move(password));
    } else if (w.proxy_secret == SecretWish::none) {
        password = std::monostate{};
    } else if (!std::holds_alternative<core::Bytes>(password)) {
        return at(w, "proxy_password is missing: the account has none to keep; use {file = \"…\"}");
    }
    if (account && account->proxy_user.empty() != !std::holds_alternative<core::Bytes>(password))
        return at(w, "proxy_user and proxy_password belong together; give both or none");
    step.row.keys.push_back(std::move(credential));
    step.row.keys.push_back(std::move(password));
    // Where tokens go, and by what way, is the installation's: a tenant could reach into its network.
    const auto elsewhere = [](const Result<azure::Account>& a) { return a && (a->replaced || !a->proxy.empty() || !a->ca_pem.empty()); };
    const bool changed = !step.stored || step.stored->body != step.row.body || step.stored->keys != step.row.keys;
    if (by_.tenant && changed && (elsewhere(account) || (step.stored && elsewhere(read_azure_account(*step.stored)))))
        return at(w, w.display() + ": proxy, trust_anchors, the addresses and scopes are for an administrator of every tenant to say or change");
    return {};
}

}  // namespace postern::ra::documents
