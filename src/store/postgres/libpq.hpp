#pragma once
#include <postgresql/libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>

namespace postern::store::postgres {

struct Finish {
    void operator()(PGconn* c) const noexcept { PQfinish(c); }
};
struct Clear {
    void operator()(PGresult* r) const noexcept { PQclear(r); }
};
using Handle = std::unique_ptr<PGconn, Finish>;
using Result = std::unique_ptr<PGresult, Clear>;

/// A message of libpq's on one line.
std::string one_line(std::string_view message);

}  // namespace postern::store::postgres
