#include <sys/stat.h>
#include <unistd.h>

#include "app/doctor/doctor.hpp"
#include "app/public_urls.hpp"

namespace postern::app::doctor {

namespace {

void examine_file(Patient& p) {
    const auto& file = p.options.config_file;
    if (file.empty()) return p.findings.good("configuration.file", "none is named: the defaults and the command line count");
    p.findings.judge("configuration.file", p.options.config_problem, file + " is understood", "correct that line; docs/configuration.md lists every key");
    struct stat about {};
    if (::stat(file.c_str(), &about) != 0) return;
    std::string wrong;
    if (about.st_uid != 0 && about.st_uid != ::geteuid()) wrong = file + " belongs to user " + std::to_string(about.st_uid);
    if ((about.st_mode & 022U) != 0) wrong = file + " can be written by others, who then say where keys and store are";
    p.findings.judge("configuration.permissions", wrong, "only its owner writes it", "chown it to root or the server's user and run: chmod go-w " + file);
}

/// URLs stand in accounts and certificates for good; they must lead to where the server listens.
void examine_url(Patient& p, const std::string& name, std::string_view scheme, const std::string& configured, const Address& address) {
    const auto check = "configuration.public_" + name;
    const auto fixed = p.setting("public." + name);
    const auto derived = std::string(scheme) + Address(public_host(address), address.port).authority();
    if (fixed.empty()) return p.findings.notice(check, "no URL is fixed yet", "start the server once");
    if (!configured.empty() && configured != fixed)
        return p.findings.failed(check, "[public] " + name + " = \"" + configured + "\", but this store was set up as \"" + fixed + "\"",
                                 "write \"" + fixed + "\" there: accounts and certificates carry it, and the server does not start otherwise");
    if (configured.empty() && fixed != derived)
        return p.findings.failed(check, "the listener is at " + derived + ", but accounts and certificates say " + fixed,
                                 "listen there again, or lead that URL to this listener and say [public] " + name + " = \"" + fixed + "\"");
    p.findings.good(check, fixed);
}

}  // namespace

void examine_configuration(Patient& p) {
    examine_file(p);
    if (!p.database) return;
    examine_url(p, "https", "https://", p.config.public_https, p.config.https);
    examine_url(p, "http", "http://", p.config.public_http, p.config.http);
    examine_url(p, "est", "https://", p.config.public_est, p.config.est);
}

}  // namespace postern::app::doctor
