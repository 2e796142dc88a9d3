#include "acme/cross_origin.hpp"

namespace postern::acme {

void allow_any_origin(http::Response& response) {
    response.set("Access-Control-Allow-Origin", "*");
    response.set("Access-Control-Expose-Headers", "Link, Location, Replay-Nonce, Retry-After");
}

http::Response preflight(const std::string& methods) {
    http::Response response(204);
    allow_any_origin(response);
    response.set("Access-Control-Allow-Methods", methods);
    response.set("Access-Control-Allow-Headers", "Content-Type");
    response.set("Access-Control-Max-Age", "86400");
    response.set("Allow", methods + ", OPTIONS");
    return response;
}

}  // namespace postern::acme
