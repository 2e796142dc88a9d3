#pragma once
#include "scep/parts.hpp"

namespace postern::scep {

/// The audit's row of a request that nobody's challenge or certificate made good (design §8), by its transaction; never with the
/// challenge. Bounded, since strangers can cause it. What is only put off, as a try too many, is none.
core::Task<void> record_stranger(Parts& parts, const Call& call, const Request& request, const crypto::Csr& csr, const core::Problem& problem);

}  // namespace postern::scep
