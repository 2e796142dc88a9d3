#include <iostream>

#include "app/data_folder.hpp"
#include "app/verbs/verbs.hpp"
#include "core/base/time.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

void print_authorities(const json::Value& answer) {
    for (const auto& a : answer["authorities"].items()) {
        std::cout << text(a["role"]) << "  " << text(a["authority"]) << "  " << text(a["subject"]) << "  until " << text(a["notAfter"]);
        if (a["takesOver"].exists()) std::cout << "  takes over " << text(a["takesOver"]);
        std::cout << "\n";
    }
    for (const auto& c : answer["crossCertificates"].items())
        std::cout << "root " << text(c["subject"]) << " signed by root " << text(c["issuer"]) << ": serial " << text(c["serial"]) << ", " << text(c["notBefore"]) << " to "
                  << text(c["notAfter"]) << "\n";
}

int list(const Common& common) { return ask(common, make_request(http::Method::get, "/api/postern/v1/ca"), print_authorities); }

void print_made(const json::Value& made) {
    std::cout << "Issuing CA " << text(made["authority"]) << " takes over at " << text(made["takesOver"]) << " and lasts until " << text(made["notAfter"]) << ".\n";
    const auto root = made["root"];
    if (root.exists())
        std::cout << "Its root is new: " << text(root["authority"]) << ", until " << text(root["notAfter"]) << "\n  SHA-256 " << text(root["sha256"])
                  << "\nHave clients trust both roots by then (/ca/roots.pem). EST clients learn of it by cacerts; one that knows the old root alone gets "
                     "there as long as that lasts.\n";
    std::cout << "Until then SCEP clients learn of it by GetNextCACert. Whoever pins the issuing CA must be told of the new one.\n";
}

int roll_over(const Common& common, const std::string& at, bool new_root) {
    json::Writer w;
    w.begin_object().member("takesOver", at);
    if (new_root) w.member("root", true);
    w.end_object();
    return ask(common, make_request(http::Method::post, "/api/postern/v1/ca/successor", w.take()), print_made);
}

int withdraw(const Common& common) {
    return ask(common, make_request(http::Method::post, "/api/postern/v1/ca/successor/withdraw"), [](const json::Value& done) {
        std::cout << "Issuing CA " << text(done["authority"]) << " is withdrawn: it never takes over and issues nothing more.\nWhat it issued to clients that asked for it stands, and is revoked "
                     "like any other. Whoever took it by GetNextCACert asks again.\n";
        if (done["root"].exists())
            std::cout << "Its root " << text(done["root"]) << " is withdrawn with it, and revoked by the root of today. Take it from clients that trust it already.\n";
    });
}

int import_ra(const Common& common, const std::string& endpoint, const std::string& key, const std::string& certificates) {
    require_private(key);
    const core::SecretText held(read_file(key));
    json::Writer w;
    w.begin_object().member("endpoint", endpoint).member("key", std::string_view(held.expose())).member("certificates", read_file(certificates)).end_object();
    return ask(common, make_request(http::Method::post, "/api/postern/v1/scep/ra", w.take()), [&](const json::Value& done) {
        std::cout << "The RA of endpoint " << endpoint << " has certificate " << text(done["serial"]) << " until " << text(done["until"]) << ".\n";
        if (done["warning"].exists()) std::cout << "Warning: " << text(done["warning"]) << "\n";
    });
}

}  // namespace

void add_ca(CLI::App& app, Common& common, Run& run) {
    auto* noun = app.add_subcommand("ca", "The built-in CA, and CAs that were moved away from");
    noun->require_subcommand(1);
    auto* listed = noun->add_subcommand("authorities", "Print roots and issuing CAs: those of today, the next, former and withdrawn ones");
    add_common(*listed, common);
    listed->callback([&common, &run] { run = [&common] { return list(common); }; });
    auto* rolled = noun->add_subcommand("rollover", "Prepare an issuing CA that takes over at a time, with a new root if wanted, or withdraw it");
    add_common(*rolled, common);
    const auto at = std::make_shared<std::string>();
    const auto new_root = std::make_shared<bool>(false), gone = std::make_shared<bool>(false);
    auto* when = rolled->add_option("--at", *at, "When it takes over: \"2027-01-31T00:00:00Z\"");
    auto* root = rolled->add_flag("--root", *new_root, "It comes with a new root; the old one and the new one sign each other");
    rolled->add_flag("--withdraw", *gone, "The one that waits never takes over, nor does a root that came with it; until 10 minutes before its day")->excludes(when)->excludes(root);
    rolled->callback([&common, &run, at, new_root, gone] {
        if (at->empty() && !*gone) throw CLI::RequiredError("--at or --withdraw");
        run = [&common, at, new_root, gone] { return *gone ? withdraw(common) : roll_over(common, *at, *new_root); };
    });
    add_predecessors(*noun, common, run);
}

void add_scep(CLI::App& app, Common& common, Run& run) {
    auto* noun = app.add_subcommand("scep", "SCEP's registration authorities");
    noun->require_subcommand(1);
    auto* authority = noun->add_subcommand("ra", "Certificates of the RA");
    authority->require_subcommand(1);
    auto* imported = authority->add_subcommand("import", "Take the RA's certificate and key of a CA that issues them by hand");
    add_common(*imported, common);
    struct Files {
        std::string endpoint, key, certificates;
    };
    const auto files = std::make_shared<Files>();
    imported->add_option("ENDPOINT", files->endpoint, "SCEP endpoint whose document says ra = \"imported\"")->required();
    imported->add_option("--key", files->key, "PEM file (0600) of the RSA key")->required()->check(CLI::ExistingFile);
    imported->add_option("--cert", files->certificates, "PEM file: the RA's certificate, then its issuers up to the root")->required()->check(CLI::ExistingFile);
    imported->callback([&common, &run, files] { run = [&common, files] { return import_ra(common, files->endpoint, files->key, files->certificates); }; });
}

}  // namespace postern::app::verbs
