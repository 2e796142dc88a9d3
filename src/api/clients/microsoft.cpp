#include <algorithm>

#include "api/clients/configuration.hpp"
#include "core/base/encoding.hpp"

/// Intune's forms, and Windows' own SCEP client (ClientCertificateInstall CSP).
namespace postern::api::clients {

namespace {

using Values = std::vector<std::pair<std::string, std::string>>;

bool uses(const ra::Profile& profile, crypto::KeyUsageBit bit, bool preset) {
    if (profile.key_usage.empty()) return preset;
    return std::ranges::find(profile.key_usage, bit) != profile.key_usage.end();
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
    std::string out;
    for (const auto& word : words) out += (out.empty() ? std::string() : std::string(between)) + word;
    return out;
}

int days(std::chrono::milliseconds time) { return static_cast<int>(std::chrono::duration_cast<std::chrono::hours>(time).count() / 24); }

/// What is left of the life when a device asks again, within the endpoint's renewal window.
int renewal_threshold(const Facts& facts) {
    const auto percent = static_cast<int>(100 * facts.scep.renewal_window.count() / facts.profile.lifetime.count());
    return std::clamp(percent, 1, 20);
}

void add_certificates(Configuration& out, const Facts& facts) {
    for (const auto& each : facts.trusted())
        out.files.emplace_back(each.name + ".cer", each.certificate->der(), each.certificate->subject().to_text() + ", SHA-1 " + sha1_hex(*each.certificate));
}

std::string as_table(const Values& values) {
    std::string out;
    for (const auto& [name, value] : values) out += "  " + name + ": " + value + "\n";
    return out;
}

std::string key_usage_words(const ra::Profile& profile) {
    std::string out;
    if (uses(profile, crypto::KeyUsageBit::digital_signature, true)) out = "Digital signature";
    if (uses(profile, crypto::KeyUsageBit::key_encipherment, true)) out += std::string(out.empty() ? "" : ", ") + "Key encipherment";
    return out;
}

}  // namespace

Configuration intune(const Facts& facts, unsigned bits) {
    Configuration out;
    const auto url = facts.scep_url(true) + "/certsrv/mscep/mscep.dll";
    out.values = {
        {"Certificate type", "Device"},
        {"Subject name format", "CN={{AAD_Device_ID}}"},
        {"Certificate validity period", std::to_string(days(facts.profile.lifetime)) + " days"},
        {"Key storage provider", "Enroll to Trusted Platform Module (TPM) KSP if present, otherwise Software KSP"},
        {"Key usage", key_usage_words(facts.profile)},
        {"Key size (bits)", std::to_string(bits)},
        {"Hash algorithm", "SHA-2"},
        {"Extended key usage", joined(facts.profile.extended_key_usage, ", ")},
        {"Renewal threshold (%)", std::to_string(renewal_threshold(facts))},
        {"SCEP Server URLs (Windows)", url},
        {"SCEP Server URLs (Android, iOS, iPadOS, macOS)", url + "/pkiclient.exe"},
        {"Root certificate (Windows)", "the trusted certificate profile with " + facts.issuer_name() + ".cer, SHA-1 " + sha1_hex(facts.issuer())},
        {"Root certificate (Android, iOS, iPadOS, macOS)", "the trusted certificate profile with root.cer, SHA-1 " + sha1_hex(facts.root())},
    };
    add_certificates(out, facts);
    out.text = "1. For each platform and each of these files, make a trusted certificate profile and assign it:\n";
    for (const auto& file : out.files) out.text += "     " + file.name + ": " + file.what + "\n";
    out.text += "2. For each platform, make a SCEP certificate profile with these values, and assign it to the same groups:\n" + as_table(out.values) +
                "   For persons: certificate type User, subject CN={{UserPrincipalName}}.\n"
                "   Intune makes the challenge itself; the endpoint's account must be of the method that asks Intune about it.\n";
    return out;
}

namespace {

constexpr std::string_view csp = "./Device/Vendor/MSFT/ClientCertificateInstall/SCEP/";

/// Nodes under …/SCEP/ID/Install and their formats, in the order they are added.
struct Node {
    std::string name, format, value;
};

std::vector<Node> nodes(const Facts& facts, unsigned bits) {
    const int usage = (uses(facts.profile, crypto::KeyUsageBit::digital_signature, true) ? 0x80 : 0) + (uses(facts.profile, crypto::KeyUsageBit::key_encipherment, true) ? 0x20 : 0);
    return {{"ServerURL", "chr", facts.scep_url(true) + "/certsrv/mscep/mscep.dll/pkiclient.exe"},
            {"Challenge", "chr", facts.code()},
            {"EKUMapping", "chr", joined(facts.profile.extended_key_usage, "+")},
            {"KeyUsage", "int", std::to_string(usage)},
            {"SubjectName", "chr", "CN=" + facts.name},
            {"KeyProtection", "int", "3"},
            {"RetryDelay", "int", "1"},
            {"RetryCount", "int", "5"},
            {"KeyLength", "int", std::to_string(bits)},
            {"HashAlgorithm", "chr", "SHA-2"},
            {"CAThumbprint", "chr", sha1_hex(facts.issuer())},
            {"ValidPeriod", "chr", "Days"},
            {"ValidPeriodUnits", "int", std::to_string(days(facts.profile.lifetime))}};
}

std::string command(std::string_view verb, int number, const std::string& uri, const std::string& format, const std::string& value) {
    auto out = "    <" + std::string(verb) + ">\n      <CmdID>" + std::to_string(number) + "</CmdID>\n      <Item>\n        <Target><LocURI>" + xml_text(uri) + "</LocURI></Target>\n";
    if (!format.empty()) out += "        <Meta><Format xmlns=\"syncml:metinf\">" + format + "</Format></Meta>\n        <Data>" + xml_text(value) + "</Data>\n";
    return out + "      </Item>\n    </" + std::string(verb) + ">\n";
}

}  // namespace

Configuration windows(const Facts& facts, unsigned bits) {
    Configuration out;
    const auto base = std::string(csp) + facts.endpoint + "/Install";
    std::string xml = "<SyncML xmlns=\"SYNCML:SYNCML1.2\">\n  <SyncBody>\n  <Atomic>\n    <CmdID>1</CmdID>\n";
    int number = 2;
    // Trust first: the thumbprint below is looked for among what the machine trusts.
    for (const auto& each : facts.trusted())
        xml += command("Add", number++, "./Device/Vendor/MSFT/RootCATrustedCertificates/" + std::string(each.root ? "Root" : "CA") + "/" + sha1_hex(*each.certificate) + "/EncodedCertificate", "b64",
                       core::base64(each.certificate->der()));
    for (const auto& node : nodes(facts, bits)) {
        if (node.value.empty()) continue;
        out.values.emplace_back(node.name, node.name == "Challenge" ? std::string(facts.challenge ? "(as given)" : code_placeholder) : node.value);
        xml += command("Add", number++, base + "/" + node.name, node.format, node.value);
    }
    xml += command("Exec", number, base + "/Enroll", {}, {}) + "  </Atomic>\n  </SyncBody>\n</SyncML>\n";
    const auto octets = core::as_bytes(xml);
    out.files.emplace_back(facts.endpoint + ".syncml.xml", core::to_bytes(octets), "for an MDM that takes custom SyncML");
    add_certificates(out, facts);
    out.text = facts.endpoint + ".syncml.xml adds the CA's certificates and enrolls by the ClientCertificateInstall CSP. Give it to your MDM as custom SyncML.\n" + as_table(out.values) +
               "KeyProtection 3 is the software provider; 1 demands a TPM, 2 takes one where there is one. CAThumbprint is the issuing CA's.\n" +
               (facts.challenge ? "" : "Put the access code where " + std::string(code_placeholder) + " stands, or name a file with it by --challenge-file.\n");
    return out;
}

}  // namespace postern::api::clients
