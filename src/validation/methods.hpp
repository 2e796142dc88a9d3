#pragma once
#include <map>
#include <memory>
#include <string>

#include "core/observe/metrics.hpp"
#include "validation/validator.hpp"

namespace postern::validation {

/// One validator a method, asked by the question's; each validation is counted and timed.
class Methods final : public Validator {
public:
    explicit Methods(observe::Metrics& metrics) : metrics_(metrics) {}
    Methods& add(std::string method, std::unique_ptr<Validator> validator);
    /// `internal` for a method that nobody here validates.
    core::Task<Finding> validate(Question question, core::Deadline deadline) override;

private:
    struct Known {
        std::unique_ptr<Validator> validator;
        observe::Histogram seconds;
    };
    observe::Metrics& metrics_;
    std::map<std::string, Known, std::less<>> known_;
};

}  // namespace postern::validation
