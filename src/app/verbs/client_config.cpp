#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "app/data_folder.hpp"
#include "app/verbs/answers.hpp"
#include "core/base/encoding.hpp"
#include "core/base/secret.hpp"
#include "core/json/escape.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

struct Options {
    Options() = default;
    std::string endpoint, client, name, user, challenge_file, out;
};

/// The first line of a file that only its owner may read, or of standard input ("-").
core::SecretText read_challenge(const std::string& path) {
    std::string line;
    if (path == "-") {
        std::getline(std::cin, line);
    } else {
        require_private(path);
        std::ifstream in(path);
        std::getline(in, line);
    }
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) throw std::runtime_error(path + " holds neither access code nor password");
    return core::SecretText(std::move(line));
}

/// Names come from the server: none of them leads out of the folder. A profile holds the access code, so all are the owner's alone.
void write_files(const json::Value& files, const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    for (const auto& file : files.items()) {
        const auto name = file["name"].string().value();
        const auto content = core::from_base64(file["content"].string().value());
        if (!content || name.empty() || name.find('/') != std::string_view::npos || name.front() == '.') throw std::runtime_error("the server's answer names no file");
        const auto path = folder / std::string(name);
        write_file(path.string(), core::as_text(*content), 0600);
        std::cerr << "wrote " << json::printable(path.string()) << " (" << text(file["what"]) << ")\n";
    }
}

int configure(const Common& common, const Options& o) {
    json::Writer w;
    w.begin_object().member("endpoint", o.endpoint).member("for", o.client);
    if (!o.name.empty()) w.member("name", o.name);
    if (!o.user.empty()) w.member("user", o.user);
    if (!o.challenge_file.empty()) w.member("challenge", read_challenge(o.challenge_file).expose());
    w.end_object();
    const auto door = Door::open(common.door);
    const auto answer = door->ask(make_request(http::Method::post, "/api/postern/v1/client-configurations", w.take()));
    if (const int failed = report(answer)) return failed;
    const auto document = parsed(answer);
    const auto root = document.root();
    if (common.json) {
        std::cout << answer.body << "\n";
    } else {
        std::cout << json::printable(root["text"].string().value(), true);
        if (o.out.empty() && !root["files"].items().empty()) std::cerr << "postern: name a folder by --out for the files that belong to it\n";
    }
    if (!o.out.empty()) write_files(root["files"], o.out);
    return 0;
}

}  // namespace

void add_endpoint(CLI::App& app, Common& common, Run& run) {
    auto o = std::make_shared<Options>();
    auto* noun = app.add_subcommand("endpoint", "Endpoints");
    noun->require_subcommand(1);
    auto* verb = noun->add_subcommand("client-config", "What a client needs to enroll at an endpoint");
    add_common(*verb, common);
    verb->add_option("NAME", o->endpoint, "The endpoint")->required();
    verb->add_option("--for", o->client, "SCEP: apple, intune, windows, cisco, strongswan, certmonger. ACME: certbot, lego, caddy, cert-manager. EST: est-curl, strongswan")->required();
    verb->add_option("--name", o->name, "Name that the device asks for, or DNS name (default: a placeholder)");
    verb->add_option("--user", o->user, "EST: user name of the account (default: a placeholder)");
    verb->add_option("--challenge-file", o->challenge_file, "File (0600) with the access code, or EST's password, or - (default: a placeholder)");
    verb->add_option("--out", o->out, "Folder for profiles and certificates (made if needed)");
    verb->callback([o, &common, &run] { run = [o, &common] { return configure(common, *o); }; });
}

}  // namespace postern::app::verbs
