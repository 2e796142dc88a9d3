#include <algorithm>

#include "core/base/encoding.hpp"
#include "ra/policy/checks.hpp"

/// What a challenge was given out for (VU#971035): subject and names of the CSR are those, no fewer and no more.
namespace postern::ra::checks {

namespace {

using core::ProblemKind;

std::string shown(const crypto::DnEntry& entry) {
    return (entry.type == crypto::DnAttribute::other ? entry.oid : std::string(crypto::short_name(entry.type))) + "=" + entry.value;
}

std::vector<std::string> sorted(const std::vector<crypto::DnEntry>& entries) {
    std::vector<std::string> out;
    for (const auto& entry : entries) out.push_back(shown(entry));
    std::ranges::sort(out);
    return out;
}

std::string shown(const crypto::GeneralName& name) {
    using crypto::GeneralNameType;
    if (name.type == GeneralNameType::dns) {
        const auto normal = normalize_dns(name.value);
        return "dns:" + (normal ? *normal : name.value);
    }
    if (name.type == GeneralNameType::ip) return "ip:" + name.value;
    if (name.type == GeneralNameType::email) {
        const auto normal = normalize_mailbox(name.value);
        return "email:" + (normal ? *normal : name.value);
    }
    if (name.type == GeneralNameType::uri) return "uri:" + name.value;
    if (name.type == GeneralNameType::upn) return "upn:" + name.value;
    return "other:" + core::hex(name.der) + name.value;
}

/// Each once: a name that is asked for twice is one name.
std::vector<std::string> sorted(const std::vector<crypto::GeneralName>& names) {
    std::vector<std::string> out;
    for (const auto& name : names) out.push_back(shown(name));
    std::ranges::sort(out);
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

std::string joined(const std::vector<std::string>& list) {
    std::string out;
    for (const auto& text : list) out += (out.empty() ? "" : ", ") + text;
    return out.empty() ? "nothing" : out;
}

}  // namespace

Finding credential_stands(const PolicyInput& in) {
    if (!in.request.binding || !in.request.binding->ended) return Finding::pass("stands");
    return Finding::refuse(ProblemKind::forbidden, "a credential that is over", *in.request.binding->ended);
}

Finding binding_kept(const PolicyInput& in) {
    if (!in.request.binding) return Finding::pass("not bound");
    const auto& binding = *in.request.binding;
    const auto& csr = *in.request.csr;
    if (binding.subject) {
        const auto asked = sorted(csr.subject().entries);
        if (csr.subject().multi_valued || asked != sorted(*binding.subject))
            return Finding::refuse(ProblemKind::forbidden, "subject " + joined(asked), "the challenge is for another subject");
    }
    if (binding.names) {
        const auto asked = sorted(csr.alt_names());
        if (asked != sorted(*binding.names))
            return Finding::refuse(ProblemKind::forbidden, "names " + joined(asked), "the challenge is for other alternative names");
        // A common name that is a host's or an address is certified as one; where nobody said which it may be, it is none but these.
        const auto certified = sorted(in.names);
        if (!binding.subject && !std::ranges::includes(sorted(*binding.names), certified))
            return Finding::refuse(ProblemKind::forbidden, "names " + joined(certified), "the challenge is for other names than the common name has");
    }
    const auto& key = csr.key();
    if (binding.key && (key.type() != binding.key->type || key.bits() < binding.key->bits))
        return Finding::refuse(ProblemKind::forbidden, "key " + crypto::KeySpec(key.type(), key.bits()).to_string(),
                               "the challenge is for a key of type " + binding.key->to_string());
    return Finding::pass("asks for what the challenge was given out for");
}

}  // namespace postern::ra::checks
