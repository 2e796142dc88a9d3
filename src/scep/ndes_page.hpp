#pragma once
#include "core/http/router.hpp"
#include "core/observe/log.hpp"
#include "ra/one_time_challenges.hpp"
#include "ra/principals.hpp"
#include "scep/ra_credentials.hpp"

namespace postern::scep {

/// The page where NDES shows a password, for MDM products that fetch it there: /scep/ENDPOINT/certsrv/mscep_admin/. HTTP Basic,
/// any user, the token of a principal that may mint challenges as the password. Each GET or POST mints one for no particular
/// device, good for an hour, of the endpoint's one_time account with unbound = true.
///
/// UTF-16LE with a byte order mark, as IIS sends it, with NDES's own sentences: those of fleetdm/fleet
/// ("The enrollment challenge password is: <B> (\S*)", "The password cache is full.", "You do not have sufficient permission
/// to enroll with SCEP."), of scripts around Zentral, PSNDESEnrollment ("[A-F0-9]{N}" between spaces) and Python's
/// content.decode("UTF-16").
class NdesPage {
public:
    struct Deps {
        const ra::CatalogSource& catalog;
        ra::Principals& principals;
        ra::OneTimeChallenges& challenges;
        const RaCredentials& ra_credentials;
        observe::Log& log;
    };
    explicit NdesPage(Deps deps) : deps_(deps) {}
    /// On listeners with TLS alone: it takes a password. Must outlive the router.
    void add_routes(http::Router& router);

private:
    core::Task<http::Response> serve(const http::Request& request);
    Deps deps_;
};

}  // namespace postern::scep
