#include <sys/stat.h>

#include <csignal>
#include <exception>
#include <iostream>

#include "app/place.hpp"
#include "app/program/variant.hpp"
#include "app/verbs/verbs.hpp"
#include "app/version.hpp"
#include "core/json/escape.hpp"

int main(int argc, char** argv) {
    using namespace postern::app;
    ::umask(0077);
    std::signal(SIGPIPE, SIG_IGN);

    CLI::App app("Postern, a certificate enrollment gateway");
    app.set_version_flag("--version", "postern " + std::string(version()));
    app.require_subcommand(1);
    verbs::Common common;
    verbs::Run run;
    auto senders = variant_senders();
    if (!senders) {
        std::cerr << "postern: " << senders.error().detail << "\n";
        return 2;
    }
    verbs::add_serve(app, run, std::move(*senders));
    verbs::add_apply(app, common, run);
    verbs::add_export(app, common, run);
    verbs::add_explain(app, common, run);
    verbs::add_cert(app, common, run);
    verbs::add_endpoint(app, common, run);
    verbs::add_principal(app, common, run);
    verbs::add_manual(app, run);
    verbs::add_completion(app, run);
    verbs::add_doctor(app, run);
    verbs::add_key(app, common, run);
    verbs::add_profile(app, common, run);
    verbs::add_request(app, common, run);
    verbs::add_backend(app, common, run);
    verbs::add_azure(app, common, run);
    verbs::add_backup(app, common, run);
    verbs::add_restore(app, common, run);
    verbs::add_reload(app, common, run);
    verbs::add_ca(app, common, run);
    verbs::add_scep(app, common, run);
    verbs::add_clock(app, common, run);
    verbs::add_migrate(app, run);
    verbs::add_copy(app, run);
    verbs::add_outbox(app, common, run);
    verbs::add_challenge(app, common, run);
    verbs::add_est(app, common, run);
    CLI11_PARSE(app, argc, argv);
    try {
        common.door.config.data = find_data(common.door.config.data);
        return run();
    } catch (const std::exception& e) {
        std::cerr << "postern: " << postern::json::printable(e.what(), true) << "\n";
        return 1;
    }
}
