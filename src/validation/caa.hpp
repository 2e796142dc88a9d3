#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/dns/resolver.hpp"
#include "core/observe/metrics.hpp"
#include "validation/validator.hpp"

/// Certification authority authorization: whether the owner of a name lets this CA certify it (RFC 8659, RFC 8657).
namespace postern::validation {

struct CaaQuestion {
    CaaQuestion() = default;
    std::string name;                     ///< A-labels, lower case; wildcards with "*."
    std::vector<std::string> identities;  ///< issuer domain names that mean this CA
    std::string method;                   ///< how control was proven: "http-01"; empty: in no way that has a name
    std::string account_url;              ///< who asks, for accounturi; empty: nobody with a URL
};

/// One vantage point, as Validator is.
class Caa {
public:
    virtual ~Caa() = default;
    /// Looks the records up from the name towards the root; the nearest that there are decide. Refused with `caa`, or with `dns` and
    /// `passing` where a look-up failed, for no answer is no permission.
    virtual core::Task<Finding> check(CaaQuestion question, core::Deadline deadline) = 0;
};

std::unique_ptr<Caa> make_caa(dns::Resolver& resolver, observe::Metrics& metrics);

/// What the records of one owner say. `caa` with the record that forbids.
core::Result<void> judge_caa(const std::vector<dns::CaaRecord>& records, std::string_view owner, const CaaQuestion& question);

}  // namespace postern::validation
