#include <iostream>

#include "app/data_folder.hpp"
#include "app/verbs/answers.hpp"
#include "core/json/escape.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

constexpr const char* requests = "/api/postern/v1/requests";

void print_line(const json::Value& r) {
    std::string names;
    for (const auto& n : r["names"].items()) names += (names.empty() ? "" : ",") + text(n);
    const auto id = r["id"].integer();
    std::cout << (id ? *id : 0) << "  " << text(r["status"]) << " (" << text(r["state"]) << ")  " << text(r["sent"]) << "  " << text(r["backend"]) << "  " << names;
    if (r.contains("profile")) std::cout << "  " << text(r["profile"]) << " for " << text(r["account"]) << ", until " << text(r["due"]);
    std::cout << "\n";
    if (const auto problem = r["problem"]; problem.exists()) std::cout << "  " << text(problem["detail"]) << "\n";
}

int list(const Common& common, bool held, const std::string& status) {
    const std::string query = std::string(held ? "&held=1" : "") + (status.empty() ? "" : "&status=" + status);
    return ask_lines(common, requests + (query.empty() ? query : "?" + query.substr(1)), print_line);
}

/// What the officer decides about, and how policy came to ask.
void print_approval(const json::Value& a) {
    for (const auto& [name, value] : a["content"].members()) std::cout << "  " << json::printable(name) << ": " << text(value) << "\n";
    for (const auto* name : {"askedBy", "asked", "until", "decision", "decidedBy", "decided", "message"})
        if (a.contains(name)) std::cout << name << ": " << text(a[name]) << "\n";
    std::cout << "contentHash: " << text(a["contentHash"]) << "\ntrace:\n";
    for (const auto& t : a["trace"].items()) {
        std::cout << "  " << text(t["check"]) << ": " << text(t["verdict"]) << "  " << text(t["input"]);
        if (t.contains("reason")) std::cout << "  (" << text(t["reason"]) << ")";
        std::cout << "\n";
    }
}

void print_request(const json::Value& r) {
    for (const auto& [name, value] : r.members()) {
        if (value.is_object() || name == "csr" || name == "received" || name == "evidence") continue;
        std::cout << json::printable(name) << ": ";
        if (value.is_string()) std::cout << text(value);
        if (const auto n = value.integer()) std::cout << *n;
        for (const auto& item : value.items()) std::cout << text(item) << ' ';
        std::cout << "\n";
    }
    for (const auto& e : r["evidence"].items()) {
        std::cout << "evidence: " << text(e["kind"]);
        for (const auto* part : {"identifier", "method", "subject", "at"})
            if (const auto value = e[part].string(); value && !value->empty()) std::cout << ' ' << text(e[part]);
        std::cout << "\n";
    }
    if (const auto problem = r["problem"]; problem.exists()) std::cout << "why: " << text(problem["detail"]) << "\n";
    if (const auto approval = r["approval"]; approval.exists()) print_approval(approval);
    for (const auto* pem : {"csr", "received"})
        if (const auto value = r[pem].string()) std::cout << pem << ":\n" << json::printable(*value, true) << "\n";
}

struct Wish {
    std::string request, certificate, why;
    bool not_issued = false, again = false;
};

int resolve(const Common& common, const Wish& wish) {
    json::Writer w;
    w.begin_object().member("why", wish.why);
    if (!wish.certificate.empty()) w.member("certificate", read_file(wish.certificate));
    if (wish.not_issued) w.member("notIssued", true);
    if (wish.again) w.member("again", true);
    w.end_object();
    return ask_done(common, make_request(http::Method::post, std::string(requests) + "/" + wish.request + "/resolve", w.take()), "Resolved " + wish.request + ".");
}

struct Verdict {
    std::string request, message, seen;
};

