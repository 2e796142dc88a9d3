#include "api/clients/configuration.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"

/// Configuration profiles of iOS, iPadOS and macOS: an XML property list with trust and SCEP payloads.
namespace postern::api::clients {

namespace {

/// Writes a property list, two spaces a level.
class Plist {
public:
    Plist& begin(std::string_view element) {
        line("<" + std::string(element) + ">");
        open_.emplace_back(element);
        return *this;
    }
    Plist& end() {
        const auto element = open_.back();
        open_.pop_back();
        return line("</" + element + ">");
    }
    Plist& key(std::string_view name) { return line("<key>" + std::string(name) + "</key>"); }
    Plist& string(std::string_view name, std::string_view value) { return key(name).item(value); }
    Plist& item(std::string_view value) { return line("<string>" + xml_text(value) + "</string>"); }
    Plist& integer(std::string_view name, std::int64_t value) { return key(name).line("<integer>" + std::to_string(value) + "</integer>"); }
    Plist& data(std::string_view name, core::BytesView value) { return key(name).line("<data>" + core::base64(value) + "</data>"); }
    std::string take() && {
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
               "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n" +
               out_ + "</plist>\n";
    }

private:
    Plist& line(const std::string& text) {
        out_ += std::string(2 * open_.size(), ' ') + text + "\n";
        return *this;
    }
    std::string out_;
    std::vector<std::string> open_;
};

void begin_payload(Plist& p, const Facts& facts, std::string_view type, const std::string& part, const std::string& shown) {
    const auto identifier = "postern." + facts.endpoint + "." + part;
    p.begin("dict").string("PayloadType", type).integer("PayloadVersion", 1).string("PayloadIdentifier", identifier);
    p.string("PayloadUUID", stable_uuid(identifier + " " + facts.https)).string("PayloadDisplayName", shown);
}

void trust_payload(Plist& p, const Facts& facts, const Facts::Trusted& each) {
    begin_payload(p, facts, each.root ? "com.apple.security.root" : "com.apple.security.pkcs1", each.name, each.certificate->subject().to_text());
    p.string("PayloadCertificateFileName", each.name + ".cer").data("PayloadContent", each.certificate->der()).end();
}

/// 1: signing, 4: encryption, 5: both.
int key_usage(const ra::Profile& profile) {
    if (profile.key_usage.empty()) return 5;
    int out = 0;
    for (const auto bit : profile.key_usage) {
        if (bit == crypto::KeyUsageBit::digital_signature) out |= 1;
        if (bit == crypto::KeyUsageBit::key_encipherment) out |= 4;
    }
    return out == 0 ? 1 : out;
}

/// Compared with the highest certificate that GetCACert gives.
const crypto::Certificate& top(const Facts& facts) {
    using Chain = ra::ScepSettings::Chain;
    switch (facts.scep.chain) {
        case Chain::issuer: return facts.issuer();
        case Chain::chain: return facts.chain.size() > 1 ? facts.chain[facts.chain.size() - 2] : facts.root();
        case Chain::chain_and_root: return facts.root();
    }
    return facts.root();
}

void scep_payload(Plist& p, const Facts& facts, unsigned bits) {
    begin_payload(p, facts, "com.apple.security.scep", "scep", "Certificate of " + facts.endpoint);
    p.key("PayloadContent").begin("dict");
    p.string("URL", facts.scep_url(false) + "/pkiclient.exe").string("Name", facts.endpoint);
    p.key("Subject").begin("array").begin("array").begin("array").item("CN").item(facts.name).end().end().end();
    p.string("Challenge", facts.code());
    p.integer("Keysize", bits).string("Key Type", "RSA").integer("Key Usage", key_usage(facts.profile));
    p.data("CAFingerprint", crypto::sha1(top(facts).der()));
    p.integer("Retries", 5).integer("RetryDelay", 10);
    p.end().end();
}

}  // namespace

Configuration apple(const Facts& facts, unsigned bits) {
    Plist p;
    const auto identifier = "postern." + facts.endpoint;
    p.begin("dict").string("PayloadType", "Configuration").integer("PayloadVersion", 1).string("PayloadIdentifier", identifier);
    p.string("PayloadUUID", stable_uuid(identifier + " " + facts.https)).string("PayloadDisplayName", "Certificate of " + facts.endpoint);
    p.string("PayloadDescription", "Trusts the CA and enrolls for a certificate by SCEP").key("PayloadContent").begin("array");
    for (const auto& each : facts.trusted()) trust_payload(p, facts, each);
    scep_payload(p, facts, bits);
    p.end().end();
    const auto plist = std::move(p).take();

    Configuration out;
    const bool whole = facts.challenge.has_value();
    const auto name = facts.endpoint + (whole ? ".mobileconfig" : ".template.mobileconfig");
    const auto octets = core::as_bytes(plist);
    out.files.emplace_back(name, core::to_bytes(octets), whole ? "signed; open it on the device" : "not signed, since the access code is missing in it");
    out.files.back().sign = whole;
    out.values = {{"URL", facts.scep_url(false) + "/pkiclient.exe"}, {"Name", facts.endpoint}, {"Subject", "CN=" + facts.name}, {"Keysize", std::to_string(bits)},
                  {"Key Usage", std::to_string(key_usage(facts.profile))}, {"CAFingerprint", sha1_hex(top(facts))}, {"Retries", "5"}, {"RetryDelay", "10"}};
    out.text = whole ? "Open " + name + " on the device, or hand it out by your MDM. It holds the access code: keep it like one.\n"
                     : name + " has " + std::string(code_placeholder) + " where the access code belongs. Put the code, or your MDM's variable for it, there;\n"
                       "or name a file with the code by --challenge-file, and the profile is written whole and signed.\n";
    return out;
}

}  // namespace postern::api::clients
