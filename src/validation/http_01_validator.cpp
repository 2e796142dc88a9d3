#include "validation/http_01_validator.hpp"

#include <algorithm>
#include <set>

#include "validation/location.hpp"

namespace postern::validation {
namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;

constexpr std::size_t longest_target = 2000;
constexpr std::size_t quoted_characters = 64;

bool is_redirect(unsigned status) {
    return status == 301 || status == 302 || status == 307 || status == 308;
}

/// RFC 8555 §8.3: white space at the end is ignored. A NUL is none (V06).
std::string_view trimmed(std::string_view body) {
    const auto last = body.find_last_not_of(" \t\r\n\v\f");
    return last == std::string_view::npos ? std::string_view() : body.substr(0, last + 1);
}

/// The beginning of what a stranger sent, on one printable line.
std::string quoted(std::string_view body) {
    std::string out(body.substr(0, quoted_characters));
    std::ranges::replace_if(out, [](char c) { return c < ' ' || c > '~' || c == '"'; }, '?');
    return "\"" + out + "\"" + (body.size() > quoted_characters ? " …" : "");
}

/// One answer, and who gave it.
struct Hop {
    Hop() = default;
    http::Response response;
    std::string address;
    bool hidden = false;  ///< a private target: its answer is not for strangers to read (V02)
};

/// One question on its way. Lives in the frame of validate().
class Probe {
public:
    Probe(dns::Resolver& resolver, const Http01Config& config, const Question& question, core::Deadline deadline)
        : config_(config), question_(question), deadline_(deadline), dialling_(resolver, config.guard, config.private_targets || question.private_targets) {}

    core::Task<Result<void>> run() {
        Location at = first_location();
        std::set<std::string> seen;
        for (unsigned redirects = 0;; ++redirects) {
            seen.insert(at.to_text());
            const Result<Hop> hop = co_await fetch(at);
            if (!hop) co_return hop.error();
            if (!is_redirect(hop->response.status)) co_return judge(at, *hop);
            Result<Location> next = next_location(at, *hop, redirects);
            if (next && seen.contains(next->to_text()))
                next = Problem(ProblemKind::connection, "the server redirects in a circle");
            settled_ = !next;
            if (!next) co_return at_fault(at, hop->address, next.error());
            at = std::move(*next);
        }
    }
    std::vector<std::string> take_steps() { return std::move(steps_); }
    /// A server that answers has made up its mind; one that cannot be found or reached may be there in a moment.
    [[nodiscard]] bool may_pass(const Problem& problem) const {
        const bool reached = problem.kind != ProblemKind::dns && problem.kind != ProblemKind::connection && problem.kind != ProblemKind::tls;
        return !reached && !settled_ && !dialling_.forbidden();
    }

private:
    [[nodiscard]] Location first_location() const {
        Location out;
        out.host = question_.identifier;
        out.address = question_.identifier_type == "ip";
        out.port = config_.port == 80 ? std::uint16_t(0) : config_.port;
        out.target = "/.well-known/acme-challenge/" + question_.token;
        return out;
    }

    /// "While fetching http://NAME/… from 192.0.2.1: …"
    [[nodiscard]] static Problem at_fault(const Location& at, const std::string& address, const Problem& problem) {
        Problem out = problem;
        out.detail = "While fetching " + at.to_text() + " from " + address + ": " + problem.detail;
        return out;
    }

    [[nodiscard]] std::uint16_t port_of(const Location& at) const { return at.https ? config_.https_port : config_.port; }

    Result<Location> next_location(const Location& at, const Hop& hop, unsigned redirects) {
        if (redirects >= config_.redirects)
            return Problem(ProblemKind::connection, "more than " + std::to_string(config_.redirects) + " redirects");
        auto next = follow(at, hop.response.header("Location"));
        // Never to be steered to other places of a network that strangers cannot see (V02). The URL
        // itself is part of the answer and stays untold.
        if (dialling_.private_allowed() && (!next || next->host != at.host || next->target != at.target))
            return Problem(ProblemKind::connection,
                           "the server redirects to another name or path, which is not followed where private addresses are permitted");
        if (!next) return next;
        const std::uint16_t usual = next->https ? 443 : 80;
        if (next->port != 0 && next->port != usual && next->port != port_of(*next))
            return Problem(ProblemKind::connection, "the server redirects to port " + std::to_string(next->port) +
                                                        "; only 80 (http) and 443 (https) are followed");
        if (next->target.size() > longest_target)
            return Problem(ProblemKind::connection, "the server redirects to a path of more than " + std::to_string(longest_target) + " characters");
        // The port that stands for 80 or 443 is the one that is named, so that a circle shows.
        next->port = port_of(*next) == usual ? std::uint16_t(0) : port_of(*next);
        steps_.push_back("redirect to " + next->to_text());
        return next;
    }

