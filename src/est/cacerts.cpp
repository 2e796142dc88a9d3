#include <algorithm>
#include <set>

#include "core/crypto/certificate.hpp"
#include "core/crypto/cms_build.hpp"
#include "est/bodies.hpp"
#include "est/status.hpp"
#include "store/tables/submission.hpp"

namespace postern::est {

namespace {

using core::Task;
using Certificates = std::vector<core::Bytes>;

/// What one CA issues under.
struct Path {
    Path() = default;
    Certificates issuers, anchors;
};

/// The newest chain that came back from a foreign CA was verified then.
Task<Certificates> stored_chain(Parts& parts, std::string backend) {
    auto of_backend = store::values(backend);
    const auto row = co_await store::read_one(parts.deps.db, store::issuer_chain_newest, std::move(of_backend));
    auto chain = row ? crypto::from_pem("CERTIFICATE", row->text(0)) : core::Result<Certificates>(Certificates());
    co_return chain ? std::move(*chain) : Certificates();
}

Task<Path> path_of(Parts& parts, std::string name, const ca::Backend& backend) {
    Path out;
    out.anchors = backend.anchors();
    const auto issuer = backend.issuer();
    if (issuer.empty()) out.issuers = co_await stored_chain(parts, std::move(name));
    else out.issuers = backend.chain(issuer);
    if (const auto next = backend.successor()) out.issuers.insert(out.issuers.end(), next->chain.begin(), next->chain.end());
    co_return out;
}

bool has(const Certificates& list, const core::Bytes& der) { return std::ranges::find(list, der) != list.end(); }

void append(Certificates& list, const Certificates& more) {
    for (const auto& der : more)
        if (!has(list, der)) list.push_back(der);
}

/// Issuing CAs first, each with its successor behind it, then what ends their paths: of the endpoint's default profile last,
/// and there the root itself, since some clients take the last certificate for it.
Certificates in_order(const std::vector<Path>& paths) {
    Certificates anchors, out;
    for (auto path = paths.rbegin(); path != paths.rend(); ++path) {
        std::erase_if(anchors, [&](const core::Bytes& der) { return has(path->anchors, der); });
        append(anchors, path->anchors);
    }
    for (const auto& path : paths) append(out, path.issuers);
    std::erase_if(out, [&](const core::Bytes& der) { return has(anchors, der); });
    append(out, anchors);
    return out;
}

}  // namespace

/// RFC 7030 §4.1: what the certificates of this endpoint are issued under, by all its profiles.
Task<http::Response> cacerts(Parts& parts, const Call& call) {
    std::vector<Path> paths;
    std::set<std::string> seen;
    for (const auto& name : call.endpoint.profiles) {
        const auto* profile = call.catalog->profile(call.endpoint.tenant, name);
        if (profile == nullptr || !profile->active || !seen.insert(profile->backend).second) continue;
        const auto* backend = parts.deps.backends.find(profile->backend);
        if (backend == nullptr) continue;
        auto backend_name = profile->backend;
        auto path = co_await path_of(parts, std::move(backend_name), *backend);
        paths.push_back(std::move(path));
    }
    const auto all = in_order(paths);
    if (all.empty())
        co_return refusal(call, core::Problem(core::ProblemKind::unavailable, "the certificates of this endpoint's CA are not known yet", "est.chain"));
    co_return answer_der(call.request, certificates_type, crypto::cms_certificates(all));
}

}  // namespace postern::est
