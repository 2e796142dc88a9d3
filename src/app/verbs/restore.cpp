#include <filesystem>
#include <iostream>

#include "app/data_folder.hpp"
#include "app/restore.hpp"
#include "app/verbs/configuration.hpp"
#include "app/verbs/verbs.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

struct Options {
    Options() = default;
    std::string backup, master_key_file, to_time;
    std::vector<std::string> crls;
    bool none_published = false;
};

std::string absolute(const std::string& path) {
    auto out = std::filesystem::absolute(path).lexically_normal().string();
    while (out.size() > 1 && out.ends_with('/')) out.pop_back();
    return out;
}

void write_names(json::Writer& w, std::string_view key, const std::vector<std::string>& names) {
    w.key(key).begin_array();
    for (const auto& name : names) w.string(name);
    w.end_array();
}

void print_names(std::string_view what, const std::vector<std::string>& names) {
    if (names.empty()) return;
    std::cout << what;
    for (const auto& name : names) std::cout << "  " << name << "\n";
}

int restore_backup(const Common& common, const Options& o) {
    if (!common.door.server.empty()) throw std::runtime_error("restore makes a data folder on this machine; run it where the server will, with --data");
    if (!common.door.config_file.empty() || !common.door.store.empty())
        throw std::runtime_error("a restore makes a folder with its store inside; give --config and --store to the server and to `restore open`");
    RestoreOptions options;
    options.backup = absolute(o.backup);
    options.data = absolute(common.door.config.data);
    if (!o.master_key_file.empty()) options.master_key_file = absolute(o.master_key_file);
    const auto done = restore(options);
    if (common.json) {
        json::Writer w;
        w.begin_object().member("data", options.data).member("backup", core::rfc3339(done.manifest.created)).member("postern", done.manifest.postern);
        w.member("schema", static_cast<std::int64_t>(done.manifest.schema)).member("masterKey", done.manifest.master_key);
        w.member("keys", static_cast<std::int64_t>(done.keys));
        write_names(w, "voidTokens", done.voided.principals);
        write_names(w, "voidKeys", done.voided.accounts);
        w.key("unknown").begin_array();
        for (const auto id : done.voided.unknown) w.integer(id.get());
        w.end_array();
        write_names(w, "crlUrls", done.crl_urls);
        w.member("open", false).end_object();
        std::cout << w.take() << "\n";
        return 0;
    }
    std::cout << "Restored " << options.data << " from the backup of " << core::rfc3339(done.manifest.created) << "; " << done.keys << " CA keys opened.\n";
    if (!done.manifest.master_key)
        std::cout << "The master key stays where it is: start with [secrets] master_key_file = \"" << options.master_key_file << "\", or copy it to "
                  << options.data << "/keys/master (0600).\n";
    if (done.manifest.find("postern.toml")) std::cout << "The configuration of then is " << options.data << "/postern.toml.\n";
    print_names("Tokens that are void; make them anew with postern principal create:\n", done.voided.principals);
    print_names("EAB keys that are void; apply the account again with a secret. ACME accounts made with them go on:\n", done.voided.accounts);
    if (!done.voided.unknown.empty()) {
        std::cout << "Enrollments of which nobody knows whether the lost server issued them (postern explain N); clients order anew:\n ";
        for (const auto id : done.voided.unknown) std::cout << " " << id.get();
        std::cout << "\n";
    }
    std::cout << "It starts CLOSED: certificates are neither issued nor are CRLs published until the revocations of after the backup are known.\n"
                 "Start the server, then:\n  postern restore open --data " << options.data << " --crl ISSUING.crl --crl ROOT.crl\n"
                 "with the last CRLs that the lost server published, or --no-crl-published-since if there were none after the backup.\n";
    print_names("They were published at:\n", done.crl_urls);
    return 0;
}

