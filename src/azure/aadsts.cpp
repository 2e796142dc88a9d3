#include "azure/aadsts.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "azure/wire.hpp"
#include "core/json/reader.hpp"

namespace postern::azure {

namespace {

/// Where in the Entra admin center (entra.microsoft.com). %A stands for the application, %D for the directory.
struct Known {
    unsigned number;
    std::string_view meaning;
    std::string_view advice;
};
constexpr std::string_view secrets_page = "Entra admin center > App registrations > %A > Certificates & secrets: ";
constexpr std::array known{
    Known{7000215, "the client secret is wrong", "create a client secret and give Postern its Value, not its Secret ID"},
    Known{7000222, "the client secret has expired", "create a new client secret, put its Value into the file that `secret` names and apply the document again"},
    Known{7000218, "the application gave no credential that Entra knows", "add the client secret or certificate that the document names"},
    Known{700027, "the certificate of the credential is not registered or has ended, or its key did not sign", "upload the certificate that the document names"},
    Known{700024, "the assertion is not valid now", {}},
    Known{700023, "the assertion is for another address", {}},
    Known{50027, "the assertion is malformed", {}},
    Known{700016, "the directory has no such application", {}},
    Known{7000112, "the application is disabled", {}},
    Known{90002, "there is no such directory", {}},
    Known{900023, "the directory is no GUID and no domain", {}},
    Known{900021, "the directory is no GUID and no domain", {}},
    Known{500011, "the directory does not know the service that the token is for", {}},
    Known{1002012, "the scope is not one that an application may ask for", {}},
    Known{53003, "a conditional access policy of the directory forbids it", {}},
};

std::string advice_of(unsigned number) {
    switch (number) {
        case 700024: return "Check the clock of this machine; an assertion lives 8 minutes";
        case 700023: return "Check login_url and environment of the document";
        case 50027: return "Use a certificate with an RSA key, or credential_algorithm = \"RS256\"";
        case 700016:
            return "Entra admin center > App registrations: compare `application` with the Application (client) ID, and `directory` with the Directory "
                   "(tenant) ID on the application's Overview page";
        case 7000112: return "Entra admin center > Enterprise applications > %A > Properties: Enabled for users to sign-in? Yes";
        case 90002:
        case 900021:
        case 900023: return "Entra admin center > Overview: give `directory` the Tenant ID (a GUID) or the primary domain; compare `environment`";
        case 500011:
            return "The directory needs an Intune licence, and the app registration Intune's permission scep_challenge_provider; compare `environment` and "
                   "intune_scope";
        case 1002012: return "Check intune_scope and graph_scope of the document";
        case 53003: return "Entra admin center > Conditional Access: except the application (workload identity), or this machine's address";
        default: break;
    }
    for (const auto& each : known)
        if (each.number == number && !each.advice.empty()) return std::string(secrets_page) + std::string(each.advice);
    return "Look for the number at https://login.microsoftonline.com/error, and for the sign-in in Entra admin center > Sign-in logs > Service principal "
           "sign-ins";
}

std::string filled(std::string text, const Account& account) {
    for (auto at = text.find("%A"); at != std::string::npos; at = text.find("%A")) text.replace(at, 2, account.application);
    for (auto at = text.find("%D"); at != std::string::npos; at = text.find("%D")) text.replace(at, 2, account.directory);
    return text;
}

/// error_codes, or the number that the description begins with.
unsigned number_of(const json::Value& root) {
    const auto codes = root["error_codes"].items();
    if (!codes.empty())
        if (const auto first = codes.front().integer(); first && *first > 0 && *first < 1'000'000'000) return static_cast<unsigned>(*first);
    constexpr std::string_view prefix = "AADSTS";
    const auto description = root["error_description"].string();
    if (!description || !description->starts_with(prefix)) return 0;
    unsigned out = 0;
    const auto digits = description->substr(prefix.size(), 9);
    std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return out;
}

}  // namespace

Failure explain_refusal(const Account& account, unsigned status, std::string_view body) {
    const auto document = json::Document::parse(body);
    const auto root = document ? document->root() : json::Value();
    const auto error = root["error"].string();
    if (!error) return {Trouble::rejected, "Entra answered " + std::to_string(status) + " without a reason"};
    if (*error == "temporarily_unavailable" || *error == "server_error") return {Trouble::unreachable, "Entra has trouble: " + loggable(*error)};
    const auto number = number_of(root);
    const auto* found = std::ranges::find(known, number, &Known::number);
    std::string detail = "Entra gives no token: ";
    detail += number != 0 ? "AADSTS" + std::to_string(number) : loggable(*error);
    if (found != known.end()) detail += ", " + std::string(found->meaning);
    else if (number != 0) detail += " (" + loggable(*error) + ")";
    if (const auto correlation = root["correlation_id"].string()) detail += "; correlation id " + loggable(*correlation);
    Failure out(Trouble::credentials, std::move(detail), filled(advice_of(number), account));
    out.aadsts = number;
    return out;
}

}  // namespace postern::azure
