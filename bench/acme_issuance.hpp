#pragma once
#include <string>
#include <vector>

#include "bench/acme_client.hpp"
#include "bench/http01_responder.hpp"
#include "core/crypto/certificate.hpp"

namespace postern::bench {

struct Issuance {
    Issuance() = default;
    AcmeOrder order;
    std::vector<core::Bytes> chain;  ///< DER, leaf first
    crypto::Certificate leaf;
};

/// One whole issuance by http-01 for one name: newOrder, authorization, challenge, polls, finalize,
/// certificate; with a server that validates at once these are six POSTs. The answer is counted
/// only when the leaf parses, carries `key` and the name, and its issuer's signature.
/// `client`, `responder` and `key` must outlive the call.
core::Task<core::Result<Issuance>> obtain_certificate(AcmeClient& client, Http01Responder& responder, std::string name,
                                                      const crypto::PrivateKey& key);

}  // namespace postern::bench
