#pragma once
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "core/async/shards.hpp"
#include "validation/http_01_validator.hpp"

namespace postern::test {

using namespace std::chrono_literals;
namespace asio = boost::asio;

/// A server on loopback that answers each connection with exactly what the test says, right or
/// wrong, and closes. Speaks to one client at a time.
class RawServer {
public:
    using Socket = asio::ip::tcp::socket;
    /// Gets the request's head, writes what it likes.
    using Answer = std::function<void(const std::string& head, Socket& socket)>;

    explicit RawServer(Answer answer, const char* address = "127.0.0.1")
        : acceptor_(context_, {asio::ip::make_address(address), 0}), answer_(std::move(answer)), thread_([this] { serve(); }) {}
    /// Always the same octets.
    explicit RawServer(std::string octets) : RawServer([octets](const std::string&, Socket& s) { send(s, octets); }) {}
    ~RawServer() {
        stopping_ = true;
        boost::system::error_code ignored;
        Socket wake(context_);
        wake.connect(acceptor_.local_endpoint(), ignored);
        thread_.join();
    }
    RawServer(const RawServer&) = delete;
    RawServer& operator=(const RawServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    [[nodiscard]] int connections() const { return connections_; }
    [[nodiscard]] bool stopping() const { return stopping_; }
    [[nodiscard]] std::vector<std::string> heads() const {
        const std::lock_guard lock(mutex_);
        return heads_;
    }
    static bool send(Socket& socket, const std::string& octets) {
        boost::system::error_code error;
        asio::write(socket, asio::buffer(octets), error);
        return !error;
    }

private:
    void serve() {
        for (;;) {
            Socket socket(context_);
            boost::system::error_code error;
            acceptor_.accept(socket, error);
            if (stopping_ || error) return;
            ++connections_;
            std::string head;
            asio::read_until(socket, asio::dynamic_buffer(head, 65536), "\r\n\r\n", error);
            if (error) continue;
            {
                const std::lock_guard lock(mutex_);
                heads_.push_back(head);
            }
            answer_(head, socket);
        }
    }
    asio::io_context context_;
    asio::ip::tcp::acceptor acceptor_;
    Answer answer_;
    std::atomic<bool> stopping_{false};
    std::atomic<int> connections_{0};
    mutable std::mutex mutex_;
    std::vector<std::string> heads_;
    std::thread thread_;
};

inline std::string http_answer(std::string_view status, std::string_view body, std::string_view headers = "") {
    return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n" +
           std::string(headers) + "\r\n" + std::string(body);
}
inline std::string redirect(std::string_view location, std::string_view status = "302 Found") {
    return http_answer(status, "", "Location: " + std::string(location) + "\r\n");
}

/// Addresses by name; each look-up of a name takes its next set, the last one stays (TTL 0).
class ScriptedResolver final : public dns::Resolver {
public:
    void add(const std::string& name, std::vector<std::string> addresses) { script_[name].push_back(std::move(addresses)); }
    void fail(std::string name) { failing_ = std::move(name); }
    [[nodiscard]] const std::vector<std::string>& asked() const { return asked_; }

