#include "ra/policy/checks.hpp"

namespace postern::ra::checks {

/// After all others: an officer is asked about nothing that policy refuses anyhow. The server's own requests wait for
/// nobody, or a profile's word would keep it from its TLS certificate.
Finding approval_rule(const PolicyInput& in) {
    const bool own_word = in.account->approval.has_value();
    const auto what = own_word ? "account " + in.account->name : "profile " + in.profile->name;
    if (in.request.via == Protocol::system) return Finding::pass("the server's own request");
    if (approval_of(*in.profile, *in.account) == Approval::none) return Finding::pass(what + ": none");
    return Finding::needs_approval(what + ": officer", what + " has an officer approve each request");
}

}  // namespace postern::ra::checks
