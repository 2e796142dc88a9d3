#pragma once
#include <CLI/CLI.hpp>
#include <functional>

#include "app/door.hpp"
#include "core/json/reader.hpp"
#include "ra/outbox.hpp"

/// Command-line verbs: each declares its options on the parser and says what to run. What is run
/// returns the exit status; 0 done, 1 refused or failed.
namespace postern::app::verbs {

/// Options that every verb but serve shares: --data, --config, --store, --server, --token-file, --ca-file, --json.
struct Common {
    Common() = default;
    DoorOptions door;
    bool json = false;
};

/// The verb that was chosen.
using Run = std::function<int()>;

/// `senders`: who delivers which kind of outgoing message.
void add_serve(CLI::App& app, Run& run, ra::Senders senders);
void add_apply(CLI::App& app, Common& common, Run& run);
void add_export(CLI::App& app, Common& common, Run& run);
void add_explain(CLI::App& app, Common& common, Run& run);
void add_cert(CLI::App& app, Common& common, Run& run);
/// Below `cert`.
void add_cert_import(CLI::App& noun, Common& common, Run& run);
void add_ca(CLI::App& app, Common& common, Run& run);
/// Under `ca`.
void add_predecessors(CLI::App& noun, Common& common, Run& run);
void add_endpoint(CLI::App& app, Common& common, Run& run);
void add_principal(CLI::App& app, Common& common, Run& run);
/// Hidden: for packages.
void add_manual(CLI::App& app, Run& run);
void add_completion(CLI::App& app, Run& run);
void add_doctor(CLI::App& app, Run& run);
void add_key(CLI::App& app, Common& common, Run& run);
void add_profile(CLI::App& app, Common& common, Run& run);
void add_request(CLI::App& app, Common& common, Run& run);
void add_backend(CLI::App& app, Common& common, Run& run);
void add_azure(CLI::App& app, Common& common, Run& run);
void add_backup(CLI::App& app, Common& common, Run& run);
void add_restore(CLI::App& app, Common& common, Run& run);
void add_reload(CLI::App& app, Common& common, Run& run);
void add_migrate(CLI::App& app, Run& run);
void add_copy(CLI::App& app, Run& run);
void add_scep(CLI::App& app, Common& common, Run& run);
void add_clock(CLI::App& app, Common& common, Run& run);
void add_outbox(CLI::App& app, Common& common, Run& run);
void add_challenge(CLI::App& app, Common& common, Run& run);
void add_est(CLI::App& app, Common& common, Run& run);
/// Below `est`: bearer tokens.
void add_token(CLI::App& noun, Common& common, Run& run);
void add_enroll_bundle(CLI::App& noun, Common& common, Run& run);

void add_common(CLI::App& verb, Common& common);
/// Prints the server's description of an error and gives 1; 0 for a good answer.
int report(const http::Response& answer);
/// Asks, and hands the JSON of a good answer to `print`; with --json prints it as it is. The exit status.
int ask(const Common& common, http::Request request, const std::function<void(const json::Value&)>& print);
/// Members of the server's answers, for printing: empty or false when absent. What somebody else
/// wrote (names, documents, answers of strange servers) cannot drive the terminal: control characters
/// and direction marks are written as \uXXXX.
std::string text(const json::Value& value);
bool truth(const json::Value& value);
/// For a query: everything but unreserved characters (RFC 3986 §2.3) as %XX.
std::string unreserved(std::string_view text);

}  // namespace postern::app::verbs
