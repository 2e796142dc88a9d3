#include "core/http/source.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace postern::http {

std::string source_of(std::string_view address) {
    namespace ip = boost::asio::ip;
    boost::system::error_code bad;
    const auto parsed = ip::make_address(address, bad);
    if (bad || parsed.is_v4()) return std::string(address);
    const auto six = parsed.to_v6();
    if (six.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, six).to_string();
    auto octets = six.to_bytes();
    std::fill(octets.begin() + octets.size() / 2, octets.end(), std::uint8_t(0));
    return ip::address_v6(octets).to_string() + "/64";
}

}  // namespace postern::http