    core::Task<Result<Hop>> fetch(const Location& at) {
        auto looking = dialling_.targets(at.host, at.address, "While fetching " + at.to_text(), deadline_, steps_);
        const Result<std::vector<std::string>> addresses = co_await std::move(looking);
        if (!addresses) co_return addresses.error();
        Problem last;
        for (const auto& address : *addresses) {
            http::Target target = target_for(at, address);
            const http::ClientLimits limits = client_limits();
            auto connection = co_await http::ClientConnection::connect(std::move(target), limits, deadline_);
            if (connection) co_return co_await ask(at, address, std::move(*connection));
            last = at_fault(at, address, connection.error());
            steps_.push_back(last.detail);
            if (last.kind != ProblemKind::connection && last.kind != ProblemKind::unavailable) co_return last;
            // Not reached, or not from here: one more try, over IPv4.
        }
        co_return last;
    }

    core::Task<Result<Hop>> ask(const Location& at, const std::string& address, std::unique_ptr<http::ClientConnection> connection) {
        const http::Request request = request_for(at);
        Result<http::Response> response = co_await connection->exchange(request, deadline_);
        if (!response) {
            const Problem problem = at_fault(at, address, response.error());
            steps_.push_back(problem.detail);
            co_return problem;
        }
        Hop hop;
        hop.address = address;
        hop.hidden = dialling_.hidden(hop.address);
        hop.response = std::move(*response);
        steps_.push_back("GET " + at.to_text() + " from " + hop.address + ": status " + std::to_string(hop.response.status) +
                         ", " + std::to_string(hop.response.body.size()) + " octets" +
                         (hop.response.body.empty() ? "" : ", " + quoted(hop.response.body)));
        co_return hop;
    }

    [[nodiscard]] http::Target target_for(const Location& at, const std::string& address) const {
        http::Target out;
        out.address = address;  // the one that was checked, never a second look-up (V03)
        out.port = port_of(at);
        out.tls = at.https;
        out.verify = false;     // the certificate is what is being applied for
        out.host = at.authority();
        if (!at.address) out.server_name = at.host;
        return out;
    }

    [[nodiscard]] http::ClientLimits client_limits() const {
        http::ClientLimits out;
        out.body_bytes = config_.body_bytes;
        out.cut_body = true;
        // Half the time, so that a black hole over IPv6 leaves some for IPv4.
        out.connect = config_.time / 2;
        return out;
    }

    [[nodiscard]] http::Request request_for(const Location& at) const {
        http::Request out;
        out.method = http::Method::get;
        out.target = at.target;
        out.path = at.target.substr(0, at.target.find('?'));
        out.headers.emplace_back("User-Agent", config_.user_agent);
        out.headers.emplace_back("Accept", "*/*");
        out.headers.emplace_back("Connection", "close");
        return out;
    }

    [[nodiscard]] Result<void> judge(const Location& at, const Hop& hop) const {
        const auto& response = hop.response;
        const auto body = trimmed(response.body);
        if (response.status == 200 && body == question_.key_authorization) return {};
        Problem out(ProblemKind::incorrect_response, "");
        if (hop.hidden)
            out.detail = "the answer is not status 200 with the key authorization";
        else if (response.status != 200)
            out.detail = "status " + std::to_string(response.status) + "; expected 200 with the key authorization";
        else
            out.detail = "expected the key authorization \"" + question_.key_authorization + "\", got " +
                         (body.empty() ? "an empty file" : quoted(body));
        return at_fault(at, hop.address, out);
    }

    const Http01Config& config_;
    const Question& question_;
    core::Deadline deadline_;
    Dialling dialling_;
    bool settled_ = false;  ///< it redirects to where nobody follows
    std::vector<std::string> steps_;
};

class Http01Validator final : public Validator {
public:
    Http01Validator(dns::Resolver& resolver, Http01Config config) : resolver_(resolver), config_(std::move(config)) {}

    core::Task<Finding> validate(Question question, core::Deadline deadline) override {
        Probe probe(resolver_, config_, question, core::earlier(deadline, core::deadline_in(config_.time)));
        Finding out;
        out.verdict = co_await probe.run();
        out.passing = !out.verdict && probe.may_pass(out.verdict.error());
        out.steps = probe.take_steps();
        co_return out;
    }

private:
    dns::Resolver& resolver_;
    Http01Config config_;
};

}  // namespace

std::unique_ptr<Validator> make_http_01_validator(dns::Resolver& resolver, Http01Config config) {
    return std::make_unique<Http01Validator>(resolver, std::move(config));
}

}  // namespace postern::validation
