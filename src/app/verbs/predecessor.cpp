#include <iostream>

#include "app/verbs/answers.hpp"
#include "app/verbs/certificate_files.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"
#include "core/json/escape.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

constexpr std::string_view route = "/api/postern/v1/predecessors";

struct Options {
    Options() = default;
    std::string name, tenant, crl, ocsp;
    std::vector<std::string> certificates;
    bool with_certificates = false;
};

bool is_url(const std::string& text) { return text.find("://") != std::string::npos; }

/// DER or PEM.
core::Bytes read_crl(const std::string& path) {
    const auto contents = read_whole(path);
    const auto blocks = crypto::from_pem("X509 CRL", contents);
    if (!blocks) throw std::runtime_error(path + ": " + blocks.error().detail);
    if (blocks->size() > 1) throw std::runtime_error(path + " holds several CRLs; a predecessor has one");
    if (blocks->size() == 1) return blocks->front();
    return core::to_bytes(core::as_bytes(contents));
}

void print(const json::Value& p) {
    std::cout << text(p["name"]) << "\n";
    if (p.contains("tenant")) std::cout << "  tenant   " << text(p["tenant"]) << "\n";
    if (!text(p["ocsp"]).empty()) std::cout << "  OCSP     " << text(p["ocsp"]) << "\n";
    if (!text(p["crl"]).empty()) std::cout << "  CRL      " << text(p["crl"]) << "\n";
    if (truth(p["crlFile"])) std::cout << "  CRL      handed over as a file\n";
    for (const auto& c : p["certificates"].items()) std::cout << "  trusted  " << text(c["subject"]) << ", until " << text(c["notAfter"]) << ", SHA-256 " << text(c["sha256"]) << "\n";
}

int import(const Common& common, const Options& o) {
    json::Writer w;
    w.begin_object().member("name", o.name);
    if (!o.tenant.empty()) w.member("tenant", o.tenant);
    if (!o.certificates.empty()) {
        w.key("certificates").begin_array();
        for (const auto& file : o.certificates) {
            const auto list = read_certificate_file(file);
            for (const auto& bad : list.unreadable) throw std::runtime_error(file + ": " + bad.where + ": " + bad.why);
            if (list.certificates.empty()) throw std::runtime_error(file + " holds no certificate");
            for (const auto& c : list.certificates) w.string(core::base64(c.der));
        }
        w.end_array();
    }
    if (!o.crl.empty() && is_url(o.crl)) w.member("crl", o.crl);
    if (!o.crl.empty() && !is_url(o.crl)) w.member("crlDer", core::base64(read_crl(o.crl)));
    if (!o.ocsp.empty()) w.member("ocsp", o.ocsp);
    w.end_object();
    return ask(common, make_request(http::Method::post, std::string(route), w.take()), [](const json::Value& p) {
        print(p);
        std::cout << "Trusted for the renewal of what `postern cert import` brings from it, and for nothing else.\n";
    });
}

void print_with_counts(const json::Value& p) {
    print(p);
    std::cout << "  imported " << p["imported"].integer().value() << ", not renewed yet " << p["left"].integer().value() << "\n";
}

int show(const Common& common, const std::string& name) {
    const auto door = Door::open(common.door);
    bool known = false;
    const int failed = each_page(*door, std::string(route) + "?name=" + unreserved(name), [&](const std::string& page) {
        known = !page.empty();
        if (common.json)
            std::cout << page;
        else
            each_object(page, print_with_counts);
    });
    if (failed || known) return failed;
    std::cerr << "postern: there is no predecessor " << json::printable(name) << "\n";
    return 1;
}

int remove(const Common& common, const Options& o) {
    json::Writer w;
    w.begin_object().member("name", o.name).member("withCertificates", o.with_certificates);
    if (!o.tenant.empty()) w.member("tenant", o.tenant);
    w.end_object();
    return ask(common, make_request(http::Method::post, std::string(route) + "/remove", w.take()), [&o](const json::Value& answer) {
        std::cout << "Removed " << o.name << " and " << answer["certificates"].integer().value() << " imported certificates.\n";
    });
}

}  // namespace

void add_predecessors(CLI::App& noun, Common& common, Run& run) {
    auto o = std::make_shared<Options>();
    auto* import_verb = noun.add_subcommand("import", "Make a predecessor known, or tell more of it");
    add_common(*import_verb, common);
    import_verb->add_option("--predecessor", o->name, "What to call it: a-z, 0-9, '.', '-' and '_'")->required();
    import_verb->add_option("--cert", o->certificates, "File with certificates of its CAs (PEM, DER or PKCS #7)");
    import_verb->add_option("--crl", o->crl, "Where its CRL is: an http or https URL, or a file");
    import_verb->add_option("--ocsp", o->ocsp, "URL of its OCSP responder, asked before the CRL");
    import_verb->add_option("--tenant", o->tenant, "Whose it is (default: the principal's tenant, else default)");
    import_verb->callback([o, &common, &run] { run = [o, &common] { return import(common, *o); }; });
    auto* list_verb = noun.add_subcommand("list", "Every predecessor, and how many of its certificates are not renewed yet");
    add_common(*list_verb, common);
    list_verb->callback([&common, &run] { run = [&common] { return ask_lines(common, std::string(route), print_with_counts); }; });
    auto* show_verb = noun.add_subcommand("show", "One predecessor");
    add_common(*show_verb, common);
    show_verb->add_option("NAME", o->name, "The predecessor")->required();
    show_verb->callback([o, &common, &run] { run = [o, &common] { return show(common, o->name); }; });
    auto* remove_verb = noun.add_subcommand("remove", "Trust a predecessor no more");
    add_common(*remove_verb, common);
    remove_verb->add_option("NAME", o->name, "The predecessor")->required();
    remove_verb->add_option("--tenant", o->tenant, "Whose it is (default: the principal's tenant, else default)");
    remove_verb->add_flag("--with-certificates", o->with_certificates, "Take away the right to renew of what was imported from it, too");
    remove_verb->callback([o, &common, &run] { run = [o, &common] { return remove(common, *o); }; });
}

}  // namespace postern::app::verbs
