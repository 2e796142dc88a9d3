#include "ca/command/command_ca.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "ca/command/program.hpp"
#include "ca/content_json.hpp"
#include "core/async/run_on.hpp"
#include "core/base/encoding.hpp"
#include "core/json/writer.hpp"

namespace postern::ca::command {

namespace asio = boost::asio;
using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;
using Status = Answer::Status;

namespace {

/// How long a command waits for its turn at most, and what its end may take after its deadline.
constexpr std::chrono::seconds longest_turn(30), ending(10);
/// One that finds no turn, or a CA that is away.
constexpr std::chrono::seconds come_again(10);

Problem try_later(std::string detail, std::chrono::seconds after = come_again) {
    Problem out(ProblemKind::unavailable, std::move(detail), "backend.available");
    out.retry_after = after;
    return out;
}

/// {"operation", "request", …; an object that is still open.
json::Writer begin(std::string_view operation, const std::string& backend, const core::RequestId& request) {
    json::Writer w;
    w.begin_object().member("operation", operation).member("backend", backend).member("request", request.get());
    return w;
}

std::string request_of(std::string_view operation, const std::string& backend, const Submitted& s) {
    auto w = begin(operation, backend, s.request);
    w.member("enrollment", s.enrollment.get());
    if (operation == "poll") w.member("handle", s.handle);
    w.member("csr", crypto::to_pem("CERTIFICATE REQUEST", s.csr_der)).key("content").raw(s.content).end_object();
    return w.take();
}

Result<Outcome> outcome_of(Answer answer) {
    switch (answer.status) {
        case Status::issued: {
            Issued out;
            out.received = std::move(answer.chain);
            return Outcome(std::move(out));
        }
        case Status::pending: {
            Pending out;
            out.handle = std::move(answer.handle);
            out.poll_after = answer.after;
            return Outcome(std::move(out));
        }
        case Status::refused: {
            Refused out;
            out.reason = answer.reason.empty() ? std::string("the CA refused the request") : std::move(answer.reason);
            out.log = std::move(answer.log);
            return Outcome(std::move(out));
        }
        case Status::absent: return Outcome(Absent());
        case Status::unavailable: return try_later(answer.reason.empty() ? "the CA is not available" : answer.reason, answer.after);
        case Status::revoked:
        case Status::ok: break;
    }
    throw std::logic_error("read_answer let a foreign status through");
}

}  // namespace

struct CommandCa::Settings {
    BackendDescription description;
    Declared declared;
};

/// A place in the queue; `granted` before its timer is cancelled.
struct CommandCa::Turn {
    Turn(const core::Executor& executor, core::Deadline at) : timer(executor, at) {}
    asio::steady_timer timer;
    bool granted = false;
};

namespace {

/// For a thread that may wait for a disk.
struct JudgeProgram {
    explicit JudgeProgram(std::vector<std::string> words) : argv(std::move(words)) {}
    std::string operator()() const { return why_not_run(argv); }
    std::vector<std::string> argv;
};

Result<Declared> read_declared(const BackendDescription& d) {
    Declared out;
    out.earlier = d.earlier;
    out.later = d.later;
    out.serial_octets = d.serial_octets;
    const auto pem = crypto::from_pem("CERTIFICATE", d.trust_anchors);
    const auto wrong = [](const std::string& what) { return Problem(ProblemKind::malformed, "$.trust_anchors: " + what); };
    if (!pem) return wrong(pem.error().detail);
    if (pem->empty() || pem->size() > 20) return wrong("expected 1 to 20 certificates as PEM");
    for (const auto& der : *pem) {
        auto certificate = crypto::Certificate::parse(der);
        if (!certificate) return wrong(certificate.error().detail);
        if (!certificate->is_ca()) return wrong("\"" + certificate->subject().to_text() + "\" is no CA's certificate");
        if (const auto key = crypto::PublicKey::from_spki(certificate->spki(), crypto::KeyUse::authority); !key) return wrong(key.error().detail);
        out.anchors.push_back(std::move(*certificate));
    }
    return out;
}

}  // namespace

CommandCa::CommandCa(const Deps& deps, const std::string& name)
    : deps_(deps), name_(name),
      answered_(deps.metrics.counter("postern_backend_commands_total", "Commands of foreign CAs by result", {{"backend", name}, {"result", "answered"}})),
      failed_(deps.metrics.counter("postern_backend_commands_total", "Commands of foreign CAs by result", {{"backend", name}, {"result", "failed"}})),
      turned_away_(deps.metrics.counter("postern_backend_commands_total", "Commands of foreign CAs by result", {{"backend", name}, {"result", "not_started"}})),
      running_now_(deps.metrics.gauge("postern_backend_commands_running", "Commands of foreign CAs that run now", {{"backend", name}})) {}

bool CommandCa::describe(const BackendDescription& description) {
    if (const auto now = settings(); now && now->description == description) return true;
    auto declared = read_declared(description);
    auto next = std::make_shared<Settings>();
    next->description = description;
    if (declared) next->declared = std::move(*declared);
    const std::lock_guard lock(mutex_);
    if (declared) settings_ = std::move(next);
    withdrawn_ = !declared;
    return declared.has_value();
}

std::shared_ptr<const CommandCa::Settings> CommandCa::settings() const {
    const std::lock_guard lock(mutex_);
    return withdrawn_ ? nullptr : settings_;
}
std::shared_ptr<const CommandCa::Settings> CommandCa::last_settings() const {
    const std::lock_guard lock(mutex_);
    return settings_;
}
bool CommandCa::active() const {
    const auto now = settings();
    return now && now->description.active;
}
bool CommandCa::described() const { return settings() != nullptr; }
void CommandCa::withdraw() {
    const std::lock_guard lock(mutex_);
    withdrawn_ = true;
}
Problem CommandCa::withdrawn() const { return try_later("backend " + name_ + " was withdrawn"); }

Capabilities CommandCa::capabilities() const noexcept {
    Capabilities out;
    const auto now = last_settings();
    out.revoke = now && now->description.declares("revoke");
    out.publicly_trusted = now && now->description.publicly_trusted;
    return out;
}

std::optional<Foreign> CommandCa::foreign() const {
    Foreign out;
    const auto now = last_settings();
    const auto& d = now ? now->description : BackendDescription();
    out.submission = longest_turn + d.timeout + ending;
    out.pending_limit = d.pending_limit;
    out.poll = d.declares("poll");
    out.find = d.declares("lookup");
    return out;
}

/// The request is linted as far as it can be: what the CA makes of it is checked when it comes back.
Result<Prepared> CommandCa::prepare(const Authorized& authorized) {
    const auto now = settings();
    if (!now || !now->description.active) return withdrawn();
    const auto& content = authorized.content();
    if (content.not_after <= deps_.clock.now())
        return Problem(ProblemKind::bad_content, "the certificate would have ended already, at " + core::rfc3339(content.not_after), "backend.term");
    if (content.not_after - content.not_before > now->description.longest_lifetime)
        return Problem(ProblemKind::bad_content, "the CA issues for " + core::format_duration(now->description.longest_lifetime) + " at most", "backend.term");
    Prepared out;
    const auto text = to_json(content);
    out.tbs = core::to_bytes(core::as_bytes(text));
    return out;
}

Task<Result<Outcome>> CommandCa::issue(const Authorized& authorized, const Prepared& prepared, core::Deadline deadline) {
    if (!active()) co_return withdrawn();  // disabled a moment ago
    Submitted submitted;
    submitted.enrollment = authorized.enrollment();
    submitted.request = authorized.request();
    submitted.content = core::as_text(prepared.tbs);
    submitted.csr_der = authorized.csr_der();
    auto input = request_of("issue", name_, submitted);
    const auto latest = core::earlier(deadline, core::deadline_in(longest_turn));
    auto answer = co_await ask("issue", std::move(input), latest);
    if (answer) co_return outcome_of(std::move(*answer));
    // Surely nothing was begun, or nobody knows.
    if (answer.error().kind == ProblemKind::unavailable) co_return answer.error();
    co_return Outcome(Lost(answer.error().detail));
}

Task<Result<Outcome>> CommandCa::poll(Submitted submitted) {
    auto input = request_of("poll", name_, submitted);
    auto answer = co_await ask("poll", std::move(input), core::deadline_in(longest_turn));
    if (!answer) co_return answer.error();
    co_return outcome_of(std::move(*answer));
}

Task<Result<Outcome>> CommandCa::find(Submitted submitted) {
    auto input = request_of("lookup", name_, submitted);
    auto answer = co_await ask("lookup", std::move(input), core::deadline_in(longest_turn));
    if (!answer) co_return answer.error();
    co_return outcome_of(std::move(*answer));
}

Task<Result<void>> CommandCa::revoke(core::Bytes certificate_der, core::RequestId issued_by, unsigned reason) {
    const auto now = settings();
    if (!now) co_return withdrawn();
    if (!now->description.declares("revoke")) co_return Problem(ProblemKind::unsupported, "the CA behind backend " + name_ + " takes no revocations from here");
    const auto certificate = crypto::Certificate::parse(certificate_der);
    auto w = begin("revoke", name_, issued_by);
    w.member("certificate", crypto::to_pem("CERTIFICATE", certificate_der));
    w.member("serial", core::hex(certificate.value().serial())).member("reason", static_cast<int>(reason)).end_object();
    auto answer = co_await ask("revoke", w.take(), core::deadline_in(longest_turn));
    if (!answer) co_return try_later(answer.error().detail);
    if (answer->status == Status::revoked) co_return Result<void>();
    if (answer->status == Status::unavailable) co_return try_later(answer->reason.empty() ? "the CA is not available" : answer->reason, answer->after);
    co_return Problem(ProblemKind::forbidden, answer->reason.empty() ? "the CA refused the revocation" : answer->reason, "backend.revocation");
}

Task<Result<std::string>> CommandCa::test() {
    const auto now = settings();
    if (!now) co_return withdrawn();
    auto judging = deps_.starters.run(JudgeProgram(now->description.argv));
    auto judged = co_await std::move(judging);
    if (!judged) co_return judged.error();
    if (!judged->empty()) co_return Problem(ProblemKind::forbidden, std::move(*judged), "backend.program");
    if (!now->description.declares("test"))
        co_return Problem(ProblemKind::unsupported, "backend " + name_ + " does not declare the operation \"test\"; its program and trust anchors are in order");
    auto w = begin("test", name_, core::RequestId("test"));
    w.end_object();
    const auto answer = co_await ask("test", w.take(), core::deadline_in(longest_turn));
    if (!answer) co_return answer.error();
    if (answer->status == Status::unavailable) co_return try_later(answer->reason.empty() ? "the CA is not available" : answer->reason, answer->after);
    co_return answer->log.empty() ? std::string("the command answered") : answer->log;
}

Result<Checked> CommandCa::check(const Issued& issued, const Content& content, const Prepared&) const {
    const auto now = last_settings();
    if (!now) return withdrawn();
    const auto chain = read_chain(issued.received);
    if (!chain) return chain.error();
    return check_returned(*chain, content, now->declared, deps_.clock.now());
}

/// Its CRL is not ours to write.
void CommandCa::record_revocation(store::Batch&, const Revoked&) {}
Task<Result<void>> CommandCa::publish_revocations(core::Deadline) { co_return Result<void>(); }
/// The newest verified one is in the store (issuer_chain).
std::vector<core::Bytes> CommandCa::chain(const std::string&) const { return {}; }
std::vector<core::Bytes> CommandCa::anchors() const {
    const auto now = last_settings();
    std::vector<core::Bytes> out, roots;
    if (!now) return out;
    for (const auto& anchor : now->declared.anchors) (anchor.subject_der() == anchor.issuer_der() ? roots : out).push_back(anchor.der());
    out.insert(out.end(), roots.begin(), roots.end());
    return out;
}
core::TimePoint CommandCa::latest_not_after() const {
    const auto now = last_settings();
    return deps_.clock.now() + (now ? now->description.longest_lifetime : std::chrono::milliseconds(0));
}

Task<Result<Answer>> CommandCa::ask(std::string operation, std::string input, core::Deadline latest_start) {
    const auto now = settings();
    if (!now) co_return withdrawn();
    auto judging = deps_.starters.run(JudgeProgram(now->description.argv));
    const auto judged = co_await std::move(judging);
    if (!judged || !judged->empty()) {
        turned_away_.add();
        if (!judged) co_return judged.error();
        deps_.log.error("backend_program_refused", {{"backend", name_}, {"why", *judged}});
        co_return try_later("the program of backend " + name_ + " cannot be run");
    }
    auto running = in_turn(now, std::move(input), latest_start);
    const auto ended = co_await core::run_on(deps_.executor, std::move(running));
    if (ended.how == Ended::How::not_started) {
        turned_away_.add();
        if (ended.code == ETIMEDOUT) co_return try_later("the command of backend " + name_ + " could not be started in time");
        if (ended.code == EAGAIN) co_return try_later("too many commands of backend " + name_ + " run or wait already");
        deps_.log.error("backend_not_started", {{"backend", name_}, {"operation", operation}, {"why", ended.text()}});
        co_return try_later("the program of backend " + name_ + " could not be started");
    }
    auto answer = read_answer(ended, operation, now->description.output_limit);
    if (answer) {
        answered_.add();
        deps_.log.debug("backend_answered", {{"backend", name_}, {"operation", operation}, {"said", excerpt(ended.errors)}});
    } else {
        failed_.add();
        deps_.log.warning("backend_failed", {{"backend", name_}, {"operation", operation}, {"why", answer.error().detail}});
    }
    co_return answer;
}

/// On the executor. EAGAIN: no place, or none in time; ETIMEDOUT: it got one when it was too late to start.
Task<Ended> CommandCa::in_turn(std::shared_ptr<const Settings> now, std::string input, core::Deadline latest_start) {
    Ended away;
    away.code = EAGAIN;
    const auto& d = now->description;
    if (running_ >= d.at_once) {
        if (waiting_.size() >= d.queue) co_return away;
        const auto turn = std::make_shared<Turn>(deps_.executor, latest_start);
        waiting_.push_back(turn);
        co_await turn->timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (!turn->granted) {
            std::erase(waiting_, turn);
            co_return away;
        }
    } else {
        ++running_;
    }
    running_now_.set(running_);
    try {
        auto starting = start(now, std::move(input), latest_start);
        auto ended = co_await std::move(starting);
        give_back();
        co_return ended;
    } catch (...) {
        give_back();
        throw;
    }
}

Task<Ended> CommandCa::start(std::shared_ptr<const Settings> now, std::string input, core::Deadline latest_start) {
    const auto& d = now->description;
    Program program;
    program.argv = d.argv;
    program.environment = d.environment;
    program.directory = d.directory;
    program.input = std::move(input);
    program.latest_start = latest_start;
    program.deadline = core::deadline_in(d.timeout);
    program.output_limit = d.output_limit;
    auto running = run(std::move(program), deps_.starters);
    co_return co_await std::move(running);
}

/// To the next who waits, or back.
void CommandCa::give_back() {
    if (waiting_.empty()) {
        --running_;
    } else {
        const auto next = waiting_.front();
        waiting_.pop_front();
        next->granted = true;
        next->timer.cancel();
    }
    running_now_.set(running_);
}

CommandCa* Commands::known(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [n, backend] : list_)
        if (n == name) return backend.get();
    return nullptr;
}

Backend* Commands::find(std::string_view name) const {
    auto* backend = known(name);
    return backend != nullptr && backend->active() ? backend : nullptr;
}

Backend* Commands::reach(std::string_view name) const {
    auto* backend = known(name);
    return backend != nullptr && backend->described() ? backend : nullptr;
}

void Commands::describe(const std::vector<BackendDescription>& descriptions) {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, backend] : list_) {
        const auto wanted = std::ranges::any_of(descriptions, [&](const BackendDescription& d) { return d.name == name; });
        if (!wanted) backend->withdraw();
    }
    for (const auto& d : descriptions) {
        auto at = std::ranges::find_if(list_, [&](const auto& entry) { return entry.first == d.name; });
        if (at == list_.end()) at = list_.emplace(list_.end(), d.name, std::make_unique<CommandCa>(deps_, d.name));
        if (!at->second->describe(d)) deps_.log.error("backend_unreadable", {{"backend", d.name}});
    }
}

Result<void> Commands::judge(const BackendDescription& d) const {
    if (const auto why = why_not_run(d.argv); !why.empty()) return Problem(ProblemKind::malformed, "$.argv: " + why);
    if (const auto declared = read_declared(d); !declared) return declared.error();
    return {};
}

}  // namespace postern::ca::command
