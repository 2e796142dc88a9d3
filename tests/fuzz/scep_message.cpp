// scep::Received and scep::Request: what is said of a message lies in it and is proven before it counts.
#include "scep/message.hpp"

#include <algorithm>

#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

using core::ProblemKind;

/// Everything that can be allowed: algorithms are refused by the reader then.
const scep::MessagePolicy& widest() {
    static const scep::MessagePolicy policy = [] {
        scep::MessagePolicy made;
        made.digests.push_back(crypto::CmsDigest::sha1);
        made.ciphers.push_back(crypto::CmsCipher::des_ede3_cbc);
        return made;
    }();
    return policy;
}

void check_refusal(const core::Problem& problem) {
    const auto kind = problem.kind;
    require(kind == ProblemKind::malformed || kind == ProblemKind::unsupported || kind == ProblemKind::bad_public_key || kind == ProblemKind::unauthenticated,
            "a refusal is one that fail_map knows");
    require(!problem.detail.empty() && problem.check.starts_with("scep."), "a refusal says why and at which check");
}

void check_request(const scep::Request& request, const scep::Received& received, core::BytesView input) {
    const auto& bag = received.signed_data().certificates();
    require(std::ranges::find(bag, request.signer().certificate.der()) != bag.end(), "the signer's certificate is one of the bag");
    require(lies_in(request.signer().certificate.der(), input), "and lies in the message");
    require(request.signer().key.type() == crypto::KeyType::rsa && request.signer().key.bits() >= 2048, "the answer can be encrypted");
    require(request.signer().key.spki() == request.signer().certificate.spki(), "the key is the certificate's");
    require(request.transaction_id() == received.transaction_id() && request.sender_nonce() == received.sender_nonce(), "what comes back is what came");
    require(widest().allows(request.digest()) && widest().allows(request.cipher()), "policy allows what was used");
    require(!request.envelope().addressed_to({}), "without keys nobody is addressed");
}

}  // namespace

Outcome scep_message(core::BytesView input) {
    const core::Bytes bytes = exact_copy(input);
    const auto received = scep::Received::read(bytes);
    if (!received) {
        require(received.error().kind == ProblemKind::malformed && !received.error().detail.empty(), "what cannot be read is malformed");
        return Outcome::refused;
    }
    const std::string& id = received->transaction_id();
    require(!id.empty() && id.size() <= 255 && std::ranges::all_of(id, [](char c) { return c >= 0x20 && c < 0x7f; }), "a transactionID is printable");
    require(lies_in(core::as_bytes(id), bytes), "and stands in the message");
    require(!received->sender_nonce() || lies_in(*received->sender_nonce(), bytes), "so does the nonce");
    const auto request = scep::Request::verify(*received, widest());
    if (!request)
        check_refusal(request.error());
    else
        check_request(*request, *received, bytes);
    const auto again = scep::Request::verify(*received, widest());
    require(again.has_value() == request.has_value(), "the same message is judged in the same way");
    return outcome(request.has_value());
}

}  // namespace postern::fuzz