    core::Task<core::Result<dns::Answer>> lookup(std::string name, dns::RecordType type, core::Deadline) override {
        dns::Answer out;
        if (name == failing_) co_return core::Problem(core::ProblemKind::dns, "the name servers answer SERVFAIL");
        if (type == dns::RecordType::a) asked_.push_back(name);
        const auto found = script_.find(name);
        out.canonical_name = name;
        out.nxdomain = found == script_.end();
        if (out.nxdomain) co_return out;
        auto& sets = found->second;
        for (const auto& text : sets.front()) {
            const auto address = asio::ip::make_address(text);
            if (address.is_v4() && type == dns::RecordType::a) append(out, address.to_v4().to_bytes());
            if (address.is_v6() && type == dns::RecordType::aaaa) append(out, address.to_v6().to_bytes());
        }
        // A and AAAA of one look-up see the same set; A is what ends it.
        if (type == dns::RecordType::a && sets.size() > 1) sets.erase(sets.begin());
        co_return out;
    }

private:
    template <class Octets>
    static void append(dns::Answer& answer, const Octets& octets) {
        answer.rdata.emplace_back(octets.begin(), octets.end());
    }
    std::map<std::string, std::vector<std::vector<std::string>>> script_;
    std::string failing_;
    std::vector<std::string> asked_;
};

/// Records by name and type, as they are said; a name of which nothing is said does not exist.
class RecordResolver final : public dns::Resolver {
public:
    RecordResolver& says(const std::string& name, dns::RecordType type, std::vector<core::Bytes> rdata) {
        answers_[{name, type}].rdata = std::move(rdata);
        return *this;
    }
    RecordResolver& txt(const std::string& name, const std::vector<std::string>& records) {
        std::vector<core::Bytes> rdata;
        for (const auto& text : records) {
            core::Bytes one(1, static_cast<std::uint8_t>(text.size()));
            one.insert(one.end(), text.begin(), text.end());
            rdata.push_back(std::move(one));
        }
        return says(name, dns::RecordType::txt, std::move(rdata));
    }
    RecordResolver& caa(const std::string& name, std::string_view tag, std::string_view value, std::uint8_t flags = 0) {
        core::Bytes one{flags, static_cast<std::uint8_t>(tag.size())};
        one.insert(one.end(), tag.begin(), tag.end());
        one.insert(one.end(), value.begin(), value.end());
        answers_[{name, dns::RecordType::caa}].rdata.push_back(std::move(one));
        return *this;
    }
    RecordResolver& alias(const std::string& name, dns::RecordType type, const std::string& canonical) {
        answers_[{name, type}] = answers_[{canonical, type}];
        answers_[{name, type}].canonical_name = canonical;
        return *this;
    }
    RecordResolver& fails(const std::string& name, core::ProblemKind kind = core::ProblemKind::dns) {
        failing_[name] = kind;
        return *this;
    }
    [[nodiscard]] const std::vector<std::string>& asked() const { return asked_; }

    core::Task<core::Result<dns::Answer>> lookup(std::string name, dns::RecordType type, core::Deadline) override {
        asked_.push_back(name);
        if (const auto failing = failing_.find(name); failing != failing_.end()) co_return core::Problem(failing->second, "SERVFAIL, says this test");
        const auto found = answers_.find({name, type});
        dns::Answer out = found == answers_.end() ? dns::Answer() : found->second;
        out.nxdomain = found == answers_.end();
        if (out.canonical_name.empty()) out.canonical_name = name;
        co_return out;
    }

private:
    std::map<std::pair<std::string, dns::RecordType>, dns::Answer> answers_;
    std::map<std::string, core::ProblemKind> failing_;
    std::vector<std::string> asked_;
};

/// Loopback stands for the public Internet, except 127.0.0.66, which stands for a private network.
inline std::optional<std::string_view> loopback_is_public(std::string_view address) noexcept {
    if (address == "127.0.0.1" || address == "::1") return std::nullopt;
    return "private (for this test)";
}

struct Probe {
    explicit Probe(std::uint16_t port) {
        config.port = port;
        config.guard = &loopback_is_public;
        config.time = 5s;
        question.method = "http-01";
        question.identifier_type = "dns";
        question.identifier = "www.example.test";
        question.token = "token-0123456789_abcde";
        question.key_authorization = "token-0123456789_abcde.thumbprint";
        resolver.add("www.example.test", {"127.0.0.1"});
    }
    validation::Finding run() {
        const auto validator = validation::make_http_01_validator(resolver, config);
        return core::run_to_end(validator->validate(question, core::deadline_in(20s)));
    }
    /// The refusal's detail, whose kind must be this one.
    std::string refused(core::ProblemKind kind) {
        const auto finding = run();
        BOOST_REQUIRE_MESSAGE(!finding.verdict, "was let through");
        BOOST_TEST((finding.verdict.error().kind == kind),
                   core::to_string(finding.verdict.error().kind) << ": " << finding.verdict.error().detail);
        return finding.verdict.error().detail;
    }
    ScriptedResolver resolver;
    validation::Http01Config config;
    validation::Question question;
};

inline void has(const std::string& text, std::string_view part) {
    BOOST_TEST(text.find(part) != std::string::npos, "expected \"" << part << "\" in: " << text);
}

}  // namespace postern::test
