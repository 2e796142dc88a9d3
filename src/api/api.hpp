#pragma once
#include "api/operations.hpp"
#include "azure/intune.hpp"
#include "core/http/router.hpp"
#include "core/observe/log.hpp"
#include "ra/approvals.hpp"
#include "ra/blocked_keys.hpp"
#include "ra/intune_revocations.hpp"
#include "ra/catalog.hpp"
#include "ra/clock_agreement.hpp"
#include "ra/documents.hpp"
#include "ra/enrollment.hpp"
#include "ra/est_devices.hpp"
#include "ra/imported_certificates.hpp"
#include "ra/one_time_challenges.hpp"
#include "ra/parked_messages.hpp"
#include "ra/predecessors.hpp"
#include "ra/principals.hpp"
#include "ra/profile_pauses.hpp"
#include "ra/revocation.hpp"
#include "store/database.hpp"

/// REST for those who administer: the one implementation behind the control socket, the network and
/// the command line (design §11). JSON; errors are {"code": <0, "description": …, "requestId": …}.
namespace postern::api {

class Api {
public:
    struct Deps {
        store::Database& db;
        const ra::CatalogSource& catalog;
        ra::Documents& documents;
        ra::Principals& principals;
        ra::Revocation& revocation;
        const core::Clock& clock;
        ra::BlockedKeys& blocked_keys;
        ra::ProfilePauses& profile_pauses;
        ra::ParkedMessages& parked_messages;
        Operations& operations;
        ra::ClockAgreement& clock_agreement;
        ra::Enrollment& enrollment;
        ra::Approvals& approvals;
        const ca::Backends& backends;
        azure::Intune& intune;
        ra::IntuneRevocations& intune_revocations;
        ra::OneTimeChallenges& challenges;
        ra::Predecessors& predecessors;
        ra::ImportedCertificates& imported_certificates;
        ra::EstDevices& est_devices;
    };
    explicit Api(Deps deps) : deps_(deps) {}
    /// Whom a router serves. Bodies are read before anybody is judged, so only the local administrator,
    /// on the control socket or in process, may send many MiB: configurations and CRLs can be long.
    enum class Reach { network, local };
    /// Everything below /api/postern/v1. The Api must outlive the router.
    void add_routes(http::Router& router, Reach reach);

private:
    Deps deps_;
};

}  // namespace postern::api
