#include "app/house.hpp"
#include "app/own_tls.hpp"
#include "core/crypto/cms_build.hpp"

/// What Operations tells clients of this server, and signs for them.
namespace postern::app {

core::Task<Operations::ClientFacts> Operations::client_facts(core::EndpointId endpoint) {
    ClientFacts out;
    out.https = house_.config.public_https;
    out.http = house_.config.public_http;
    out.est = house_.config.public_est;
    const auto catalog = house_.catalog->current();
    const auto* served = catalog->endpoint(endpoint);
    if (served && served->protocol == ra::Protocol::est) {
        // Of another CA, cacerts tells the chain to who trusts the listener.
        const auto* profile = served->profiles.empty() ? nullptr : catalog->profile(served->tenant, served->profiles.front());
        if (profile && profile->backend == "builtin") out.chain = house_.builtin->path(house_.builtin->issuer());
        else out.chain.push_back(house_.builtin->root_der());
        co_return out;
    }
    const auto source = served ? scep::ra_source(*catalog, *served) : scep::RaSource();
    auto credentials = house_.ra_credentials->of(source);
    if (credentials->empty()) {  // in process, nobody loaded them yet
        co_await house_.ra_credentials->refresh();
        credentials = house_.ra_credentials->of(source);
    }
    if (credentials->empty()) {
        out.chain.push_back(house_.builtin->root_der());
        co_return out;
    }
    const auto chain = house_.ra_credentials->chain_of(source, credentials->front());
    out.ra = credentials->front().identity.certificate.der();
    for (const auto& issuer : chain.issuers) out.chain.push_back(issuer.der());
    co_return out;
}

core::Task<core::Result<core::Bytes>> Operations::sign_for_clients(core::Bytes content) {
    const OwnTls tls(house_);
    const auto files = tls.read(house_.config, OwnTls::Expired::refused);
    if (!files) co_return core::Problem(core::ProblemKind::unavailable, "the TLS listeners' key signs what clients are given, and there is none to use: " + files.error().detail);
    const auto chain = crypto::from_pem("CERTIFICATE", files->chain);
    auto key = crypto::PrivateKey::from_pem(files->key.expose());
    auto leaf = crypto::CmsCertificate::parse(chain.value().front());
    if (!key || !leaf) co_return core::Problem(core::ProblemKind::unavailable, "the TLS listeners' key or certificate is none that CMS can be signed with");
    const crypto::CmsIdentity signer(std::move(*leaf), std::move(*key));
    const std::vector<core::Bytes> issuers(chain->begin() + 1, chain->end());
    const auto sign = [&] { return crypto::cms_sign(core::BytesView(content), {}, signer, crypto::CmsDigest::sha256, issuers); };
    co_return co_await house_.pool.run(sign);
}

}  // namespace postern::app
