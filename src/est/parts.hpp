#pragma once
#include "est/est.hpp"
#include "est/key_quota.hpp"
#include "ra/access_codes.hpp"
#include "ra/slow_down.hpp"

namespace postern::est {

/// What all requests share.
struct Parts {
    explicit Parts(Deps d);
    Deps deps;
    ra::SlowDown slow_down, token_slow_down;
    ra::ChosenCodes chosen_passwords;
    KeyQuota key_quota;
    observe::Counter issued, pending, refused;

    [[nodiscard]] core::TimePoint now() const noexcept { return deps.clock.now(); }
};

/// One request on its way.
struct Call {
    Call(const http::Request& r, std::shared_ptr<const ra::Catalog> c, const ra::Endpoint& e) : request(r), catalog(std::move(c)), endpoint(e) {}
    const http::Request& request;
    std::shared_ptr<const ra::Catalog> catalog;
    const ra::Endpoint& endpoint;
};

/// The ways to a certificate (RFC 7030 §4.2, §4.4).
enum class Operation { simpleenroll, simplereenroll, serverkeygen };
std::string_view to_string(Operation o) noexcept;

// One operation of RFC 7030 §4, one file.
core::Task<http::Response> cacerts(Parts& parts, const Call& call);
core::Task<http::Response> simpleenroll(Parts& parts, const Call& call);
core::Task<http::Response> simplereenroll(Parts& parts, const Call& call);
core::Task<http::Response> serverkeygen(Parts& parts, const Call& call);
core::Task<http::Response> csrattrs(Parts& parts, const Call& call);

}  // namespace postern::est
