#include <iostream>

#include "app/verbs/answers.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

void print(const json::Value& p) {
    std::cout << text(p["profile"]) << "  " << text(p["since"]) << "  request " << text(p["request"]) << "\n  " << text(p["detail"]) << "\n";
}

int resume(const Common& common, const std::string& profile) {
    json::Writer w;
    w.begin_object().member("profile", profile).end_object();
    return ask_done(common, make_request(http::Method::post, "/api/postern/v1/paused-profiles/resume", w.take()), "Resumed " + profile + ".");
}

}  // namespace

void add_profile(CLI::App& app, Common& common, Run& run) {
    auto profile = std::make_shared<std::string>();
    auto* noun = app.add_subcommand("profile", "Profiles whose certificates are malformed");
    noun->require_subcommand(1);
    auto* list_verb = noun->add_subcommand("paused", "Profiles that issue nothing until they are corrected");
    add_common(*list_verb, common);
    list_verb->callback([&common, &run] { run = [&common] { return ask_lines(common, "/api/postern/v1/paused-profiles", print); }; });
    auto* resume_verb = noun->add_subcommand("resume", "Let a paused profile issue again");
    add_common(*resume_verb, common);
    resume_verb->add_option("PROFILE", *profile, "TENANT/NAME")->required();
    resume_verb->callback([profile, &common, &run] { run = [profile, &common] { return resume(common, *profile); }; });
}

}  // namespace postern::app::verbs
