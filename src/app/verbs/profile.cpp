#include <iostream>
#include <sstream>

#include "app/verbs/verbs.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

int list_paused(const Common& common) {
    const auto door = Door::open(common.door);
    const auto answer = door->ask(make_request(http::Method::get, "/api/postern/v1/paused-profiles"));
    if (const int failed = report(answer)) return failed;
    if (common.json) {
        std::cout << answer.body;
        return 0;
    }
    std::istringstream lines(answer.body);
    for (std::string line; std::getline(lines, line);) {
        const auto document = json::Document::parse(line);
        if (!document) continue;
        const auto p = document->root();
        std::cout << text(p["profile"]) << "  " << text(p["since"]) << "  request " << text(p["request"]) << "\n  " << text(p["detail"]) << "\n";
    }
    return 0;
}

int resume(const Common& common, const std::string& profile) {
    json::Writer w;
    w.begin_object().member("profile", profile).end_object();
    const auto door = Door::open(common.door);
    const auto answer = door->ask(make_request(http::Method::post, "/api/postern/v1/paused-profiles/resume", w.take()));
    if (const int failed = report(answer)) return failed;
    if (!common.json) std::cout << "Resumed " << profile << ".\n";
    return 0;
}

}  // namespace

void add_profile(CLI::App& app, Common& common, Run& run) {
    auto profile = std::make_shared<std::string>();
    auto* noun = app.add_subcommand("profile", "Profiles whose certificates are malformed");
    noun->require_subcommand(1);
    auto* list_verb = noun->add_subcommand("paused", "Profiles that issue nothing until they are corrected");
    add_common(*list_verb, common);
    list_verb->callback([&common, &run] { run = [&common] { return list_paused(common); }; });
    auto* resume_verb = noun->add_subcommand("resume", "Let a paused profile issue again");
    add_common(*resume_verb, common);
    resume_verb->add_option("PROFILE", *profile, "TENANT/NAME")->required();
    resume_verb->callback([profile, &common, &run] { run = [profile, &common] { return resume(common, *profile); }; });
}

}  // namespace postern::app::verbs
