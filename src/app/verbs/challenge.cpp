#include <iostream>

#include "app/verbs/answers.hpp"
#include "app/verbs/est_places.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

/// What is minted: challenges for SCEP, bearer tokens for EST.
struct Kind {
    std::string_view protocol, resource, member, shown, noun, name;
};
constexpr Kind challenges{"scep", "challenges", "challenge", "Challenge", "challenge", "SCEP"};
constexpr Kind tokens{"est", "tokens", "token", "Token", "token", "EST"};

struct Wish {
    Wish() = default;
    const Kind* kind = &challenges;
    std::string place, subject, profile, key_type, ttl;
    std::vector<std::string> sans, ids;
    bool unbound = false;
};

std::string path_of(const Wish& o) { return "/api/postern/v1/" + std::string(o.kind->protocol) + "/" + endpoint_of(o.place) + "/" + std::string(o.kind->resource); }

int create(const Common& common, const Wish& o) {
    json::Writer w;
    w.begin_object();
    if (const auto slash = o.place.find('/'); slash != o.place.npos) w.member("account", o.place.substr(slash + 1));
    if (!o.subject.empty()) w.member("subject", o.subject);
    if (!o.sans.empty()) {
        w.key("sans").begin_array();
        for (const auto& name : o.sans) w.string(name);
        w.end_array();
    }
    if (!o.profile.empty()) w.member("profile", o.profile);
    if (!o.key_type.empty()) w.member("keyType", o.key_type);
    if (!o.ttl.empty()) w.member("ttl", o.ttl);
    if (o.unbound) w.member("unbound", true);
    w.end_object();
    return ask(common, make_request(http::Method::post, path_of(o), w.take()), [kind = o.kind](const json::Value& root) {
        std::cout << kind->shown << " " << text(root["id"]) << " of " << text(root["account"]) << " (profile " << text(root["profile"]) << "), good until "
                  << text(root["expires"]) << ", shown this once:\n" << root[kind->member].string().value() << "\n";
    });
}

void print(const json::Value& r) {
    std::string what;
    for (const auto* list : {"subject", "sans"})
        for (const auto& item : r[list].items()) what += (what.empty() ? "" : ",") + text(item);
    std::cout << text(r["id"]) << "  " << text(r["state"]) << "  until " << text(r["expires"]) << "  " << text(r["profile"]) << "  " << (what.empty() ? "unbound" : what)
              << "  by " << text(r["by"]) << "\n";
}

/// Each by itself: one that a device has used already keeps no other from being withdrawn.
int withdraw(const Common& common, const Wish& o) {
    const auto door = Door::open(common.door);
    int status = 0;
    for (const auto& id : o.ids) {
        const auto answer = door->ask(make_request(http::Method::delete_, path_of(o) + "/" + id));
        if (const int failed = report(answer)) status = failed;
        else if (!common.json) std::cout << "Withdrawn " << id << ".\n";
    }
    return status;
}

std::string read_id(std::string& text) {
    const bool good = text.size() == 22 && text.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") == text.npos;
    return good ? "" : "expected the id that the verb list prints";
}

void add_verbs(CLI::App& noun, Common& common, Run& run, const Kind& kind) {
    auto o = std::make_shared<Wish>();
    o->kind = &kind;
    const std::string one(kind.noun), protocol(kind.name);
    noun.require_subcommand(1);
    auto* create_verb = noun.add_subcommand("create", "Mint a " + one + " for one device");
    auto* list_verb = noun.add_subcommand("list", kind.shown == "Token" ? "Tokens of an endpoint and what became of them" : "Challenges of an endpoint and what became of them");
    auto* withdraw_verb = noun.add_subcommand("withdraw", "Refuse " + one + "s that no device has used");
    for (auto* each : {create_verb, list_verb, withdraw_verb}) add_common(*each, common);
    create_verb->add_option("ENDPOINT", o->place, protocol + " endpoint, or ENDPOINT/ACCOUNT where it has several accounts of method one_time")
        ->required()->transform(CLI::Validator(read_place, ""));
    create_verb->add_option("--subject", o->subject, "Subject that the device must ask for, as CN=phone-7,O=Example");
    create_verb->add_option("--san", o->sans, "Alternative name that it must ask for, as dns:phone-7.example.com; repeatable");
    create_verb->add_option("--profile", o->profile, "Profile of its certificate");
    create_verb->add_option("--key", o->key_type, "Key type it must have, as rsa-2048; RSA at least that long");
    create_verb->add_option("--ttl", o->ttl, "How long the " + one + " is good for, as 15m");
    create_verb->add_flag("--unbound", o->unbound, "For no particular device; the account's document must say unbound = true");
    create_verb->callback([o, &common, &run] { run = [o, &common] { return create(common, *o); }; });
    list_verb->add_option("ENDPOINT", o->place, protocol + " endpoint")->required()->transform(CLI::Validator(read_place, ""));
    list_verb->callback([o, &common, &run] { run = [o, &common] { return ask_lines(common, path_of(*o), print); }; });
    withdraw_verb->add_option("ENDPOINT", o->place, protocol + " endpoint")->required()->transform(CLI::Validator(read_place, ""));
    withdraw_verb->add_option("ID", o->ids, "Id of the " + one + "; several after one another")->required()->transform(CLI::Validator(read_id, ""));
    withdraw_verb->callback([o, &common, &run] { run = [o, &common] { return withdraw(common, *o); }; });
}

}  // namespace

void add_challenge(CLI::App& app, Common& common, Run& run) { add_verbs(*app.add_subcommand("challenge", "One-time challenges for SCEP devices"), common, run, challenges); }

void add_token(CLI::App& noun, Common& common, Run& run) { add_verbs(*noun.add_subcommand("token", "One-time bearer tokens for EST devices"), common, run, tokens); }

}  // namespace postern::app::verbs
