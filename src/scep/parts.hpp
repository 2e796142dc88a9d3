#pragma once
#include <mutex>

#include "ra/access_codes.hpp"
#include "ra/slow_down.hpp"
#include "scep/message.hpp"
#include "scep/scep.hpp"

namespace postern::scep {

/// What all requests share.
struct Parts {
    explicit Parts(Deps d);
    Deps deps;
    ra::SlowDown slow_down;
    ra::SlowDown guesses{deps.clock, ra::SlowDown::of_source};  ///< of whatever key
    ra::SlowDown forgeries{deps.clock, ra::SlowDown::of_sealed};
    ra::ChosenCodes chosen_codes;
    observe::Counter succeeded, pending, failed, unreadable;
    /// What GetNextCACert said last, and of what: anybody may ask, and each new one costs the CA's key.
    std::mutex next_mutex;
    core::Bytes next_content, next_answer;

    [[nodiscard]] core::TimePoint now() const noexcept { return deps.clock.now(); }
};

/// One request on its way.
struct Call {
    Call(const http::Request& r, std::shared_ptr<const ra::Catalog> c, const ra::Endpoint& e) : request(r), catalog(std::move(c)), endpoint(e) {}
    const http::Request& request;
    std::shared_ptr<const ra::Catalog> catalog;
    const ra::Endpoint& endpoint;
    MessagePolicy policy;
    RaSource source;
    /// Of the endpoint's RA, those that clients are shown first; never empty in a handler.
    std::shared_ptr<const RaCredentialList> credentials;
    /// Which of them the message was encrypted for: it signs the answer, for that is whom the client knows.
    std::size_t addressed = 0;

    [[nodiscard]] const RaCredential& credential() const { return (*credentials)[addressed]; }
};

MessagePolicy policy_of(const ra::Endpoint& endpoint);

/// Whom a client may ask for issuance by already (RFC 8894 §5): the RA of the CA that takes over. Nothing without one.
std::optional<ca::Successor> successor_of(const Parts& parts, const Call& call);

// One operation of RFC 8894 §3.5 and §4, one file.
http::Response get_ca_caps(const Parts& parts, const Call& call);
http::Response get_ca_cert(const Parts& parts, const Call& call);
core::Task<http::Response> get_next_ca_cert(Parts& parts, const Call& call);
/// `message`: the pkiMessage, BER or DER.
core::Task<http::Response> pki_operation(Parts& parts, const Call& call, core::Bytes message);

}  // namespace postern::scep
