#include "validation/tls_alpn_01_validator.hpp"

#include "core/crypto/name.hpp"
#include "core/http/client.hpp"
#include "validation/acme_certificate.hpp"

namespace postern::validation {

using core::Problem;
using core::ProblemKind;
using core::Result;

namespace {

constexpr std::string_view protocol = "acme-tls/1";  // RFC 8737 §6.2

/// One question on its way. Lives in the frame of validate().
class Handshake {
public:
    Handshake(dns::Resolver& resolver, const TlsAlpn01Config& config, const Question& question, core::Deadline deadline)
        : config_(config), question_(question), deadline_(deadline), dialling_(resolver, config.guard, config.private_targets || question.private_targets) {}

    core::Task<Result<void>> run() {
        auto looking = dialling_.targets(question_.identifier, is_address(), "While connecting to " + where(question_.identifier), deadline_, steps_);
        const Result<std::vector<std::string>> addresses = co_await std::move(looking);
        if (!addresses) co_return addresses.error();
        Problem last;
        for (const auto& address : *addresses) {
            http::Target target = target_for(address);
            http::ClientLimits limits;
            limits.connect = config_.time / 2;  // a black hole over IPv6 leaves some for IPv4
            auto connection = co_await http::ClientConnection::connect(std::move(target), limits, deadline_);
            if (connection) co_return judge(address, **connection);
            last = at_fault(address, connection.error());
            steps_.push_back(last.detail);
            if (last.kind != ProblemKind::connection && last.kind != ProblemKind::unavailable) co_return last;
            // Not reached, or not from here: one more try, over IPv4.
        }
        co_return last;
    }

    std::vector<std::string> take_steps() { return std::move(steps_); }
    /// Who shows a certificate has made up its mind.
    [[nodiscard]] bool may_pass(const Problem& problem) const {
        return (problem.kind == ProblemKind::dns || problem.kind == ProblemKind::connection || problem.kind == ProblemKind::tls) && !dialling_.forbidden();
    }

private:
    [[nodiscard]] bool is_address() const { return question_.identifier_type == "ip"; }

    [[nodiscard]] std::string where(const std::string& host) const {
        return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(config_.port);
    }

    [[nodiscard]] Problem at_fault(const std::string& address, const Problem& problem) const {
        Problem out = problem;
        out.detail = "While connecting to " + where(address) + " for " + question_.identifier + ": " + problem.detail;
        return out;
    }

    [[nodiscard]] http::Target target_for(const std::string& address) const {
        http::Target out;
        out.address = address;  // the one that was checked, never a second look-up (V03)
        out.port = config_.port;
        out.tls = true;
        out.verify = false;     // no CA vouches for it: it is judged by its content
        out.server_name = is_address() ? reverse_name(question_.identifier) : question_.identifier;
        out.alpn = protocol;
        return out;
    }

    Result<void> judge(const std::string& address, const http::ClientConnection& connection) {
        Result<void> verdict;
        if (connection.alpn() != protocol)
            verdict = Problem(ProblemKind::tls, "the server does not speak " + std::string(protocol) + ": it negotiated " +
                                                    (connection.alpn().empty() ? "no protocol by ALPN" : "another protocol by ALPN"));
        else
            verdict = check_acme_certificate(connection.peer_certificate(), question_);
        steps_.push_back("TLS handshake with " + where(address) + ": " + (verdict ? "the challenge's certificate" : verdict.error().detail));
        if (verdict) return verdict;
        Problem told = verdict.error();
        if (told.kind == ProblemKind::incorrect_response && dialling_.hidden(address)) told.detail = "the certificate shown is not the challenge's";
        return at_fault(address, told);
    }

    const TlsAlpn01Config& config_;
    const Question& question_;
    core::Deadline deadline_;
    Dialling dialling_;
    std::vector<std::string> steps_;
};

class TlsAlpn01Validator final : public Validator {
public:
    TlsAlpn01Validator(dns::Resolver& resolver, TlsAlpn01Config config) : resolver_(resolver), config_(config) {}

    core::Task<Finding> validate(Question question, core::Deadline deadline) override {
        Handshake handshake(resolver_, config_, question, core::earlier(deadline, core::deadline_in(config_.time)));
        Finding out;
        out.verdict = co_await handshake.run();
        out.passing = !out.verdict && handshake.may_pass(out.verdict.error());
        out.steps = handshake.take_steps();
        co_return out;
    }

private:
    dns::Resolver& resolver_;
    TlsAlpn01Config config_;
};

}  // namespace

std::string reverse_name(std::string_view address) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto octets = crypto::ip_octets(address);
    std::string out;
    for (auto octet = octets.rbegin(); octet != octets.rend(); ++octet) {
        if (octets.size() == 4) {
            out += std::to_string(*octet) + ".";
            continue;
        }
        for (const auto nibble : {*octet % 16, *octet / 16}) {
            out += digits[static_cast<std::size_t>(nibble)];
            out += '.';
        }
    }
    if (octets.empty()) return out;
    return out + (octets.size() == 4 ? "in-addr.arpa" : "ip6.arpa");
}

std::unique_ptr<Validator> make_tls_alpn_01_validator(dns::Resolver& resolver, TlsAlpn01Config config) {
    return std::make_unique<TlsAlpn01Validator>(resolver, config);
}

}  // namespace postern::validation
