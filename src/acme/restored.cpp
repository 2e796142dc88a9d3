#include "acme/restored.hpp"

#include "acme/problem.hpp"
#include "store/tables/restoration.hpp"

namespace postern::acme {

void void_pending(store::Batch& batch, core::TimePoint now) {
    const Error error(ErrorType::unauthorized, "it was made before this server was restored from a backup and is void; make a new order");
    const auto text = to_json(error, core::RequestId());
    using store::Expect;
    batch.add(store::acme_order_void_all, store::values(now, text), Expect::any);
    batch.add(store::acme_authorization_void_all, store::values(now), Expect::any);
    batch.add(store::acme_challenge_void_all, store::values(now, text), Expect::any);
}

}  // namespace postern::acme
