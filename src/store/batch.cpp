#include "store/batch.hpp"

#include <iterator>

namespace postern::store {

Batch& Batch::append(Batch other) {
    steps_.insert(steps_.end(), std::make_move_iterator(other.steps_.begin()),
                  std::make_move_iterator(other.steps_.end()));
    return *this;
}

std::string to_string(const Conflict& conflict) {
    const std::string name(conflict.statement == nullptr ? std::string_view("?") : conflict.statement->name);
    switch (conflict.kind) {
        case Conflict::Kind::expectation: return name + " did not meet exactly one row";
        case Conflict::Kind::duplicate: return name + " met a row that is unique";
        case Conflict::Kind::referenced: return name + " is forbidden by a foreign key";
    }
    return name;
}

}  // namespace postern::store
