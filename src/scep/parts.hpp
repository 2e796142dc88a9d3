#pragma once
#include "ra/access_codes.hpp"
#include "scep/message.hpp"
#include "scep/scep.hpp"
#include "scep/slow_down.hpp"

namespace postern::scep {

/// What all requests share.
struct Parts {
    explicit Parts(Deps d);
    Deps deps;
    SlowDown slow_down;
    ra::ChosenCodes chosen_codes;
    observe::Counter succeeded, pending, failed, unreadable;

    [[nodiscard]] core::TimePoint now() const noexcept { return deps.clock.now(); }
};

/// One request on its way.
struct Call {
    Call(const http::Request& r, std::shared_ptr<const ra::Catalog> c, const ra::Endpoint& e) : request(r), catalog(std::move(c)), endpoint(e) {}
    const http::Request& request;
    std::shared_ptr<const ra::Catalog> catalog;
    const ra::Endpoint& endpoint;
    MessagePolicy policy;
    /// Of the CA that the endpoint's first profile names, the newest first; never empty in a handler.
    std::shared_ptr<const RaCredentialList> credentials;
};

MessagePolicy policy_of(const ra::Endpoint& endpoint);

// One operation of RFC 8894 §3.5 and §4, one file.
http::Response get_ca_caps(const Call& call);
http::Response get_ca_cert(const Call& call);
/// `message`: the pkiMessage, BER or DER.
core::Task<http::Response> pki_operation(Parts& parts, const Call& call, core::Bytes message);

}  // namespace postern::scep
