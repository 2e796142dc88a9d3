#pragma once
#include "core/async/cpu_pool.hpp"
#include "est/parts.hpp"
#include "tests/unit/ra/other_ca.hpp"
#include "tests/unit/ra/world.hpp"

namespace postern::test {

/// The EST front end on a real store.
struct EstWorld : World {
    /// What a client shows, and from where.
    struct Shown {
        Shown() = default;
        std::string authorization, address = "192.0.2.1";
    };
    static std::string basic(const std::string& user, std::string_view password) {
        return "Basic " + core::base64(core::as_bytes(user + ":" + std::string(password)));
    }

    explicit EstWorld(std::string_view site) {
        auto report = apply(site).value();
        if (!report.secrets.empty()) password = std::move(report.secrets.front().password);
    }

    /// As the router would hand it on.
    using Handler = core::Task<http::Response> (*)(est::Parts&, const est::Call&);
    core::Task<http::Response> ask(Handler handler, std::string endpoint_name, std::string body, Shown shown) {
        http::Request request;
        request.method = http::Method::post;
        request.target = request.path = "/.well-known/est/" + endpoint_name;
        request.peer.address = std::move(shown.address);
        request.headers.emplace_back("Content-Type", "application/pkcs10");
        if (!shown.authorization.empty()) request.headers.emplace_back("Authorization", std::move(shown.authorization));
        request.body = std::move(body);
        request.id = random.request_id();
        request.deadline = core::deadline_in(std::chrono::seconds(60));
        const auto current = catalog.current();
        const auto* endpoint = current->endpoint(ra::Protocol::est, endpoint_name);
        const est::Call call(request, current, *endpoint);
        co_return co_await handler(parts, call);
    }
    /// base64, as a client sends it.
    [[nodiscard]] std::string request_for(const std::string& common_name) const {
        crypto::DistinguishedName subject;
        subject.entries.emplace_back(crypto::DnAttribute::common_name, common_name);
        return core::base64(crypto::make_csr(leaf_key, subject, {}));
    }

    core::CpuPool pool{1, 16};
    ScriptedOutbound outbound;
    ra::PredecessorStatus predecessor_status{ra::PredecessorStatus::Deps{db, outbound, pool, random, clock, log, metrics}};
    est::Proxies proxies;
    est::Parts parts{est::Deps{db, numbers, catalog, enrollment, backends, sealer, pool, random, clock, clock_agreement, log, metrics, predecessor_status, revocation, proxies, stranger_refusals}};
    core::SecretText password;
};

}  // namespace postern::test
