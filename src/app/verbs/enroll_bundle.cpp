#include <chrono>
#include <iostream>

#include "api/clients/commands.hpp"
#include "app/csv.hpp"
#include "app/data_folder.hpp"
#include "app/tar.hpp"
#include "app/verbs/answers.hpp"
#include "app/verbs/certificate_files.hpp"
#include "app/verbs/est_places.hpp"
#include "core/base/encoding.hpp"
#include "core/base/secret.hpp"
#include "core/json/escape.hpp"
#include "core/json/writer.hpp"
#include "ra/binding_text.hpp"

/// First credentials for a batch of devices: one token each, with what a device needs to use it.
namespace postern::app::verbs {

namespace {

constexpr std::size_t most_of_a_part = 1000;

struct Device {
    Device() = default;
    std::string subject;            ///< "CN=gateway-7,O=Example"
    std::vector<std::string> sans;  ///< "dns:gateway-7.example.com"
    std::string where;              ///< file and line, for people
    std::string id, expires;
    core::SecretText token;
};

struct Options {
    Options() = default;
    std::string place, devices, out, profile, key_type, ttl;
};

/// CSV whose first line names its columns: subject, and where there are any sans (words).
std::vector<Device> read_devices(const std::string& file) {
    const auto contents = read_whole(file);
    std::string_view text = contents;
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    Csv csv(text, csv_separator(text.substr(0, text.find('\n'))));
    bool broken = false;
    const auto header = csv.next(broken);
    for (const auto& name : header)
        if (name != "subject" && name != "sans") throw std::runtime_error(file + ": unknown column " + json::printable(name) + "; known are subject and sans");
    const auto column = [&](std::string_view name) { return static_cast<std::size_t>(std::ranges::find(header, name) - header.begin()); };
    const auto subject = column("subject"), sans = column("sans");
    std::vector<Device> out;
    while (!csv.at_end()) {
        Device device;
        device.where = file + ": line " + std::to_string(csv.line());
        const auto cells = csv.next(broken);
        if (broken) throw std::runtime_error(device.where + ": a quote that does not end");
        if (cells.size() == 1 && cells.front().empty()) continue;
        if (cells.size() > header.size()) throw std::runtime_error(device.where + ": more cells than columns; a subject with a comma stands in quotes");
        const auto cell = [&](std::size_t at) { return at < cells.size() ? cells[at] : std::string(); };
        device.subject = cell(subject);
        device.sans = words(cell(sans));
        out.push_back(std::move(device));
    }
    if (out.empty()) throw std::runtime_error(file + ": there is no device in it");
    return out;
}

/// As `openssl req -subj` has it: "/CN=gateway-7/O=Example".
std::string openssl_subject(const Device& device) {
    const auto entries = ra::subject_from_text(device.subject);
    if (!entries) throw std::runtime_error(device.where + ": " + entries.error().detail);
    const auto stored = ra::to_stored(*entries);
    const auto list = json::Document::parse(stored);
    std::string out;
    for (const auto& item : list.value().root().items()) {
        std::string entry(item.string().value());
        if (entry.starts_with("E=")) entry.replace(0, 1, "emailAddress");
        out += '/';
        for (const char c : entry) {
            if (c == '/' || c == '+' || c == '\\') out += '\\';
            out += c;
        }
    }
    return out.empty() ? "/" : out;
}

/// As openssl's subjectAltName has them: "DNS:gateway-7.example.com,IP:192.0.2.7".
std::string openssl_names(const Device& device) {
    std::string out;
    for (const auto& san : device.sans) {
        const auto colon = std::min(san.find(':'), san.size());
        const auto kind = san.substr(0, colon), value = colon < san.size() ? san.substr(colon + 1) : std::string();
        const std::string_view known = kind == "dns" ? "DNS" : kind == "ip" ? "IP" : kind == "email" ? "email" : kind == "uri" ? "URI" : "";
        if (known.empty() || value.find(',') != value.npos) throw std::runtime_error(device.where + ": " + json::printable(san) + ": enroll.sh asks for dns:, ip:, email: and uri: names without commas");
        out += (out.empty() ? "" : ",") + std::string(known) + ":" + value;
    }
    return out;
}

/// Mints in parts. The exit status of what the server refused.
int mint(Door& door, const Options& o, std::vector<Device>& devices) {
    for (std::size_t from = 0; from < devices.size(); from += most_of_a_part) {
        const auto until = std::min(from + most_of_a_part, devices.size());
        json::Writer w;
        w.begin_object();
        if (const auto account = account_of(o.place); !account.empty()) w.member("account", account);
        if (!o.profile.empty()) w.member("profile", o.profile);
        if (!o.key_type.empty()) w.member("keyType", o.key_type);
        if (!o.ttl.empty()) w.member("ttl", o.ttl);
        w.key("devices").begin_array();
        for (auto at = from; at < until; ++at) {
            w.begin_object();
            if (!devices[at].subject.empty()) w.member("subject", devices[at].subject);
            w.key("sans").begin_array();
            for (const auto& name : devices[at].sans) w.string(name);
            w.end_array().end_object();
        }
        w.end_array().end_object();
        const auto answer = door.ask(make_request(http::Method::post, "/api/postern/v1/est/" + endpoint_of(o.place) + "/tokens/batch", w.take()));
        if (const int failed = report(answer)) {
            std::cerr << "postern: these were " << devices[from].where << " to " << devices[until - 1].where << "; nothing was written"
                      << (from > 0 ? ", and the " + std::to_string(from) + " tokens before them are lost: `postern est token withdraw`" : "") << "\n";
            return failed;
        }
        const auto document = parsed(answer);
        const auto tokens = document.root()["tokens"].items();
        if (tokens.size() != until - from) throw std::runtime_error("the server's answer holds not as many tokens as devices");
        auto at = from;
        for (const auto& minted : tokens) {
            devices[at].id = minted["id"].string().value();
            devices[at].expires = minted["expires"].string().value();
            devices[at++].token = core::SecretText(std::string(minted["token"].string().value()));
        }
    }
    return 0;
}

std::string quoted_cell(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + "\"";
}

std::string credentials(const std::vector<Device>& devices) {
    std::string out = "subject,sans,id,expires,openssl_subject,openssl_sans,token\r\n";
    for (const auto& device : devices) {
        std::string sans;
        for (const auto& name : device.sans) sans += (sans.empty() ? "" : " ") + name;
        for (const auto& cell : {device.subject, sans, device.id, device.expires, openssl_subject(device), openssl_names(device)}) out += quoted_cell(cell) + ",";
        out += std::string(device.token.expose()) + "\r\n";
    }
    return out;
}

std::string key_command(std::string_view key) {
    const auto spec = crypto::KeySpec::from(key).value_or(crypto::KeySpec());
    if (spec.type == crypto::KeyType::rsa) return "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:" + std::to_string(spec.bits);
    if (spec.type == crypto::KeyType::ed25519) return "openssl genpkey -algorithm ED25519";
    return "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-" + std::to_string(spec.bits);
}

/// Run again it sends the same key, which gets the same certificate when an answer was lost.
std::string script(const std::string& url, std::string_view key) {
    return R"(#!/bin/sh
# Enrolls this device by EST: sh enroll.sh SUBJECT [NAMES] < TOKEN
# SUBJECT, NAMES and TOKEN are openssl_subject, openssl_sans and token of the device's line in credentials.csv, which stays in the factory.
# Beside it must lie root.pem. It leaves key.pem, cert.pem and chain.pem; run again after a failure it goes on with the same key.
set -eu
umask 077
url=)" + api::clients::quoted(url) + R"(
subject=$1 names=${2-}
read -r token
[ -s key.pem ] || )" + key_command(key) + R"( -out key.pem
openssl req -new -key key.pem -subj "$subject" ${names:+-addext "subjectAltName=$names"} -outform DER -out request.der
openssl base64 -in request.der -out request.b64
printf 'header = "Authorization: Bearer %s"\n' "$token" > est.curl
trap 'rm -f est.curl request.der request.b64' EXIT
curl -sS --fail-with-body --cacert root.pem -o cacerts.b64 "$url/cacerts"
openssl base64 -d -in cacerts.b64 | openssl pkcs7 -inform DER -print_certs -out chain.pem
curl -sS --fail-with-body --cacert root.pem -K est.curl -H 'Content-Type: application/pkcs10' --data-binary @request.b64 -o answer.b64 "$url/simpleenroll" &&
    openssl base64 -d -in answer.b64 | openssl pkcs7 -inform DER -print_certs -out cert.pem || { cat answer.b64; exit 1; }
rm -f cacerts.b64 answer.b64
)";
}

int bundle(const Common& common, const Options& o) {
    auto devices = read_devices(o.devices);
    for (const auto& device : devices) {  // what is wrong in the file is said before anything is minted
        openssl_subject(device);
        openssl_names(device);
    }
    const auto door = Door::open(common.door);
    json::Writer w;
    w.begin_object().member("endpoint", endpoint_of(o.place)).member("for", "est-curl").end_object();
    const auto told = door->ask(make_request(http::Method::post, "/api/postern/v1/client-configurations", w.take()));
    if (const int failed = report(told)) return failed;
    const auto facts = parsed(told);
    const auto values = facts.root()["values"];
    const std::string url(values["url"].string().value());
    const auto key = o.key_type.empty() ? std::string(values["key"].string().value()) : o.key_type;
    const auto root = core::from_base64(facts.root()["files"].items().at(0)["content"].string().value());
    if (!root) throw std::runtime_error("the server's answer holds no root");
    if (const int failed = mint(*door, o, devices)) return failed;

    Tar tar(std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count());
    tar.add("root.pem", core::as_text(*root), 0644);
    tar.add("endpoint", "url " + url + "\nlabel " + endpoint_of(o.place) + "\n", 0644);
    tar.add("enroll.sh", script(url, key), 0755);
    const core::SecretText table(credentials(devices));
    tar.add("credentials.csv", table.expose(), 0600);
    const core::SecretText whole(tar.finish());
    write_file(o.out, whole.expose(), 0600);
    if (!common.json) std::cout << "Wrote " << json::printable(o.out) << ": " << devices.size() << " tokens, each for one certificate, good until " << devices.back().expires << ". They are nowhere else.\n";
    else {
        json::Writer out;
        out.begin_object().member("file", o.out).member("devices", static_cast<std::int64_t>(devices.size())).member("expires", devices.back().expires).end_object();
        std::cout << out.take() << "\n";
    }
    return 0;
}

}  // namespace

void add_enroll_bundle(CLI::App& noun, Common& common, Run& run) {
    auto o = std::make_shared<Options>();
    auto* verb = noun.add_subcommand("enroll-bundle", "One archive with a one-time token for each of many devices, and what they need to use it");
    add_common(*verb, common);
    verb->add_option("ENDPOINT", o->place, "EST endpoint, or ENDPOINT/ACCOUNT where it has several accounts of method one_time")->required()->transform(CLI::Validator(read_place, ""));
    verb->add_option("--devices", o->devices, "CSV with the columns subject and, where wanted, sans")->required()->check(CLI::ExistingFile);
    verb->add_option("--out", o->out, "The archive (tar, 0600)")->required();
    verb->add_option("--profile", o->profile, "Profile of their certificates");
    verb->add_option("--key", o->key_type, "Key type they must have, as ec-p256");
    verb->add_option("--ttl", o->ttl, "How long the tokens are good for, as 30d");
    verb->callback([o, &common, &run] { run = [o, &common] { return bundle(common, *o); }; });
}

}  // namespace postern::app::verbs
