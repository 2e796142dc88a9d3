#include "ca/command/answer.hpp"

#include <algorithm>
#include <array>

#include "core/json/escape.hpp"
#include "core/json/reader.hpp"

namespace postern::ca::command {

namespace {

using Status = Answer::Status;
using core::Problem;
using core::Result;

struct Known {
    std::string_view word;
    Status status;
    std::array<std::string_view, 3> operations;
};
constexpr std::array<Known, 7> known{{
    {"issued", Status::issued, {"issue", "poll", "lookup"}},
    {"pending", Status::pending, {"issue", "poll", "lookup"}},
    {"refused", Status::refused, {"issue", "poll", "lookup"}},
    {"unavailable", Status::unavailable, {}},
    {"absent", Status::absent, {"lookup", "", ""}},
    {"revoked", Status::revoked, {"revoke", "", ""}},
    {"ok", Status::ok, {"test", "", ""}},
}};
constexpr std::int64_t longest_wait = 86400;
constexpr std::size_t longest_handle = 255, longest_text = 500;

Problem wrong(std::string what) { return {core::ProblemKind::internal, std::move(what), "backend.answer"}; }

std::optional<Status> status_of(std::string_view word, std::string_view operation) {
    for (const auto& k : known) {
        if (k.word != word) continue;
        const bool fits = k.status == Status::unavailable || (k.status == Status::refused && operation == "revoke") ||
                          std::ranges::find(k.operations, operation) != k.operations.end();
        if (fits) return k.status;
    }
    return std::nullopt;
}

Result<std::string> text(const json::Value& root, std::string_view name) {
    const auto got = root[name].optional_string();
    if (!got) return got.error();
    return std::string(got->value_or(""));
}

Result<std::chrono::seconds> wait(const json::Value& value) {
    if (!value.exists()) return std::chrono::seconds(30);
    const auto seconds = value.integer();
    if (!seconds) return seconds.error();
    return std::chrono::seconds(std::clamp<std::int64_t>(*seconds, 1, longest_wait));
}

Result<Answer> read_members(const json::Value& root, std::string_view operation) {
    const auto word = root["status"].string();
    if (!word) return word.error();
    const auto status = status_of(*word, operation);
    if (!status) return root["status"].problem("\"" + excerpt(*word) + "\" is no answer to " + std::string(operation));
    Answer out;
    out.status = *status;
    for (const auto& [name, into] : {std::pair("handle", &out.handle), std::pair("reason", &out.reason), std::pair("log", &out.log)}) {
        auto got = text(root, name);
        if (!got) return got.error();
        *into = std::move(*got);
    }
    const auto visible = [](char c) { return c > ' ' && c < 0x7f; };
    if (out.handle.size() > longest_handle || !std::ranges::all_of(out.handle, visible))
        return root["handle"].problem("expected at most 255 visible ASCII characters");
    out.reason = excerpt(out.reason);
    out.log = excerpt(out.log);
    const auto after = wait(root[*status == Status::pending ? "poll_after" : "retry_after"]);
    if (!after) return after.error();
    out.after = *after;
    if (*status == Status::issued) {
        const auto chain = root["chain"].string();
        if (!chain) return chain.error();
        if (chain->find('\0') != std::string_view::npos) return root["chain"].problem("has a NUL");  // no store would keep it
        out.chain = *chain;
    }
    return out;
}

}  // namespace

std::string excerpt(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    auto out = json::printable(text.substr(0, longest_text));
    if (out.size() > longest_text) out.resize(longest_text);  // every character escaped: ASCII by now
    return out;
}

Result<Answer> read_answer(const Ended& ended, std::string_view operation, std::size_t limit) {
    const auto said = ended.errors.empty() ? std::string() : "; it said: " + excerpt(ended.errors);
    if (ended.how != Ended::How::exited || ended.code != 0) return wrong("the command failed: " + ended.text() + said);
    if (ended.output.find_first_not_of(" \t\r\n") == std::string::npos) return wrong("the command printed nothing" + said);
    json::Limits limits;
    limits.bytes = limit + 1;
    limits.depth = 8;
    const auto document = json::Document::parse(ended.output, limits);
    if (!document) return wrong("the command's output is no JSON: " + excerpt(document.error().detail) + said);
    if (!document->root().is_object()) return wrong("the command's output is no JSON object" + said);
    auto answer = read_members(document->root(), operation);
    if (!answer) return wrong("the command's answer: " + excerpt(answer.error().detail) + said);
    return answer;
}

}  // namespace postern::ca::command
