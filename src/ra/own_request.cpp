#include "ra/own_request.hpp"

#include "core/async/deadline.hpp"
#include "store/tables/objects.hpp"

namespace postern::ra {

core::Task<EnrollmentRequest> own_request(store::Database& db, std::shared_ptr<const Catalog> catalog, core::RequestId id, std::string what,
                                          std::string profile, crypto::Csr csr, core::TimePoint now) {
    const auto* endpoint = catalog->endpoint(Protocol::system, "system");
    if (endpoint == nullptr) throw std::runtime_error("the system endpoint is missing from the store");
    auto by_method = store::values(endpoint->id, "system");
    const auto account = co_await store::read_one(db, store::account_by_method, std::move(by_method));
    if (!account) throw std::runtime_error("the system account is missing from the store");
    EnrollmentRequest out;
    out.via = Protocol::system;
    out.endpoint = endpoint->id;
    out.account = core::AccountId(account->integer(0));
    out.requester = "server";
    out.evidence.push_back(Evidence::of(Evidence::Kind::system, std::move(what), now));
    out.csr = std::move(csr);
    out.profile = std::move(profile);
    out.attempt = id.get();
    out.id = std::move(id);
    out.deadline = core::deadline_in(std::chrono::seconds(30));
    co_return out;
}

}  // namespace postern::ra
