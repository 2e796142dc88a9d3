#include "ra/azure_account.hpp"

#include <algorithm>

#include "core/crypto/certificate.hpp"
#include "core/crypto/key.hpp"
#include "core/http/outbound.hpp"
#include "core/json/reader.hpp"

namespace postern::ra {

namespace {

using core::Result;

constexpr std::size_t longest_text = 255, longest_pem = std::size_t{64} * 1024;

/// Reads the optional texts of one body and keeps the first thing that is wrong.
class Texts {
public:
    explicit Texts(json::Value root) : root_(std::move(root)) {}
    /// True where the key is there.
    bool read(std::string_view key, std::string& into, std::size_t most = longest_text) {
        const auto value = root_[key];
        if (!value.exists()) return false;
        const auto text = value.string();
        if (!text) return wrong(text.error());
        if (text->empty() || text->size() > most) return wrong(value.problem("expected 1 to " + std::to_string(most) + " octets"));
        into = *text;
        return true;
    }
    void list(std::string_view key, std::vector<std::string>& into) {
        const auto value = root_[key];
        if (!value.exists()) return;
        // An empty list would open, or close, what somebody meant to do the other way round.
        if (!value.is_array() || value.items().empty()) return void(wrong(value.problem("expected a list that is not empty")));
        into.clear();
        for (const auto& item : value.items()) {
            const auto text = item.string();
            if (!text || text->empty() || text->size() > longest_text) return void(wrong(item.problem("expected a text of 1 to 255 octets")));
            into.emplace_back(*text);
        }
    }
    bool wrong(std::string_view key, std::string_view what) { return wrong(root_[key].problem(what)); }
    bool wrong(core::Problem problem) {
        if (!failure_) failure_ = std::move(problem);
        return false;
    }
    [[nodiscard]] const std::optional<core::Problem>& failure() const { return failure_; }

private:
    json::Value root_;
    std::optional<core::Problem> failure_;
};

bool hexadecimal(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_guid(std::string_view text) {
    constexpr std::size_t length = 36;
    if (text.size() != length) return false;
    for (std::size_t i = 0; i < length; ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !hexadecimal(text[i])) return false;
    }
    return true;
}

bool is_domain(std::string_view text) {
    return text.find('.') != std::string_view::npos && text.front() != '.' && text.front() != '-' && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-';
    });
}

/// An https URL that paths are written behind; a slash is added.
void read_base(Texts& texts, std::string_view key, azure::Account& account, std::string& into) {
    if (!texts.read(key, into)) return;
    account.replaced = true;
    const bool plain = into.starts_with("https://") && std::ranges::all_of(into, [](char c) { return c > ' ' && c < 0x7f; });
    if (!plain || into.find_first_of("?#@\\") != std::string::npos || into.size() == std::string_view("https://").size()) {
        texts.wrong(key, "expected \"https://HOST/\"");
        return;
    }
    if (!into.ends_with('/')) into += '/';
}

void read_certificate(Texts& texts, azure::Account& account) {
    std::string pem, algorithm;
    const bool certified = texts.read("certificate", pem, longest_pem);
    const bool said = texts.read("credential_algorithm", algorithm);
    if (said && algorithm != "PS256" && algorithm != "RS256") texts.wrong("credential_algorithm", "expected \"PS256\" or \"RS256\"");
    if (said && !certified) texts.wrong("credential_algorithm", "is for a certificate, and the document names none");
    if (!certified) return;
    account.credential = algorithm == "RS256" ? azure::CredentialKind::certificate_rs256 : azure::CredentialKind::certificate;
    const auto blocks = crypto::from_pem("CERTIFICATE", pem);
    if (!blocks || blocks->size() != 1) {
        texts.wrong("certificate", "expected one certificate as PEM");
        return;
    }
    const auto certificate = crypto::Certificate::parse(blocks->front());
    const auto key = certificate ? crypto::PublicKey::from_spki(certificate->spki(), crypto::KeyUse::account) : Result<crypto::PublicKey>(certificate.error());
    if (!key || key->type() != crypto::KeyType::rsa) {
        texts.wrong("certificate", "expected a certificate with an RSA key of 2048 to 4096 bits: Entra takes no others");
        return;
    }
    account.certificate = blocks->front();
}

