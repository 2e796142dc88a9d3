#pragma once
#include "api/operations.hpp"
#include "core/http/router.hpp"
#include "core/observe/log.hpp"
#include "ra/catalog.hpp"
#include "ra/documents.hpp"
#include "ra/principals.hpp"
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
        Operations& operations;
    };
    explicit Api(Deps deps) : deps_(deps) {}
    /// Everything below /api/postern/v1. The Api must outlive the router. Bodies from the network end at
    /// 1 MiB, those of a local administrator (control socket, in process) at 64 MiB: CRLs can be long.
    enum class Reach { network, local };
    void add_routes(http::Router& router, Reach reach);

private:
    Deps deps_;
};

}  // namespace postern::api
