#include <chrono>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "app/new_file.hpp"
#include "app/tar.hpp"
#include "app/verbs/answers.hpp"
#include "app/verbs/certificate_files.hpp"
#include "app/verbs/enroll_script.hpp"
#include "app/verbs/est_places.hpp"
#include "core/base/secret.hpp"
#include "core/crypto/certificate.hpp"
#include "core/json/escape.hpp"
#include "core/json/writer.hpp"
#include "ra/one_time_challenges.hpp"

/// First credentials for a batch of devices: one token each, with what a device needs to use it.
namespace postern::app::verbs {

namespace {

constexpr std::size_t most_shown = 20;

struct Options {
    Options() = default;
    std::string place, names, table, out, profile, key_type, ttl, root;
    DevicePattern pattern;
    bool replace = false;
};

struct Credential {
    Credential() = default;
    std::string id, expires;
    core::SecretText token;
};

/// What the server answered.
struct Minted {
    Minted() = default;
    std::string account, profile, key, url, label, root;
    std::vector<Credential> credentials;  ///< in the order of the devices
};

enum class Form { archive, table };

Form form_of(const std::string& file) {
    if (file.ends_with(".tar")) return Form::archive;
    if (file.ends_with(".csv")) return Form::table;
    throw std::runtime_error("--out: expected FILE.tar for an archive with a script for each device, or FILE.csv for a table");
}

/// What is unpacked: "batch-7" of "out/batch-7.tar".
std::string folder_of(const std::string& file) {
    auto name = std::filesystem::path(file).stem().string();
    if (name.empty() || name.front() == '.' || name.front() == '-' || name.size() > 155) throw std::runtime_error("--out: the archive's folder is called as its file, which takes a name of 1 to 155 octets before .tar that begins with neither . nor -");
    return name;
}

void print_bad(const std::string& source, const std::vector<BadLine>& bad, std::size_t of) {
    for (std::size_t at = 0; at < std::min(bad.size(), most_shown); ++at)
        std::cerr << "postern: " << json::printable(source) << ": line " << bad[at].line << ": " << json::printable(bad[at].why) << "\n";
    if (of > most_shown) std::cerr << "postern: and " << of - std::min(bad.size(), most_shown) << " more\n";
    std::cerr << "postern: nothing was minted or written\n";
}

std::string source_of(const Options& o) {
    const auto& file = o.names.empty() ? o.table : o.names;
    return file == "-" ? "standard input" : file;
}

DeviceList read_list(const Options& o) {
    if (o.names.empty() == o.table.empty()) throw std::runtime_error("give the devices by --devices, a name a line, or by --table, CSV");
    const auto& file = o.names.empty() ? o.table : o.names;
    const auto text = file == "-" ? std::string(std::istreambuf_iterator<char>(std::cin), {}) : read_whole(file);
    DeviceList list;
    try {
        list = o.names.empty() ? read_device_table(text, o.pattern) : read_device_names(text, o.pattern);
    } catch (const std::runtime_error& problem) {
        throw std::runtime_error(source_of(o) + ": " + problem.what());
    }
    if (list.devices.empty() && list.bad.empty()) throw std::runtime_error(source_of(o) + ": there is no device in it");
    if (list.devices.size() > ra::OneTimeChallenges::most_at_once)
        throw std::runtime_error(source_of(o) + ": " + std::to_string(list.devices.size()) + " devices; a batch is one commit, of at most " + std::to_string(ra::OneTimeChallenges::most_at_once) + ": make several");
    return list;
}

/// PEM of the anchors that were given; empty: none were.
std::string read_anchors(const std::string& file) {
    if (file.empty()) return {};
    const auto found = crypto::from_pem("CERTIFICATE", read_whole(file));
    if (!found || found->empty()) throw std::runtime_error(file + " holds no certificate in PEM");
    std::string out;
    for (const auto& der : *found) {
        if (const auto read = crypto::Certificate::parse(der); !read) throw std::runtime_error(file + ": " + read.error().detail);
        out += crypto::to_pem("CERTIFICATE", der);
    }
    return out;
}

std::string tokens_path(const Options& o) { return "/api/postern/v1/est/" + endpoint_of(o.place) + "/tokens"; }

http::Request minting(const Options& o, const std::vector<ListedDevice>& devices, Form form) {
    json::Writer w;
    w.begin_object();
    if (const auto account = account_of(o.place); !account.empty()) w.member("account", account);
    if (!o.profile.empty()) w.member("profile", o.profile);
    if (!o.key_type.empty()) w.member("keyType", o.key_type);
    if (!o.ttl.empty()) w.member("ttl", o.ttl);
    w.member("scripted", form == Form::archive).key("devices").begin_array();
    for (const auto& device : devices) {
        w.begin_object();
        if (!device.subject.empty()) w.member("subject", device.subject);
        if (!device.sans.empty()) {
            w.key("sans").begin_array();
            for (const auto& name : device.sans) w.string(name);
            w.end_array();
        }
        w.end_object();
    }
    w.end_array().end_object();
    return make_request(http::Method::post, tokens_path(o) + "/batch", w.take());
}

/// What the server said of single devices, by their lines. The exit status.
int report_batch(const Options& o, const http::Response& answer, const std::vector<ListedDevice>& devices) {
    const auto document = parsed(answer);
    const auto refused = document.root()["refused"].items();
    std::vector<BadLine> bad;
    for (const auto& each : refused) {
        const auto index = each["index"].integer();
        if (!index || *index < 0 || static_cast<std::size_t>(*index) >= devices.size()) continue;
        const auto& device = devices[static_cast<std::size_t>(*index)];
        bad.emplace_back(device.line, device.name + ": " + text(each["why"]));
    }
    const auto total = bad.empty() ? 0 : static_cast<std::size_t>(document.root()["refusedDevices"].integer().value());
    // What is wrong with the whole batch is said once; a batch of one has its line.
    const bool alike = devices.size() > 1 && total == devices.size() && std::ranges::all_of(refused, [&](const json::Value& each) { return text(each["why"]) == text(refused.front()["why"]); });
    if (bad.empty()) {
        report(answer);
        std::cerr << "postern: nothing was minted or written\n";
    } else if (alike) {
        std::cerr << "postern: " << text(refused.front()["why"]) << "\npostern: nothing was minted or written\n";
    } else {
        print_bad(source_of(o), bad, total);
    }
    return 1;
}

http::Response ask_for(Door& door, http::Request request) {
    try {
        return door.ask(std::move(request));
    } catch (const std::runtime_error& problem) {
        throw std::runtime_error(std::string(problem.what()) + "\npostern: nothing was written. All tokens of the batch were minted or none; if they were, nobody knows them: `postern est token list` shows them until their end");
    }
}

std::string told(const json::Value& object, std::string_view key) {
    const auto text = object[key].string();
    if (!text) throw std::runtime_error("the server's answer cannot be read: " + text.error().detail);
    return std::string(*text);
}

/// Ids first: by them tokens are withdrawn when anything later cannot be read.
void read_minted(const http::Response& answer, std::size_t devices, Minted& out) {
    const auto document = parsed(answer);
    const auto root = document.root();
    const auto tokens = root["tokens"].items();
    for (const auto& each : tokens) out.credentials.emplace_back().id = told(each, "id");
    if (tokens.size() != devices) throw std::runtime_error("the server's answer holds " + std::to_string(tokens.size()) + " tokens for " + std::to_string(devices) + " devices");
    for (std::size_t at = 0; at < devices; ++at) {
        out.credentials[at].expires = told(tokens[at], "expires");
        out.credentials[at].token = core::SecretText(told(tokens[at], "token"));
    }
    for (const auto& [key, into] : {std::pair<std::string_view, std::string*>("account", &out.account), {"profile", &out.profile}, {"key", &out.key}, {"url", &out.url}, {"label", &out.label}, {"root", &out.root}})
        *into = told(root, key);
}

/// Always in quotes (RFC 4180).
std::string row(std::initializer_list<std::string_view> cells) {
    std::string out;
    for (const auto cell : cells) {
        out += out.empty() ? "\"" : ",\"";
        for (const char c : cell) out += c == '"' ? std::string("\"\"") : std::string(1, c);
        out += '"';
    }
    return out + "\r\n";
}

std::string joined(const std::vector<std::string>& names) {
    std::string out;
    for (const auto& name : names) out += (out.empty() ? "" : " ") + name;
    return out;
}

void write_table(NewFile& file, const std::vector<ListedDevice>& devices, const Minted& minted) {
    file.write(row({"device", "id", "subject", "sans", "url", "expires", "token"}));
    for (std::size_t at = 0; at < devices.size(); ++at) {
        const auto& credential = minted.credentials[at];
        const core::SecretText line(row({devices[at].name, credential.id, devices[at].subject, joined(devices[at].sans), minted.url, credential.expires, credential.token.expose()}));
        file.write(line.expose());
    }
}

std::string readme(const Minted& minted, std::size_t devices) {
    return "First credentials of " + std::to_string(devices) + " devices for EST\n\nURL      " + minted.url + "\nlabel    " + minted.label + "\naccount  " + minted.account + "\nprofile  " +
           minted.profile + "\nkey      " + minted.key + "\nexpires  " + minted.credentials.front().expires + R"(

root.pem         the trust anchor of the server's TLS certificate
devices.csv      which device has which token, by the token's id; no secrets
devices/DEVICE   what one device gets and nobody else: its token, good for one certificate with exactly its subject and names, root.pem, and
                 enroll.sh, for sh, openssl and curl: sh enroll.sh

A token that was lost: postern est token withdraw )" + minted.label + " ID\n";
}

/// What goes to one device lies in one folder.
void write_archive(NewFile& file, const std::string& folder, const std::vector<ListedDevice>& devices, const std::vector<OpensslWish>& wishes, const Minted& minted) {
    Tar tar(folder, std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count(), [&file](std::string_view octets) { file.write(octets); });
    tar.add("README.txt", readme(minted, devices.size()), 0600);
    tar.add("root.pem", minted.root, 0600);
    json::Writer w;
    w.begin_object().member("url", minted.url).member("label", minted.label).member("account", minted.account).member("profile", minted.profile).member("key", minted.key).end_object();
    tar.add("endpoint.json", w.take() + "\n", 0600);
    auto table = row({"device", "id", "subject", "sans", "expires"});
    for (std::size_t at = 0; at < devices.size(); ++at)
        table += row({devices[at].name, minted.credentials[at].id, devices[at].subject, joined(devices[at].sans), minted.credentials[at].expires});
    tar.add("devices.csv", table, 0600);
    tar.add_folder("devices/");
    for (std::size_t at = 0; at < devices.size(); ++at) {
        const auto place = "devices/" + devices[at].name + "/";
        tar.add_folder(place);
        tar.add(place + "enroll.sh", enroll_script(devices[at], wishes[at], minted.url, minted.key), 0700);
        tar.add(place + "root.pem", minted.root, 0600);
        const core::SecretText token(std::string(minted.credentials[at].token.expose()) + "\n");
        tar.add(place + "token", token.expose(), 0600);
    }
    tar.finish();
}

/// Nobody has them: there is no file. Says how many are still good, and what ends those.
void withdraw(Door& door, const Options& o, const Minted& minted, std::size_t devices) {
    std::size_t withdrawn = 0;
    for (const auto& credential : minted.credentials) {
        try {
            if (!credential.id.empty() && door.ask(make_request(http::Method::delete_, tokens_path(o) + "/" + credential.id)).status < 300) ++withdrawn;
        } catch (const std::exception&) {
            continue;  // counted as still good
        }
    }
    const auto label = endpoint_of(o.place);
    std::cerr << "postern: " << devices << (devices == 1 ? " token was" : " tokens were") << " minted, and " << json::printable(o.out) << " was not written\n";
    if (withdrawn == devices)
        std::cerr << "postern: the tokens were withdrawn\n";
    else
        std::cerr << "postern: " << devices - withdrawn << " of them could not be withdrawn, and nobody knows them; `postern est token list " << label
                  << "` shows them until their end, and `postern est token withdraw " << label << " ID` ends one before\n";
}

void print_done(const Common& common, const Options& o, const std::vector<ListedDevice>& devices, const Minted& minted) {
    const auto& expires = minted.credentials.front().expires;
    if (!common.json) {
        std::cout << "Wrote " << json::printable(o.out) << ": " << devices.size() << (devices.size() == 1 ? " device" : " devices") << " of " << json::printable(minted.account) << " (profile "
                  << json::printable(minted.profile) << "), each with a token for one certificate, good until " << expires << ". The tokens are nowhere else.\n";
        return;
    }
    json::Writer w;
    w.begin_object().member("file", o.out).member("account", minted.account).member("profile", minted.profile).member("url", minted.url).member("expires", expires).key("devices").begin_array();
    for (std::size_t at = 0; at < devices.size(); ++at) w.begin_object().member("device", devices[at].name).member("id", minted.credentials[at].id).end_object();
    w.end_array().end_object();
    std::cout << w.take() << "\n";
}

int bundle(const Common& common, const Options& o) {
    // Whatever can be wrong here is said before anything is minted.
    const auto form = form_of(o.out);
    const auto folder = form == Form::archive ? folder_of(o.out) : std::string();
    auto list = read_list(o);
    const auto& devices = list.devices;
    const auto anchors = read_anchors(o.root);
    std::vector<OpensslWish> wishes;
    for (const auto& device : form == Form::archive ? devices : std::vector<ListedDevice>()) {
        auto wish = OpensslWish::of(device);
        if (!wish) list.bad.emplace_back(device.line, device.name + ": " + wish.error().detail);
        else wishes.push_back(std::move(*wish));
    }
    if (!list.bad.empty()) {
        std::ranges::stable_sort(list.bad, {}, &BadLine::line);
        print_bad(source_of(o), list.bad, list.bad.size());
        return 1;
    }
    const auto door = Door::open(common.door);
    NewFile file(o.out, o.replace);
    const auto answer = ask_for(*door, minting(o, devices, form));
    if (answer.status >= 400) return report_batch(o, answer, devices);
    Minted minted;
    try {
        read_minted(answer, devices.size(), minted);
        if (!anchors.empty()) minted.root = anchors;
        if (form == Form::archive) write_archive(file, folder, devices, wishes, minted);
        else write_table(file, devices, minted);
        file.keep();
    } catch (...) {
        withdraw(*door, o, minted, devices.size());
        throw;
    }
    print_done(common, o, devices, minted);
    return 0;
}

}  // namespace

