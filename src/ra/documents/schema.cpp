#include "ra/documents/schema.hpp"

#include <array>

namespace postern::ra::documents {

namespace {

constexpr std::array tenant{Key{"description", KeyType::text}};
constexpr std::array organization{
    Key{"legal_name", KeyType::text}, Key{"country", KeyType::text}, Key{"state", KeyType::text}, Key{"locality", KeyType::text},
    Key{"principal_names", KeyType::flag},
};
constexpr std::array department{Key{"organization", KeyType::text, true, "organization", true}, Key{"description", KeyType::text}};
constexpr std::array domain{
    Key{"organization", KeyType::text, false, "organization", true}, Key{"description", KeyType::text},
    Key{"proven_by", KeyType::text}, Key{"proven_until", KeyType::text},
};
constexpr std::array backend{
    Key{"kind", KeyType::text, true},       Key{"description", KeyType::text},      Key{"argv", KeyType::list},
    Key{"environment", KeyType::list},      Key{"directory", KeyType::text},        Key{"trust_anchors", KeyType::text, true},
    Key{"operations", KeyType::list},       Key{"timeout", KeyType::duration},      Key{"pending_limit", KeyType::duration},
    Key{"longest_lifetime", KeyType::duration}, Key{"earlier", KeyType::duration},  Key{"later", KeyType::duration},
    Key{"output_limit", KeyType::number},   Key{"at_once", KeyType::number},        Key{"queue", KeyType::number},
    Key{"serial_octets", KeyType::number},  Key{"publicly_trusted", KeyType::flag},
};
constexpr std::array profile{
    Key{"description", KeyType::text},      Key{"backend", KeyType::text, false, "backend"}, Key{"lifetime", KeyType::duration},
    Key{"longest_lifetime", KeyType::duration}, Key{"backdate", KeyType::duration}, Key{"keys", KeyType::list},
    Key{"key_usage", KeyType::list},        Key{"extended_key_usage", KeyType::list}, Key{"subject", KeyType::list},
    Key{"ip_names", KeyType::flag},         Key{"private_targets", KeyType::flag}, Key{"must_staple", KeyType::flag},
    Key{"names_limit", KeyType::number},    Key{"parameters", KeyType::list},      Key{"common_name", KeyType::text},
    Key{"email_names", KeyType::flag},      Key{"uri_names", KeyType::flag},       Key{"upn_names", KeyType::flag},
    Key{"other_names", KeyType::text},      Key{"strong_mapping", KeyType::text},  Key{"sid_extension", KeyType::text},
    Key{"approval", KeyType::text},         Key{"approval_limit", KeyType::duration},
    Key{"key_reuse", KeyType::text},        Key{"renew_after_expiry", KeyType::duration},
    Key{"challenge_password", KeyType::text}, Key{"require_binding", KeyType::flag},
    Key{"challenges", KeyType::list},       Key{"caa", KeyType::text},             Key{"caa_identities", KeyType::list},
};
constexpr std::array endpoint{
    Key{"protocol", KeyType::text, true, {}, true}, Key{"profiles", KeyType::list, true, "profile"},
    Key{"external_account_required", KeyType::flag}, Key{"terms_of_service", KeyType::text}, Key{"website", KeyType::text},
    Key{"chain", KeyType::text}, Key{"reply_with_issuer", KeyType::flag}, Key{"legacy_algorithms", KeyType::flag},
    Key{"get_operation", KeyType::flag}, Key{"renewal", KeyType::flag}, Key{"renewal_window", KeyType::duration},
    Key{"officer_messages", KeyType::flag},
    Key{"credential", KeyType::text}, Key{"default_hosts", KeyType::list}, Key{"binary_bodies", KeyType::flag},
    Key{"server_keys", KeyType::flag}, Key{"server_keys_hourly", KeyType::number},
    Key{"get_crl", KeyType::flag}, Key{"ra", KeyType::text}, Key{"ra_profile", KeyType::text, false, "profile"},
};
constexpr std::array account{
    Key{"endpoint", KeyType::text, true, "endpoint", true}, Key{"organization", KeyType::text, false, "organization", true},
    Key{"department", KeyType::text, false, "department", true}, Key{"method", KeyType::text, true, {}, true},
    Key{"profiles", KeyType::list, false, "profile"},       Key{"names", KeyType::list},
    Key{"wildcard", KeyType::flag},                         Key{"expires", KeyType::text},
    Key{"common_names", KeyType::list},                     Key{"serial_numbers", KeyType::list},
    Key{"emails", KeyType::list},                           Key{"uris", KeyType::list},
    Key{"upns", KeyType::list},
    Key{"approval", KeyType::text},                         Key{"user", KeyType::text},
    Key{"azure_account", KeyType::text, false, "azure_account"}, Key{"kind", KeyType::text},
    Key{"deliver_first", KeyType::flag},                    Key{"renewal_by_certificate", KeyType::flag},
    Key{"answer_within", KeyType::duration},
    Key{"unbound", KeyType::flag},                          Key{"challenge_lifetime", KeyType::duration},
    Key{"longest_challenge_lifetime", KeyType::duration},   Key{"outstanding", KeyType::number},
    Key{"url", KeyType::text},                              Key{"webhook_id", KeyType::text},
    Key{"timeout", KeyType::duration},                      Key{"trust_anchors", KeyType::text},
    Key{"revocation", KeyType::text},                       Key{"device_serial", KeyType::text},
    Key{"device_names", KeyType::text},                     Key{"devices", KeyType::text},
    Key{"first_use", KeyType::flag},                        Key{"with_password", KeyType::flag},
    Key{"single_use", KeyType::flag},                       Key{"challenges", KeyType::text},
};
constexpr std::array azure_account{
    Key{"environment", KeyType::text},      Key{"directory", KeyType::text, true},  Key{"application", KeyType::text, true},
    Key{"certificate", KeyType::text},      Key{"credential_algorithm", KeyType::text}, Key{"organizations", KeyType::list, false, "organization"},
    Key{"proxy", KeyType::text},            Key{"proxy_user", KeyType::text},       Key{"trust_anchors", KeyType::text},
    Key{"login_url", KeyType::text},        Key{"graph_url", KeyType::text},        Key{"graph_scope", KeyType::text},
    Key{"intune_scope", KeyType::text},     Key{"service_hosts", KeyType::list},
};

constexpr std::array all{
    Kind{"tenant", tenant}, Kind{"organization", organization}, Kind{"department", department}, Kind{"domain", domain},
    Kind{"backend", backend}, Kind{"profile", profile}, Kind{"azure_account", azure_account},
    Kind{"endpoint", endpoint}, Kind{"account", account},
};

constexpr std::array<std::string_view, 2> hidden{"argv", "environment"};

}  // namespace

std::span<const std::string_view> hidden_keys() noexcept { return hidden; }

std::span<const Kind> kinds() noexcept { return all; }

}  // namespace postern::ra::documents
