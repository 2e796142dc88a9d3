#include <cctype>
#include <iostream>

#include "app/verbs/answers.hpp"
#include "core/json/escape.hpp"

namespace postern::app::verbs {

void add_common(CLI::App& verb, Common& common) {
    verb.add_option("--data", common.door.config.data, "Data folder of the server (default: postern-data here, else the package's)");
    verb.add_option("--config", common.door.config_file, "postern.toml of a server that is stopped (default: the package's for its folder)")->check(CLI::ExistingFile);
    verb.add_option("--store", common.door.store, "As `serve --store`, of a server that is stopped");
    verb.add_option("--server", common.door.server, "Base URL of a server on another machine");
    verb.add_option("--token-file", common.door.token_file, "File (0600) with a token for --server");
    verb.add_option("--ca-file", common.door.ca_file, "PEM file that --server's certificate is checked against");
    verb.add_flag("--json", common.json, "Print JSON");
}

std::string text(const json::Value& value) {
    const auto got = value.string();
    return got ? json::printable(*got) : std::string();
}

bool truth(const json::Value& value) {
    const auto got = value.boolean();
    return got && *got;
}

std::string unreserved(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
            out += c;
            continue;
        }
        constexpr std::string_view digits = "0123456789ABCDEF";
        const auto octet = static_cast<unsigned char>(c);
        out += '%';
        out += digits[octet >> 4U];
        out += digits[octet & 0xfU];
    }
    return out;
}

int report(const http::Response& answer) {
    if (answer.status < 400) return 0;
    json::Limits limits;
    limits.bytes = answer.body.size() + 1;
    const auto document = json::Document::parse(answer.body, limits);
    const auto told = document ? document->root()["description"].string() : core::Result<std::string_view>(std::string_view(answer.body));
    // The errors of a document are a line each.
    std::cerr << "postern: " << json::printable(told ? *told : std::string_view(answer.body), true) << "\n";
    return 1;
}

int ask(const Common& common, http::Request request, const std::function<void(const json::Value&)>& print) {
    const auto door = Door::open(common.door);
    const auto answer = door->ask(std::move(request));
    if (const int failed = report(answer)) return failed;
    if (common.json) {
        std::cout << answer.body << "\n";
        return 0;
    }
    const auto document = parsed(answer);
    print(document.root());
    return 0;
}

}  // namespace postern::app::verbs