void add_enroll_bundle(CLI::App& noun, Common& common, Run& run) {
    auto o = std::make_shared<Options>();
    auto* verb = noun.add_subcommand("enroll-bundle", "A one-time token for each of many devices, with what they need to use it, in one file");
    add_common(*verb, common);
    verb->add_option("ENDPOINT", o->place, "EST endpoint, or ENDPOINT/ACCOUNT where it has several accounts of method one_time")->required()->transform(CLI::Validator(read_place, ""));
    verb->add_option("--devices", o->names, "File with a device name a line, or - for standard input");
    verb->add_option("--table", o->table, "In place of --devices: CSV with the columns device, subject and sans, or -");
    verb->add_option("--subject", o->pattern.subject, "What devices ask for, {} being their name (default: CN={})");
    verb->add_option("--san", o->pattern.sans, "Alternative name that they ask for, as dns:{}.example.com; repeatable");
    verb->add_option("--out", o->out, "FILE.tar: a folder for each device, with a script; or FILE.csv (0600)")->required();
    verb->add_flag("--replace", o->replace, "Write over a file that is there");
    verb->add_option("--profile", o->profile, "Profile of their certificates");
    verb->add_option("--key", o->key_type, "Key type they must have, as ec-p256");
    verb->add_option("--ttl", o->ttl, "How long the tokens are good for, as 7d");
    verb->add_option("--root", o->root, "PEM file with the anchors of the listener's TLS certificate (default: this server's root)");
    verb->callback([o, &common, &run] { run = [o, &common] { return bundle(common, *o); }; });
}

}  // namespace postern::app::verbs
