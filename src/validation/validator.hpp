#pragma once
#include <string>
#include <vector>

#include "core/async/task.hpp"
#include "core/base/result.hpp"

/// Proof that somebody controls a name. Knows nothing of ACME's resources: the RA's own domain
/// validation asks the same question.
namespace postern::validation {

struct Question {
    Question() = default;
    std::string method;             ///< "http-01", "dns-01", "tls-alpn-01", "dns-account-01"
    std::string identifier_type;    ///< "dns" or "ip"
    std::string identifier;         ///< A-label, lower case, or canonical address
    std::string token;
    std::string key_authorization;  ///< RFC 8555 §8.1
    std::string account_url;        ///< who asks, as its own URL: dns-account-01's label is made of it
    bool private_targets = false;   ///< the profile permits private and loopback addresses
};

struct Finding {
    Finding() = default;
    core::Result<void> verdict;             ///< dns, connection, tls, incorrect_response, unauthorized …
    bool passing = false;                   ///< refused for a reason that may pass: another attempt may end otherwise (RFC 8555 §8.2)
    std::vector<std::string> steps;         ///< each look-up and hop with its address, for the trace
};

/// One vantage point. Whoever asks several and takes a quorum stands in its place and looks the same.
class Validator {
public:
    virtual ~Validator() = default;
    /// Never throws for what the other side does.
    virtual core::Task<Finding> validate(Question question, core::Deadline deadline) = 0;
};

}  // namespace postern::validation
