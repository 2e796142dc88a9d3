#include <iostream>

#include "app/verbs/answers.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/serial_text.hpp"
#include "core/json/escape.hpp"
#include "core/json/reader.hpp"

namespace postern::app::verbs {

namespace {

constexpr std::string_view own_route = "/api/postern/v1/certificates", imported_route = "/api/postern/v1/imported-certificates";

/// Devices that a predecessor served often have no name but the subject's.
void print_line(const json::Value& c) {
    std::string names;
    for (const auto& n : c["names"].items()) names += (names.empty() ? "" : ",") + text(n);
    if (names.empty()) names = text(c["subject"]);
    std::cout << text(c["serial"]) << "  " << text(c["status"]) << "  " << text(c["notAfter"]) << "  " << names << (c.contains("imported") ? "  external" : "") << "\n";
}

int list(const Common& common, std::string_view route, const std::string& search) {
    return ask_lines(common, std::string(route) + (search.empty() ? "" : "?search=" + unreserved(search)), print_line);
}

void print_whole(const json::Value& certificate) {
    for (const auto& [name, value] : certificate.members()) {
        if (name == "pem") continue;
        std::cout << json::printable(name) << ": ";
        if (value.is_string()) std::cout << text(value);
        if (const auto n = value.integer()) std::cout << *n;
        for (const auto& item : value.items()) std::cout << text(item) << ' ';
        std::cout << "\n";
    }
    const auto pem = certificate["pem"].string();
    if (pem) std::cout << json::printable(*pem, true);
}

/// By serial or SHA-256; one may be on record for several endpoints.
int show_external(const Common& common, const std::string& hex) { return ask_lines(common, std::string(imported_route) + "/find?hex=" + hex, print_whole); }

int remove(const Common& common, const std::string& hex) {
    return ask(common, make_request(http::Method::post, std::string(imported_route) + "/remove", "{\"hex\":\"" + hex + "\"}"), [&hex](const json::Value&) {
        std::cout << "Deleted " << hex << ": it renews here no more. It stays valid until its CA revokes it.\n";
    });
}

int show(const Common& common, const std::string& serial) {
    return ask(common, make_request(http::Method::get, std::string(own_route) + "/" + serial), print_whole);
}

int revoke(const Common& common, const std::string& serial, int reason) {
    const auto door = Door::open(common.door);
    const auto answer = door->ask(make_request(http::Method::post, std::string(own_route) + "/" + serial + "/revoke",
                                               "{\"reason\":" + std::to_string(reason) + "}"));
    if (const int failed = report(answer)) return failed;
    if (common.json)
        std::cout << "{\"serial\":\"" << serial << "\",\"status\":\"revoked\"}\n";
    else
        std::cout << "Revoked " << serial << ".\n";
    return 0;
}

constexpr std::string_view serial_form = "a serial is 1 to 40 hexadecimal digits, with or without colons, \"0x\" and leading zeros";

/// As `cert list` prints it; what is no serial would be another path to the server.
std::string read_serial(std::string& text) {
    const auto serial = crypto::serial_from_text(text);
    if (!serial) return std::string(serial_form);
    text = core::hex(*serial);
    return {};
}

std::string read_serial_or_digest(std::string& text) {
    const auto digest = crypto::sha256_from_text(text);
    if (!digest) return read_serial(text).empty() ? std::string() : std::string(serial_form) + "; a SHA-256 is 64";
    text = core::hex(*digest);
    return {};
}

}  // namespace

void add_cert(CLI::App& app, Common& common, Run& run) {
    auto serial = std::make_shared<std::string>();
    auto reason = std::make_shared<int>(0);
    auto* noun = app.add_subcommand("cert", "Certificates");
    noun->require_subcommand(1);
    auto external = std::make_shared<bool>(false);
    auto search = std::make_shared<std::string>();
    auto* list_verb = noun->add_subcommand("list", "Every certificate");
    add_common(*list_verb, common);
    auto* external_flag = list_verb->add_flag("--external", *external, "Those imported from predecessors");
    list_verb->add_option("--search", *search, "With this text in subject or names")->needs(external_flag);
    list_verb->callback([external, search, &common, &run] { run = [external, search, &common] { return list(common, *external ? imported_route : own_route, *search); }; });
    add_cert_import(*noun, common, run);
    auto* delete_verb = noun->add_subcommand("delete", "Take the right to renew from an imported certificate");
    add_common(*delete_verb, common);
    delete_verb->add_option("SERIAL", *serial, "Hexadecimal, or the SHA-256")->required()->transform(CLI::Validator(read_serial_or_digest, ""));
    delete_verb->callback([serial, &common, &run] { run = [serial, &common] { return remove(common, *serial); }; });
    auto* show_verb = noun->add_subcommand("show", "One certificate");
    add_common(*show_verb, common);
    show_verb->add_option("SERIAL", *serial, "Hexadecimal")->required()->transform(CLI::Validator(read_serial_or_digest, ""));
    show_verb->add_flag("--external", *external, "One imported from a predecessor; by its SHA-256, too");
    show_verb->callback([serial, external, &common, &run] { run = [serial, external, &common] { return *external ? show_external(common, *serial) : show(common, *serial); }; });
    auto* revoke_verb = noun->add_subcommand("revoke", "Revoke a certificate");
    add_common(*revoke_verb, common);
    revoke_verb->add_option("SERIAL", *serial, "Hexadecimal")->required()->transform(CLI::Validator(read_serial, ""));
    revoke_verb->add_option("--reason", *reason, "0 unspecified, 1 keyCompromise, 3 affiliationChanged, 4 superseded, 5 cessationOfOperation");
    revoke_verb->callback([serial, reason, &common, &run] { run = [serial, reason, &common] { return revoke(common, *serial, *reason); }; });
}

}  // namespace postern::app::verbs