void read_way(Texts& texts, azure::Account& account) {
    if (texts.read("proxy", account.proxy))
        if (const auto wrong = http::wrong_proxy_url(account.proxy); !wrong.empty()) texts.wrong("proxy", wrong);
    if (texts.read("proxy_user", account.proxy_user) && account.proxy.empty()) texts.wrong("proxy_user", "is for a proxy, and the document names none");
    if (texts.read("trust_anchors", account.ca_pem, longest_pem)) {
        const auto blocks = crypto::from_pem("CERTIFICATE", account.ca_pem);
        if (!blocks || blocks->empty()) texts.wrong("trust_anchors", "expected certificates as PEM");
    }
}

}  // namespace

Result<azure::Account> read_azure_account(const store::ObjectRow& row) {
    const auto document = json::Document::parse(row.body, json::Limits{.bytes = 4 * longest_pem});
    if (!document) return document.error();
    Texts texts(document->root());
    azure::Account account;
    account.id = row.id;
    account.version = row.version;
    account.tenant_id = row.tenant_id;
    account.name = row.name;
    account.active = row.status == "active";
    std::string environment = "global";
    texts.read("environment", environment);
    if (const auto known = azure::environment_from(environment)) account.environment = *known;
    else texts.wrong("environment", known.error().detail);
    account.addresses = azure::addresses_of(account.environment);
    texts.read("directory", account.directory);
    if (!is_guid(account.directory) && !is_domain(account.directory)) texts.wrong("directory", "expected the Directory (tenant) ID, a GUID, or a domain of the directory");
    texts.read("application", account.application);
    if (!is_guid(account.application)) texts.wrong("application", "expected the Application (client) ID, a GUID");
    read_certificate(texts, account);
    texts.list("organizations", account.organizations);
    read_way(texts, account);
    read_base(texts, "login_url", account, account.addresses.login);
    read_base(texts, "graph_url", account, account.addresses.graph);
    // Scopes name Microsoft's resources: a stand-in elsewhere is asked for the same ones.
    account.replaced = texts.read("graph_scope", account.addresses.graph_scope) || account.replaced;
    account.replaced = texts.read("intune_scope", account.addresses.intune_scope) || account.replaced;
    if (account.addresses.intune_scope.empty()) texts.wrong("environment", "Intune's scope in this cloud is not published; give it as intune_scope, and its hosts as service_hosts");
    const auto usual = account.addresses.services;
    texts.list("service_hosts", account.addresses.services);
    account.replaced = account.replaced || account.addresses.services != usual;
    if (account.addresses.services.empty()) texts.wrong("environment", "Intune's hosts in this cloud are not published; give them as service_hosts");
    if (const auto* sealed = row.keys.empty() ? nullptr : std::get_if<core::Bytes>(&row.keys.at(0))) account.sealed = *sealed;
    if (const auto* sealed = row.keys.size() < 2 ? nullptr : std::get_if<core::Bytes>(&row.keys.at(1))) account.sealed_proxy_password = *sealed;
    if (texts.failure()) return *texts.failure();
    return account;
}

Result<void> fits_certificate(const azure::Account& account, core::BytesView key_der) {
    const auto key = crypto::PrivateKey::from_pkcs8(key_der);
    const auto certificate = crypto::Certificate::parse(account.certificate);
    if (!key) return key.error();
    if (!certificate) return certificate.error();
    if (key->public_key().spki() != certificate->spki()) return core::Problem(core::ProblemKind::malformed, "the key is not that of the certificate");
    return {};
}

}  // namespace postern::ra
