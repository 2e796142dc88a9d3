// scep::read_query and decode_message: what a GET says, whatever the client encodes.
#include "scep/query.hpp"

#include <algorithm>

#include "core/base/encoding.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

constexpr std::size_t most = 2048;

}  // namespace

Outcome scep_query(core::BytesView input) {
    const core::Bytes bytes = exact_copy(input);
    const auto query = scep::read_query(core::as_text(bytes));
    if (!query) {
        require(query.error().kind == core::ProblemKind::malformed && !query.error().detail.empty(), "a refusal says why");
        return Outcome::refused;
    }
    require(!query->message || query->message->empty() || lies_in(core::as_bytes(*query->message), bytes), "a message is left as it came");
    const std::string identifier = scep::ca_identifier(*query);
    require(identifier.size() <= 255 && std::ranges::all_of(identifier, [](char c) { return c >= 0x20 && c < 0x7f; }), "an identifier can be logged");
    const auto get = scep::get_operation(*query);
    require(get.has_value() == (query->operation == "GetCACaps" || query->operation == "GetCACert" || query->operation == "GetNextCACert" ||
                                query->operation == "PKIOperation"),
            "there are four operations");
    const auto post = scep::post_operation(*query);
    require(post.has_value() == (query->operation.empty() || query->operation == "PKIOperation"), "and one by POST");
    if (!query->message) return outcome(get.has_value());
    const auto message = scep::decode_message(*query->message, most);
    if (!message) return Outcome::refused;
    require(!message->empty() && message->size() <= most, "a message has octets, and no more than are allowed");
    const auto again = scep::decode_message(core::base64(*message), most);
    require(again && *again == *message, "what was decoded encodes to the same");
    return outcome(get.has_value());
}

}  // namespace postern::fuzz
