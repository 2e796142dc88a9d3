#include "core/http/outbound.hpp"

#include <boost/url/parse.hpp>

namespace postern::http {

std::string wrong_proxy_url(std::string_view text) {
    const auto parsed = boost::urls::parse_uri(text);
    if (!parsed) return "expected \"http://HOST:PORT\" or \"https://HOST:PORT\"";
    const auto& url = *parsed;
    if (url.scheme() != "http" && url.scheme() != "https") return "a proxy of " + std::string(url.scheme()) + " is not known; expected http or https";
    if (url.has_userinfo()) return "holds a user or password; they have keys of their own";
    if (url.encoded_host().empty()) return "names no host";
    if (url.port().empty()) return "names no port";
    if ((url.encoded_path() != "" && url.encoded_path() != "/") || url.has_query() || url.has_fragment()) return "ends after the port";
    return {};
}

}  // namespace postern::http