/// What the officer agrees to is what this prints, unless they say which content they looked at before.
int decide(const Common& common, const Verdict& verdict, bool approve) {
    const auto door = Door::open(common.door);
    const auto path = std::string(requests) + "/" + verdict.request;
    std::string seen = verdict.seen;
    if (seen.empty()) {
        const auto shown = door->ask(make_request(http::Method::get, path));
        if (const int failed = report(shown)) return failed;
        const auto document = parsed(shown);
        const auto approval = document.root()["approval"];
        if (const auto hash = approval["contentHash"].string()) seen = *hash;
        if (!common.json)
            for (const auto& [name, value] : approval["content"].members()) std::cout << "  " << json::printable(name) << ": " << text(value) << "\n";
    }
    json::Writer w;
    w.begin_object().member("contentHash", seen);
    if (!verdict.message.empty()) w.member("message", verdict.message);
    w.end_object();
    const auto answer = door->ask(make_request(http::Method::post, path + (approve ? "/approve" : "/decline"), w.take()));
    if (const int failed = report(answer)) return failed;
    const auto document = parsed(answer);
    const auto r = document.root();
    const auto status = text(r["status"]);
    const auto subject = "Request " + verdict.request;
    const bool done = !approve || status == "issued" || status == "approved" || status == "submitted";
    if (common.json) std::cout << answer.body << "\n";
    else if (!approve) std::cout << subject << " is declined.\n";
    else if (status == "issued") std::cout << subject << " is approved, and its certificate issued.\n";
    else if (status == "approved" || status == "submitted") std::cout << subject << " is approved; its certificate is being made.\n";
    else if (status == "pending_approval") std::cout << subject << " waits again: " << text(r["waitsFor"]) << ". Look at it again, then decide anew.\n";
    else std::cout << subject << " was approved and is " << status << ": " << text(r["problem"]["detail"]) << "\n";
    return done ? 0 : 1;
}

/// What is neither would be another path to the server.
std::string read_reference(std::string& text) {
    const bool good = !text.empty() && text.size() <= 19 && text.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz") == text.npos;
    return good ? "" : "a request is the number that `postern request list` prints, or the request id of a problem";
}

}  // namespace

void add_request(CLI::App& app, Common& common, Run& run) {
    auto wish = std::make_shared<Wish>();
    auto held = std::make_shared<bool>(false);
    auto status = std::make_shared<std::string>();
    auto* noun = app.add_subcommand("request", "Requests that foreign CAs work on, or that wait for an officer");
    noun->require_subcommand(1);
    auto* list_verb = noun->add_subcommand("list", "Open requests");
    add_common(*list_verb, common);
    list_verb->add_flag("--held", *held, "Only those that wait for an officer");
    list_verb->add_option("--status", *status, "Only those that an officer decides, of that status: pending_approval, approved, or declined, which are listed by it alone")
        ->check(CLI::IsMember({"pending_approval", "approved", "declined"}));
    list_verb->callback([held, status, &common, &run] { run = [held, status, &common] { return list(common, *held, *status); }; });
    auto* show_verb = noun->add_subcommand("show", "One request, and what the CA sent back");
    add_common(*show_verb, common);
    show_verb->add_option("REQUEST", wish->request, "Number or request id")->required()->transform(CLI::Validator(read_reference, ""));
    show_verb->callback([wish, &common, &run] {
        run = [wish, &common] { return ask(common, make_request(http::Method::get, std::string(requests) + "/" + wish->request), print_request); };
    });
    auto verdict = std::make_shared<Verdict>();
    for (const bool approve : {true, false}) {
        auto* verb = approve ? noun->add_subcommand("approve", "Say yes to a request that waits for an officer; its certificate is issued")
                             : noun->add_subcommand("decline", "Say no to a request that waits for an officer");
        add_common(*verb, common);
        verb->add_option("REQUEST", verdict->request, "Number or request id")->required()->transform(CLI::Validator(read_reference, ""));
        auto* message = verb->add_option("--message", verdict->message, approve ? "Kept with the decision" : "Why; the requester may read it");
        if (!approve) message->required();
        verb->add_option("--content", verdict->seen, "The contentHash that `show` printed; without it, what is there now is printed and decided");
        verb->callback([verdict, approve, &common, &run] { run = [verdict, approve, &common] { return decide(common, *verdict, approve); }; });
    }
    auto* resolve_verb = noun->add_subcommand("resolve", "Say what the CA did with an unknown or quarantined request");
    add_common(*resolve_verb, common);
    resolve_verb->add_option("REQUEST", wish->request, "Number or request id")->required()->transform(CLI::Validator(read_reference, ""));
    auto* certificate = resolve_verb->add_option("--certificate", wish->certificate, "PEM file with the certificate that the CA issued, and its chain");
    auto* absent = resolve_verb->add_flag("--not-issued", wish->not_issued, "The CA issued nothing: the order becomes invalid")->excludes(certificate);
    resolve_verb->add_flag("--again", wish->again, "With --not-issued: the order is ready again, the client may finalize it anew")->needs(absent);
    resolve_verb->add_option("--why", wish->why, "How it is known; kept in the audit log")->required();
    resolve_verb->callback([wish, &common, &run] { run = [wish, &common] { return resolve(common, *wish); }; });
}

}  // namespace postern::app::verbs
