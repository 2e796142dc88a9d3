#include "azure/credential.hpp"

#include "azure/wire.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/key.hpp"
#include "core/crypto/rsa_pss.hpp"
#include "core/json/writer.hpp"

namespace postern::azure {

namespace {

constexpr std::chrono::minutes assertion_life(8);  // Entra takes ten
constexpr std::string_view assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

}  // namespace

void add_field(std::string& form, std::string_view name, std::string_view value) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    if (!form.empty()) form += '&';
    form += name;
    form += '=';
    for (const char c : value) {
        const auto octet = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            form += c;
        } else {
            form += '%';
            form += digits[octet >> 4];
            form += digits[octet & 15];
        }
    }
}

core::Result<core::SecretText> make_assertion(const Account& account, core::BytesView key_der, const std::string& audience, const std::string& id,
                                              core::TimePoint now) {
    const auto key = crypto::PrivateKey::from_pkcs8(key_der);
    if (!key) return key.error();
    if (key->public_key().type() != crypto::KeyType::rsa) return core::Problem(core::ProblemKind::malformed, "the key of a certificate credential must be RSA");
    const bool older = account.credential == CredentialKind::certificate_rs256;
    json::Writer header;
    header.begin_object().member("alg", older ? "RS256" : "PS256").member("typ", "JWT");
    if (older) header.member("x5t", core::base64url(crypto::sha1(account.certificate)));
    else header.member("x5t#S256", core::base64url(crypto::sha256(account.certificate)));
    header.end_object();
    const auto seconds = core::to_ms(now) / 1000;
    json::Writer claims;
    claims.begin_object().member("aud", audience).member("iss", account.application).member("sub", account.application).member("jti", id);
    claims.member("nbf", seconds).member("iat", seconds).member("exp", seconds + std::chrono::seconds(assertion_life).count()).end_object();
    auto text = core::base64url(core::as_bytes(header.take())) + "." + core::base64url(core::as_bytes(claims.take()));
    const auto data = core::as_bytes(text);
    const auto signature = older ? key->sign(crypto::SignatureAlgorithm::rsa_sha256, data) : crypto::sign_ps256(*key, data);
    return core::SecretText(text + "." + core::base64url(signature));
}

core::Task<Attempt<core::SecretText>> credential_fields(const ClientDeps& deps, AccountRef account, std::string audience) {
    auto opened = deps.sealer.open(credential_label, sealing_context(account->id), account->sealed);
    if (!opened)
        co_return Failure(Trouble::credentials, "the credential of " + account->label() + " was sealed under another master key",
                          "Give the server the right master key, or apply the azure_account with its secret anew");
    std::string form;
    if (account->credential == CredentialKind::secret) {
        add_field(form, "client_secret", core::as_text(opened->expose()));
        co_return core::SecretText(std::move(form));
    }
    auto sign = [key = std::move(*opened), account, audience = std::move(audience), id = guid(deps.random), now = deps.clock.now()] {
        return make_assertion(*account, key.expose(), audience, id, now);
    };
    auto signing = deps.pool.run(std::move(sign));
    const auto assertion = co_await std::move(signing);
    if (!assertion && assertion.error().kind == core::ProblemKind::unavailable) {
        Failure busy(Trouble::unreachable, assertion.error().detail);
        busy.retry_after = assertion.error().retry_after;
        co_return busy;
    }
    if (!assertion) co_return Failure(Trouble::credentials, "the key of " + account->label() + " cannot be used: " + assertion.error().detail);
    add_field(form, "client_assertion_type", assertion_type);
    add_field(form, "client_assertion", assertion->expose());
    co_return core::SecretText(std::move(form));
}

}  // namespace postern::azure
