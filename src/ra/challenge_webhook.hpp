#pragma once
#include <string>

#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/crypto/csr.hpp"
#include "core/crypto/sealer.hpp"
#include "core/http/outbound.hpp"
#include "ra/binding.hpp"
#include "ra/model.hpp"

/// A challenge that another program judges, in the shape of step-ca's SCEPCHALLENGE webhooks, for which receivers exist
/// (smallstep/certificates authority/provisioner/webhook.go, webhook/types.go; hslatman/scep-webhook-validator).
///
/// POST to the account's URL, JSON: timestamp, provisionerName (the endpoint), x509CertificateRequest {subject {commonName},
/// dnsNames, ipAddresses, emailAddresses, uris, raw: base64 of the DER}, scepChallenge, scepTransactionID. Headers:
/// X-Smallstep-Webhook-ID, and X-Smallstep-Signature, the hexadecimal HMAC-SHA256 of the body under the account's secret.
/// Answer: 200 and {"allow": true}; "data" may narrow it: "subject" ("CN=phone-7"), "sans" (["dns:…"]), which the CSR must ask
/// for exactly then, and "profile". Other members are for step-ca's templates, and nothing here.
namespace postern::ra {

struct WebhookQuestion {
    WebhookQuestion(std::string e, std::string c, std::string t, const crypto::Csr& r)
        : endpoint(std::move(e)), challenge(std::move(c)), transaction(std::move(t)), csr(r) {}
    std::string endpoint;        ///< name
    core::SecretText challenge;
    std::string transaction;
    crypto::Csr csr;
};

struct WebhookVerdict {
    WebhookVerdict() = default;
    bool allow = false;
    Binding binding;
    std::string profile;  ///< empty: not said
};

/// What the other program says. Errors, all "challenge.webhook": unavailable (it cannot be reached, is too slow, or answers 429 or
/// 5xx: the device may ask again), forbidden (any other status, redirects too, and whatever is no such answer). Their detail
/// never has the challenge. `outbound` null: this process sends nothing.
core::Task<core::Result<WebhookVerdict>> ask_webhook(http::Outbound* outbound, const crypto::Sealer& sealer, Account account, WebhookQuestion question,
                                                     core::TimePoint now, core::Deadline deadline);

}  // namespace postern::ra