int close_database(const Common& common, const Options& o) {
    const auto time = core::from_rfc3339(o.to_time);
    if (!time) throw std::runtime_error("--to-time: expected a time such as 2027-01-31T00:00:00Z");
    StoreOptions where;
    where.data = common.door.config.data;
    where.config_file = common.door.config_file;
    where.store = common.door.store;
    const auto config = settle_store(where);
    if (!config) throw std::runtime_error(config.error().detail);
    const auto done = close_store(*config, *time);
    if (common.json) {
        json::Writer w;
        w.begin_object().member("store", done.store).member("restoredTo", core::rfc3339(*time));
        write_names(w, "voidTokens", done.voided.principals);
        write_names(w, "voidKeys", done.voided.accounts);
        write_names(w, "crlUrls", done.crl_urls);
        w.member("open", false).end_object();
        std::cout << w.take() << "\n";
        return 0;
    }
    print_names("Tokens that are void; make them anew with postern principal create:\n", done.voided.principals);
    print_names("EAB keys that are void; apply the account again with a secret. ACME accounts made with them go on:\n", done.voided.accounts);
    std::cout << done.store << " is CLOSED: certificates are neither issued nor are CRLs published until the revocations of after " << core::rfc3339(*time)
              << " are known.\nStart the nodes, then: postern restore open --crl ISSUING.crl --crl ROOT.crl\n"
                 "with the last CRLs that were published, or --no-crl-published-since if there were none since.\n";
    print_names("They were published at:\n", done.crl_urls);
    return 0;
}

/// DER or PEM.
std::string crl_as_base64(const std::string& path) {
    const auto content = read_file(path);
    const auto blocks = crypto::from_pem("X509 CRL", content);
    if (blocks && !blocks->empty()) return core::base64(blocks->front());
    return core::base64(core::as_bytes(content));
}

int open(const Common& common, const Options& o) {
    if (o.crls.empty() && !o.none_published) throw std::runtime_error("give the last published CRLs with --crl FILE, or say --no-crl-published-since");
    json::Writer w;
    w.begin_object().key("crls").begin_array();
    for (const auto& path : o.crls) w.string(crl_as_base64(path));
    w.end_array().member("nonePublished", o.none_published).end_object();
    return ask(common, make_request(http::Method::post, "/api/postern/v1/restoration/open", w.take()), [](const json::Value& root) {
        for (const auto& crl : root["crls"].items()) {
            std::cout << "CA " << text(crl["authority"]) << ": ";
            if (truth(crl["imported"]))
                std::cout << crl["entries"].integer().value() << " revocations read, " << crl["takenOver"].integer().value() << " of them new";
            else
                std::cout << "no CRL, as you said";
            std::cout << "; the next CRL's number is above " << crl["number"].integer().value() << "\n";
        }
        std::cout << "Open: certificates are issued and CRLs published again.\n";
    });
}

}  // namespace

void add_restore(CLI::App& app, Common& common, Run& run) {
    auto o = std::make_shared<Options>();
    auto* verb = app.add_subcommand("restore", "Make a new data folder of a backup; it starts closed");
    verb->require_subcommand(0, 1);
    add_common(*verb, common);
    verb->add_option("BACKUP", o->backup, "Folder that postern backup made");
    verb->add_option("--master-key-file", o->master_key_file, "Master key of a backup that was made without; it stays there")->check(CLI::ExistingFile);
    auto* open_verb = verb->add_subcommand("open", "Take over the last published CRLs and issue again");
    add_common(*open_verb, common);
    open_verb->add_option("--crl", o->crls, "The last CRL that a CA published, DER or PEM; repeatable")->check(CLI::ExistingFile);
    open_verb->add_flag("--no-crl-published-since", o->none_published, "CAs without --crl published none after the backup");
    open_verb->callback([o, &common, &run] { run = [o, &common] { return open(common, *o); }; });
    auto* close_verb = verb->add_subcommand("close", "Close an installation whose PostgreSQL database was put back to an earlier moment; before any node starts on it");
    add_common(*close_verb, common);
    close_verb->add_option("--to-time", o->to_time, "The moment that the database was restored to, as 2027-01-31T00:00:00Z")->required();
    close_verb->callback([o, &common, &run] { run = [o, &common] { return close_database(common, *o); }; });
    verb->callback([o, open_verb, close_verb, &common, &run] {
        if (open_verb->parsed() || close_verb->parsed()) return;
        if (o->backup.empty()) throw CLI::RequiredError("BACKUP");
        run = [o, &common] { return restore_backup(common, *o); };
    });
}

}  // namespace postern::app::verbs
