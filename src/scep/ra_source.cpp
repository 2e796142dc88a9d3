#include "scep/ra_source.hpp"

namespace postern::scep {

namespace {

constexpr std::string_view builtin = "builtin";

}  // namespace

RaSource ra_source(const ra::Catalog& catalog, const ra::Endpoint& endpoint) {
    using Ra = ra::ScepSettings::Ra;
    RaSource out;
    const auto* first = endpoint.profiles.empty() ? nullptr : catalog.profile(endpoint.tenant, endpoint.profiles.front());
    if (first == nullptr) {
        out.why = "its first profile is missing";
        return out;
    }
    out.issuing = first->backend;
    switch (endpoint.scep.ra) {
        case Ra::by_backend:
            if (first->backend == builtin) break;
            out.why = "its profile's certificates come from backend " + first->backend +
                      ", and its document does not say whence the RA's comes: ra_profile = \"NAME\", ra = \"imported\" or ra = \"builtin\"";
            return out;
        case Ra::builtin: break;
        case Ra::imported: out.key = "imported " + std::to_string(endpoint.id.get()); return out;
        case Ra::profile:
            out.profile = catalog.profile(endpoint.tenant, endpoint.scep.ra_profile);
            if (out.profile == nullptr) {
                out.why = "its ra_profile " + endpoint.scep.ra_profile + " is missing";
                return out;
            }
            out.backend = out.profile->backend;
            out.key = "profile " + std::to_string(out.profile->id.get());
            return out;
    }
    out.backend = out.key = builtin;
    return out;
}

}  // namespace postern::scep
