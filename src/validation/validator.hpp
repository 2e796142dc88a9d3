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
    std::string method;             ///< "http-01"
    std::string identifier_type;    ///< "dns" or "ip"
    std::string identifier;         ///< A-label, lower case, or canonical address
    std::string token;
    std::string key_authorization;  ///< RFC 8555 §8.1
    bool private_targets = false;   ///< the profile permits private and loopback addresses
};

struct Finding {
    Finding() = default;
    core::Result<void> verdict;             ///< dns, connection, tls, incorrect_response, unauthorized …
    std::vector<std::string> steps;         ///< each look-up and hop with its address, for the trace
};

class Validator {
public:
    virtual ~Validator() = default;
    /// Never throws for what the other side does.
    virtual core::Task<Finding> validate(Question question, core::Deadline deadline) = 0;
};

}  // namespace postern::validation
