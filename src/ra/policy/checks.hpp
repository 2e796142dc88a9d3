#pragma once
#include "ra/policy/policy.hpp"

/// The checks by family. Each looks at one thing and says why.
namespace postern::ra::checks {

// access.cpp: who is asking, and where
Finding tenant_active(const PolicyInput& in);
Finding endpoint_active(const PolicyInput& in);
Finding account_active(const PolicyInput& in);
Finding account_bound(const PolicyInput& in);
Finding requester_active(const PolicyInput& in);
Finding organization_active(const PolicyInput& in);
Finding evidence_sufficient(const PolicyInput& in);

// intune.cpp: persons' certificates and devices'
Finding intune_kind(const PolicyInput& in);

// profile.cpp: what kind of certificate, how long, with which key
Finding profile_allowed(const PolicyInput& in);
Finding profile_not_paused(const PolicyInput& in);
Finding backend_known(const PolicyInput& in);
Finding term_within(const PolicyInput& in);
Finding key_allowed(const PolicyInput& in);
Finding key_not_reused(const PolicyInput& in);

// keys.cpp: whether the key is known to others
Finding key_not_blocked(const PolicyInput& in);

// names.cpp: for which names
Finding names_well_formed(const PolicyInput& in);
Finding alternative_name_types(const PolicyInput& in);
Finding names_agreed(const PolicyInput& in);
Finding names_counted(const Profile& profile, const std::vector<crypto::GeneralName>& names);
Finding names_of_profile(const Profile& profile, const std::vector<crypto::GeneralName>& names);
Finding names_in_scope(const Profile& profile, const Account& account, const std::vector<crypto::GeneralName>& names);
Finding names_below_suffix(const Account& account, const std::vector<crypto::GeneralName>& names);
Finding names_recognizable(const Account& account, const std::vector<crypto::GeneralName>& names);
Finding names_delegated(const Catalog& catalog, const Account& account, const std::vector<crypto::GeneralName>& names);
/// Who governs a mailbox's domain is asked for subjects too; empty: nothing speaks against it.
std::string why_not_delegated(const Catalog& catalog, const Account& account, const crypto::GeneralName& name);
Finding names_provable(const PolicyInput& in);
Finding names_proven(const PolicyInput& in);

// request.cpp: what a CSR says beside its names
Finding extensions_harmless(const PolicyInput& in);
Finding attributes_ignored(const PolicyInput& in);
Finding subject_text(const PolicyInput& in);
Finding subject_form(const PolicyInput& in);

// approval.cpp: whether an officer must agree
Finding approval_rule(const PolicyInput& in);
// binding.cpp
Finding credential_stands(const PolicyInput& in);
Finding binding_kept(const PolicyInput& in);

// device.cpp: which devices, and what they are called
Finding device_allowed(const PolicyInput& in);
Finding device_named(const PolicyInput& in);

// content.cpp: what else the request wished for
Finding subject_common_name(const PolicyInput& in);
/// Of a profile whose CN is text: `names` are the common names asked for.
Finding text_common_name(const Account& account, const std::vector<std::string>& names);

// identity.cpp: who somebody is to a directory
Finding security_identifier(const PolicyInput& in);
Finding principal_names_allowed(const Catalog& catalog, const Account& account, const std::vector<crypto::GeneralName>& names);
Finding subject_fields(const PolicyInput& in);

/// `pattern` with "*" for any run of characters, else octet by octet.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace postern::ra::checks
