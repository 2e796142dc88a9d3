#pragma once
#include <string>
#include <string_view>

#include "app/verbs/device_lists.hpp"
#include "core/base/result.hpp"

/// What a device runs that has sh, openssl and curl.
namespace postern::app::verbs {

/// As openssl writes what a device asks for.
struct OpensslWish {
    OpensslWish() = default;
    std::string subject;  ///< of -subj: "/CN=gateway-7/O=Example"
    std::string names;    ///< of subjectAltName: "DNS:gateway-7.example.com,IP:192.0.2.7"; empty: none

    /// `malformed`: the subject or a name cannot be read, or openssl's command line cannot ask for it.
    static core::Result<OpensslWish> of(const ListedDevice& device);
};

/// Enrolls the device; beside it lie `root.pem` and `token`. Run again it sends the same key, which gets the same certificate when an answer was
/// lost. `key`: as "ec-p256".
std::string enroll_script(const ListedDevice& device, const OpensslWish& wish, std::string_view url, std::string_view key);

}  // namespace postern::app::verbs
