#include <algorithm>

#include "ra/policy/checks.hpp"

namespace postern::ra::checks {

/// Which certificates an Intune account is for. A device has no mailbox.
Finding intune_kind(const PolicyInput& in) {
    if (in.account->method != AccountMethod::intune) return Finding::pass("not Intune's");
    if (in.account->intune.kind == IntuneSettings::Kind::client) return Finding::pass("client");
    const auto& names = in.request.csr->alt_names();
    const auto mail = std::ranges::find(names, crypto::GeneralNameType::email, &crypto::GeneralName::type);
    if (mail == names.end()) return Finding::pass("device");
    return Finding::refuse(core::ProblemKind::rejected_identifier, "device, " + mail->value,
                           "account " + in.account->name + " is for devices, and " + mail->value + " is a person's mail address (kind = \"client\")");
}

}  // namespace postern::ra::checks
