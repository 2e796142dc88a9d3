#include <algorithm>

#include "api/clients/commands.hpp"
#include "api/clients/configuration.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"

namespace postern::api::clients {

namespace {

constexpr std::string_view key_id = "KEY_ID", mac_key = "MAC_KEY";

Configuration begin(const Facts& facts) {
    Configuration out;
    add_roots_pem(out, facts, "root.pem");
    out.values = {{"directory", facts.acme_directory()}, {"root", facts.http + "/ca/root.pem"}};
    if (facts.account_required) out.values.emplace_back("account", "KEY_ID and MAC_KEY are those that `postern apply` showed once");
    return out;
}

AcmeCommand command(const Facts& facts) {
    AcmeCommand out;
    out.directory = facts.acme_directory();
    out.name = facts.name;
    if (!facts.account_required) return out;
    out.key_id = key_id;
    out.mac_key = mac_key;
    return out;
}

std::string keys_line(const Facts& facts, std::string_view comment) {
    return facts.account_required ? std::string(comment) + " KEY_ID and MAC_KEY are those that `postern apply` showed once.\n" : std::string();
}

/// "postern-ENDPOINT" where that is one label of RFC 1123, as Kubernetes wants names (a subdomain of lower-case labels, each with a letter
/// or digit at both ends). Else a second label tells endpoints apart that read alike in the first: no name of one label has it.
std::string kubernetes_name(const std::string& endpoint) {
    constexpr std::size_t longest_label = 63, digest_octets = 8;
    constexpr std::string_view prefix = "postern-", longest_suffix = "-account";
    std::string label(prefix);
    for (const char c : endpoint) label += c == '.' || c == '_' ? '-' : c;
    if (label == std::string(prefix) + endpoint && label.back() != '-' && label.size() + longest_suffix.size() <= longest_label) return label;
    const auto digest = crypto::sha256(endpoint);
    label.resize(std::min(label.size(), longest_label));
    while (label.back() == '-') label.pop_back();
    return label + "." + core::hex(core::BytesView(digest).first(digest_octets));
}

}  // namespace

Configuration certbot(const Facts& facts) {
    auto out = begin(facts);
    out.text = certbot_command(command(facts)) + "\n" + keys_line(facts, "#");
    return out;
}

Configuration lego(const Facts& facts) {
    auto out = begin(facts);
    out.text = lego_command(command(facts)) + "\n" + keys_line(facts, "#");
    return out;
}

Configuration caddy(const Facts& facts) {
    auto out = begin(facts);
    out.text = "{\n\tacme_ca " + facts.acme_directory() + "\n\tacme_ca_root root.pem\n";
    if (facts.account_required) out.text += "\tacme_eab {\n\t\tkey_id " + std::string(key_id) + "\n\t\tmac_key " + std::string(mac_key) + "\n\t}\n";
    out.text += "}\n\n" + facts.name + " {\n\trespond \"ready\"\n}\n" + keys_line(facts, "#");
    return out;
}

Configuration cert_manager(const Facts& facts) {
    auto out = begin(facts);
    const auto pem = facts.roots_pem();
    const auto bundle = core::base64(core::as_bytes(pem));
    const auto name = kubernetes_name(facts.endpoint);
    out.text = "apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata:\n  name: " + name + "\nspec:\n  acme:\n    server: " + facts.acme_directory() +
               "\n    caBundle: " + bundle + "\n    privateKeySecretRef:\n      name: " + name + "-account\n";
    if (facts.account_required)
        out.text += "    externalAccountBinding:\n      keyID: " + std::string(key_id) + "\n      keySecretRef:\n        name: " + name + "-eab\n        key: mac\n";
    out.text += "    solvers:\n      - http01:\n          ingress: {}\n" + keys_line(facts, "#");
    if (facts.account_required) out.text += "# kubectl -n cert-manager create secret generic " + name + "-eab --from-literal=mac=" + std::string(mac_key) + "\n";
    return out;
}

}  // namespace postern::api::clients
