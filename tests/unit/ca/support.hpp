#pragma once
#include <stdlib.h>
#include <sys/wait.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <sstream>

#include "ca/builtin/builtin_ca.hpp"
#include "ca/lint.hpp"
#include "core/async/shards.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/system_random.hpp"
#include "store/sqlite/open.hpp"
#include "tests/support/folder.hpp"

namespace postern::ra {
/// The one class that may authorise: these tests stand in for it.
class Enrollment {
public:
    static ca::Authorized authorize(ca::Content content) {
        return {core::EnrollmentId(1), core::RequestId("testtesttesttest"), core::TenantId(1), std::move(content), core::Bytes()};
    }
};
}  // namespace postern::ra

namespace postern::test {

using namespace std::chrono_literals;

inline std::string write_file(const std::string& path, std::string_view content) {
    std::ofstream(path, std::ios::binary) << content;
    return path;
}
inline std::string read_file(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
}

/// What a command prints on both streams, and whether it succeeded.
struct Said {
    bool ok = false;
    std::string text;
};
inline Said run(const std::string& command) {
    Said out;
    FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("popen");
    std::array<char, 4096> chunk{};
    while (const auto n = ::fread(chunk.data(), 1, chunk.size(), pipe)) out.text.append(chunk.data(), n);
    const int status = ::pclose(pipe);
    out.ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return out;
}

/// Everything a CA stands on: a real database, a real pool, a clock that the test moves.
class World {
public:
    World() : db(open_database()) { shards.start(); }
    ~World() { stop(); }

    void stop() {
        tasks.cancel();
        core::run_to_end(tasks.drained(core::deadline_in(10s)));
        shards.stop();
        db->close();
    }
    ca::BuiltinCa::Deps deps() {
        return {*db, pool, tasks, shards.executor(0), sealer, random, clock, log, metrics};
    }
    ca::BuiltinConfig config() const {
        ca::BuiltinConfig out;
        out.keys_folder = folder.file("keys");
        out.public_http = "http://pki.example.test:8080";
        return out;
    }
    std::unique_ptr<ca::BuiltinCa> open() { return open(config()); }
    std::unique_ptr<ca::BuiltinCa> open(ca::BuiltinConfig with) {
        return core::run_to_end(ca::BuiltinCa::open(deps(), std::move(with), folder.file("root.pem")));
    }
    std::unique_ptr<ca::BuiltinCa> started() {
        auto out = open();
        out->start();
        return out;
    }
    store::Rows read(const store::Statement& s, store::Values v = {}) { return core::run_to_end(db->read(s, std::move(v))); }
    store::Written write(store::Batch batch) { return core::run_to_end(db->write(std::move(batch))); }
    store::Written write(const store::Statement& s, store::Values v) {
        store::Batch batch;
        batch.add(s, std::move(v));
        return write(std::move(batch));
    }
    std::unique_ptr<store::Database> open_database() { return store::open_sqlite(folder.file("postern.db"), clock, metrics); }
    [[nodiscard]] std::string at_time() const { return " -attime " + std::to_string(core::to_ms(clock.now()) / 1000) + " "; }

    Folder folder;
    core::FakeClock clock{core::from_ms(1'800'000'000'000)};
    observe::Metrics metrics;
    observe::Log log{observe::Level::error, folder.file("log"), true};
    crypto::SystemRandom random;
    crypto::Sealer sealer{core::SecretBytes(core::Bytes(32, 7)), random};
    core::CpuPool pool{2, 64};
    core::Shards shards{1};
    std::vector<std::string> faults;
    core::TaskGroup tasks{[this](std::string_view what) { faults.emplace_back(what); }};
    std::unique_ptr<store::Database> db;
};

/// A TLS server certificate's content as the RA would resolve it.
inline ca::Content content_at(core::TimePoint now, const crypto::PublicKey& key, std::vector<std::string> names = {"www.example.test"}) {
    ca::Content out;
    out.profile = core::ProfileId(1);
    out.profile_version = 1;
    out.subject.entries.emplace_back(crypto::DnAttribute::common_name, names.front());
    for (auto& name : names) out.names.emplace_back(crypto::GeneralNameType::dns, std::move(name));
    out.key = key;
    out.not_before = core::floor_seconds(now) - 1h;
    out.not_after = out.not_before + 24h * 90;
    out.key_usage = {crypto::KeyUsageBit::digital_signature};
    out.extended_key_usage = {"1.3.6.1.5.5.7.3.1"};
    out.tls_server = true;
    return out;
}
inline const crypto::PublicKey& leaf_key() {
    static const crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeySpec(crypto::KeyType::ec_p256, 256));
    return key.public_key();
}

/// prepare and issue, which must both succeed.
inline core::Bytes issue(ca::BuiltinCa& ca, const ca::Content& content, ca::Prepared* prepared_out = nullptr) {
    const auto authorized = ra::Enrollment::authorize(content);
    const auto prepared = ca.prepare(authorized);
    if (!prepared) throw std::runtime_error(prepared.error().detail);
    if (prepared_out != nullptr) *prepared_out = *prepared;
    auto outcome = core::run_to_end(ca.issue(authorized, *prepared, core::deadline_in(30s)));
    if (!outcome) throw std::runtime_error(outcome.error().detail);
    return std::get<ca::Issued>(*outcome).certificate;
}

inline http::Response get(const http::Router& router, std::string path, http::Headers headers = {}) {
    http::Request request;
    request.method = http::Method::get;
    request.target = path;
    request.path = std::move(path);
    request.headers = std::move(headers);
    request.deadline = core::deadline_in(30s);
    return core::run_to_end(router.handle(std::move(request)));
}

template <class E>
auto says(std::string text) {
    return [text = std::move(text)](const E& e) {
        const bool found = std::string_view(e.what()).find(text) != std::string_view::npos;
        BOOST_TEST(found, "said: " << e.what());
        return found;
    };
}
inline void check_refused(const core::Problem& problem, std::string_view text) {
    BOOST_TEST(problem.detail.find(text) != std::string::npos, "expected \"" << text << "\" in: " << problem.detail);
}

}  // namespace postern::test
