#include "scep/parts.hpp"

namespace postern::scep {

namespace {

ChainForm form_of(const ra::ScepSettings& settings) {
    using Chain = ra::ScepSettings::Chain;
    switch (settings.chain) {
        case Chain::issuer: return ChainForm::issuer;
        case Chain::chain: return ChainForm::chain;
        case Chain::chain_and_root: return ChainForm::chain_and_root;
    }
    return ChainForm::issuer;
}

}  // namespace

/// RFC 8894 §4.2: the newest RA certificate, for the older ones are only read.
http::Response get_ca_cert(const Parts& parts, const Call& call) {
    const auto chain = parts.deps.ra_credentials.chain_of(call.source, call.credentials->front());
    const auto answer = ca_certificates(chain, form_of(call.endpoint.scep));
    return {200, answer.media_type, std::string(answer.body.begin(), answer.body.end())};
}

}  // namespace postern::scep
