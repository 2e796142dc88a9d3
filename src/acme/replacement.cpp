#include "acme/replacement.hpp"

#include "acme/certificate_id.hpp"
#include "acme/render.hpp"

namespace postern::acme {

namespace {

/// The same for a certificate of nobody's: who asks learns nothing of others' certificates.
Error not_theirs() {
    Error e(ErrorType::unauthorized, "replaces names no certificate that this account ordered here");
    e.check = "order.replaces";
    return e;
}

bool shares_a_name(const std::string& identifiers, const std::vector<crypto::GeneralName>& names) {
    const auto list = json::Document::parse(identifiers);
    if (!list) return false;
    for (const auto& item : list->root().items()) {
        const auto type = item["type"].string();
        const auto value = item["value"].string();
        if (!type || !value) continue;
        for (const auto& name : names)
            if (crypto::to_string(name.type) == *type && name.value == *value) return true;
    }
    return false;
}

}  // namespace

void Replacement::claim(store::Batch& batch, store::AcmeOrderId order) const {
    if (instead_of) batch.add(store::acme_replacement_take, store::values(certificate, *instead_of, order));
    else batch.add(store::acme_replacement_insert, store::values(certificate, order));
}

Error already_replaced() {
    return {ErrorType::already_replaced, "another order replaces this certificate already; make one without replaces (RFC 9773 section 5)"};
}

core::Task<Result<Replacement>> find_replacement(Parts& parts, const Call& call, std::string id, std::vector<crypto::GeneralName> names) {
    const auto parsed = parse_certificate_id(id);
    if (!parsed) co_return Error(ErrorType::malformed, "the payload: replaces: " + parsed.error().detail);
    const auto certificate = co_await find_certificate(parts, call, *parsed);
    if (!certificate) co_return not_theirs();
    auto ordered = store::values(certificate->enrollment, call.requester().id);
    const auto order = co_await store::read_one(parts.deps.db, store::acme_order_identifiers, std::move(ordered));
    if (!order) co_return not_theirs();
    if (!shares_a_name(order->text(0), names)) {
        Error other(ErrorType::malformed, "replaces names a certificate that has none of the order's identifiers");
        other.check = "order.replaces";
        co_return other;
    }
    Replacement out;
    out.id = std::move(id);
    out.certificate = certificate->id;
    auto replaced = store::values(certificate->id);
    const auto holder = co_await store::read_one(parts.deps.db, store::acme_replacement_of, std::move(replaced));
    if (!holder) co_return out;
    const auto other = store::AcmeOrderRow::from(*holder);
    if (status_of(other, parts.now()) != OrderStatus::invalid) co_return already_replaced();
    out.instead_of = other.id;
    co_return out;
}

}  // namespace postern::acme
