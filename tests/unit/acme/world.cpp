#include "tests/unit/acme/world.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>
#include <stdlib.h>

#include "core/async/deadline.hpp"
#include "store/sqlite/open.hpp"
#include "store/tables/objects.hpp"

namespace postern::test {

core::Task<validation::Finding> FakeValidator::validate(validation::Question question, core::Deadline) {
    asked.push_back(question);
    while (held) co_await core::sleep_for(std::chrono::milliseconds(1));
    validation::Finding finding;
    finding.steps.push_back("asked for " + question.identifier);
    if (!steps.empty()) finding.steps = steps;
    if (const auto failure = failures.find(question.identifier); failure != failures.end()) finding.verdict = failure->second;
    finding.passing = !finding.verdict && passing;
    co_return finding;
}

core::Task<validation::Finding> FakeCaa::check(validation::CaaQuestion question, core::Deadline) {
    asked.push_back(question);
    validation::Finding finding;
    finding.steps.push_back("CAA of " + question.name + ", says this test");
    if (const auto failure = failures.find(question.name); failure != failures.end()) finding.verdict = failure->second;
    finding.passing = !finding.verdict && finding.verdict.error().kind != core::ProblemKind::caa;
    co_return finding;
}

TestFolder::TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "postern-acme-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path = pattern;
    std::filesystem::create_directory(path / "keys");
    std::filesystem::permissions(path / "keys", std::filesystem::perms::owner_all);
}

TestFolder::~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
}

World::World()
    : log(observe::Level::error, (folder.path / "log").string(), true),
      db(store::open_sqlite((folder.path / "postern.db").string(), clock, metrics)),
      numbers(*db),
      sealer(core::SecretBytes(core::Bytes(32, 7)), random),
      tasks([this](std::string_view what) { faults.emplace_back(what); }),
      catalog(*db, log),
      outbox(ra::Outbox::Deps{*db, clock, log, metrics, tasks, "node"}, ra::Senders()),
      nonces(random) {
    fill_catalog();
    run(catalog.refresh());
    ca::BuiltinConfig config;
    config.keys_folder = (folder.path / "keys").string();
    config.public_http = "http://acme.test:8080";
    ca::BuiltinCa::Deps deps{*db, pool, tasks, io.get_executor(), sealer, random, clock, log, metrics};
    builtin = run(ca::BuiltinCa::open(deps, config, (folder.path / "root.pem").string()));
    builtin->start();
    backends.add("builtin", *builtin);
    clock_agreement.emplace(ra::ClockAgreement::Deps{*db, numbers, clock, log, metrics});
    stranger_refusals.emplace(ra::Refusals::Deps{*db, numbers, clock, log, metrics});
    enrollment.emplace(ra::Enrollment::Deps{*db, numbers, catalog, backends, random, clock, log, metrics, gate, *clock_agreement, outbox, lives, *stranger_refusals, "node", nullptr, &caa, &tasks});
    revocation.emplace(ra::Revocation::Deps{*db, numbers, backends, clock});
    serve({});
}

void World::serve(std::vector<std::chrono::milliseconds> retries, bool several_nodes) {
    router = http::Router();
    acme.emplace(acme::Deps{*db, numbers, catalog, *enrollment, *revocation, backends, validator, caa, sealer, nonces, tasks,
                            random, clock, *clock_agreement, log, metrics, std::string(base), std::move(retries), several_nodes});
    acme->add_routes(router);
}

void World::set_profile(std::string_view body) {
    static constexpr store::Statement change{"test_profile", "UPDATE profile SET body = $1, version = version + 1 WHERE name = 'server'"};
    write(change, store::values(body));
    static constexpr store::Statement version{"test_configuration", "UPDATE configuration SET version = version + 1"};
    write(version, {});
    run(catalog.refresh());
}

World::~World() {
    validator.held = false;
    tasks.close();
    tasks.cancel();
    static_cast<void>(run(tasks.drained(core::deadline_in(std::chrono::seconds(10)))));
    db->close();
}

void World::run(core::Task<void> task) {
    std::exception_ptr failure;
    bool done = false;
    boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e) {
        failure = e;
        done = true;
    });
    while (!done) io.run_one();
    if (failure) std::rethrow_exception(failure);
}

void World::write(const store::Statement& statement, store::Values values) {
    store::Batch batch;
    batch.add(statement, std::move(values));
    run(db->write(std::move(batch))).value();
}

void World::fill_catalog() {
    const auto now = clock.now();
    constexpr int tenant = 11, profile = 21, short_profile = 22, open = 31, bound = 32, terms = 33;
    write(store::tenant_insert, store::values(tenant, tenant, "acme", "active", 1, "{}", now, now, "test"));
    write(store::profile_insert, store::values(profile, tenant, "server", "active", 1, R"({"description":"Web servers","names_limit":3})",
                                               now, now, "test"));
    write(store::profile_insert, store::values(short_profile, tenant, "short", "active", 1, R"({"lifetime":"7d"})", now, now, "test"));
    const auto endpoint = [&](int id, std::string_view name, std::string_view body) {
        write(store::endpoint_insert, store::values(id, tenant, name, "active", 1, body, now, now, "test", "acme"));
    };
    endpoint(open, "open", R"({"profiles":["server","short"],"external_account_required":false})");
    endpoint(bound, "bound", R"({"profiles":["server","short"]})");
    endpoint(terms, "terms", R"({"profiles":["server"],"external_account_required":false,"terms_of_service":"https://acme.test/terms"})");
    const auto open_account = [&](int id, std::string_view name, int at) {
        write(store::account_insert, store::values(id, tenant, name, "active", 1, R"({"names":["*"]})", now, now, "test", at,
                                                   nullptr, nullptr, "open", nullptr, nullptr));
    };
    open_account(41, "everyone", open);
    open_account(42, "terms-everyone", terms);
    const auto eab = [&](int id, std::string_view name, std::string_view key_id, std::string_view body, core::BytesView secret) {
        const auto sealed = sealer.seal(ra::account_secret_label, ra::account_secret_context(core::AccountId(id)), secret);
        write(store::account_insert, store::values(id, tenant, name, "active", 1, body, now, now, "test", bound, nullptr, nullptr,
                                                   "eab", key_id, sealed));
    };
    eab(43, "web", "kid-web", R"({"names":[".corp.example","corp.example"],"profiles":["short"]})", mac_key);
    eab(46, "preauthorized", "kid-preauthorized", R"({"names":[".corp.example","corp.example","web.example",".web.example"],"challenges":"preauthorized"})", mac_key);
    eab(47, "trusted", "kid-trusted", R"({"names":["inside.example",".inside.example"],"challenges":"none"})", mac_key);
    const auto domain = [&](int id, std::string_view name, std::string_view body) {
        write(store::domain_insert, store::values(id, tenant, name, "active", 1, body, now, now, "test", nullptr));
    };
    domain(51, "corp.example", R"({"proven_by":"dns","proven_until":"2027-06-01T00:00:00Z"})");
    domain(52, "web.example", R"({"proven_by":"http","proven_until":"2027-06-01T00:00:00Z"})");
    eab(45, "once", "kid-once", R"({"names":["*"],"single_use":true})", mac_key);
    eab(44, "past", "kid-past", R"({"names":["*"],"expires":"2020-01-01T00:00:00Z"})", mac_key);
}

void World::disable_account(std::string_view name) {
    static constexpr store::Statement disable{"test_disable", "UPDATE account SET status = 'disabled' WHERE name = $1"};
    write(disable, store::values(name));
}

http::Response World::get(std::string_view target, http::Method method) {
    http::Request r;
    r.method = method;
    r.target = r.path = std::string(target);
    r.id = random.request_id();
    return send(std::move(r));
}

http::Request World::post_request(std::string_view target, std::string body) const {
    http::Request r;
    r.method = http::Method::post;
    r.target = std::string(target);
    r.path = r.target.substr(0, r.target.find('?'));
    if (r.path.size() < r.target.size()) r.query = r.target.substr(r.path.size() + 1);
    r.headers.emplace_back("Content-Type", "application/jose+json");
    r.body = std::move(body);
    r.id = core::RequestId("testrequest00000");
    return r;
}

std::string World::nonce() { return run(nonces.issue()); }

Answer::Answer(http::Response r) : response(std::move(r)), status(response.status) {
    auto parsed = json::Document::parse(response.body);
    if (parsed) document.emplace(std::move(*parsed));
}

std::string Answer::text(std::string_view member) const {
    if (!document) return {};
    const auto value = document->root()[member].string();
    return value ? std::string(*value) : std::string();
}

std::string Answer::type() const {
    constexpr std::string_view urn = "urn:ietf:params:acme:error:";
    const auto whole = text("type");
    return whole.starts_with(urn) ? whole.substr(urn.size()) : whole;
}

std::vector<std::string> Answer::list(std::string_view member) const {
    std::vector<std::string> out;
    if (document)
        for (const auto& item : document->root()[member].items()) out.emplace_back(item.string().value());
    return out;
}

Client::Client(World& w, std::string e, crypto::KeySpec spec)
    : world(w), endpoint(std::move(e)), key(crypto::PrivateKey::generate(spec)) {}

Header Client::header(const std::string& to_url) {
    Header h;
    h.alg = jose_name(key);
    if (kid.empty()) h.jwk = jwk();
    h.kid = kid;
    h.nonce = world.nonce();
    h.url = to_url;
    return h;
}

http::Request Client::request(const std::string& to_url, std::string_view payload) {
    return world.post_request(to_url.substr(base.size()), sign_jws(key, header(to_url), payload));
}

Answer Client::post(const std::string& to_url, std::string_view payload) {
    return Answer(world.send(request(to_url, payload)));
}

Answer Client::send(const std::string& to_url, const Header& h, std::string_view payload) {
    return Answer(world.send(world.post_request(to_url.substr(base.size()), sign_jws(key, h, payload))));
}

Answer Client::register_account(std::string_view payload) {
    auto answer = post(url("new-account"), payload);
    if (answer.status == 201 || answer.status == 200) kid = answer.response.header("Location");
    return answer;
}

std::string Client::binding_payload(std::string_view key_id, core::BytesView mac_key) const {
    Header inner;
    inner.alg = "HS256";
    inner.kid = key_id;
    inner.url = url("new-account");
    return R"({"externalAccountBinding":)" + bind_account(crypto::HmacHash::sha256, mac_key, inner, jwk()) + "}";
}

Answer Client::new_order(const std::vector<std::string>& names, std::string_view more) {
    json::Writer w;
    w.begin_object().key("identifiers").begin_array();
    for (const auto& name : names) w.begin_object().member("type", "dns").member("value", name).end_object();
    w.end_array().end_object();
    std::string payload = w.take();
    if (!more.empty()) payload.insert(payload.size() - 1, "," + std::string(more));
    return post(url("new-order"), payload);
}

std::string Client::challenge_url(const std::string& authorization_url) {
    const auto authorization = post(authorization_url, "");
    return std::string(authorization.document->root()["challenges"].items().at(0)["url"].string().value());
}

void Client::validate(const Answer& order) {
    for (const auto& authorization : order.list("authorizations")) post(challenge_url(authorization), "{}");
}

std::string Client::csr_payload(const crypto::PrivateKey& key, const std::vector<std::string>& names) {
    std::vector<crypto::GeneralName> list;
    for (const auto& name : names) list.emplace_back(crypto::GeneralNameType::dns, name);
    return R"({"csr":")" + core::base64url(crypto::make_csr(key, crypto::DistinguishedName(), list)) + "\"}";
}

Answer Client::issue(const crypto::PrivateKey& certificate_key, const std::vector<std::string>& names) {
    const auto order = new_order(names);
    validate(order);
    return post(order.text("finalize"), csr_payload(certificate_key, names));
}

void check_refused(const Answer& answer, unsigned status, std::string_view type, std::string_view detail_part) {
    BOOST_TEST_CONTEXT(answer.response.body) {
        BOOST_TEST(answer.status == status);
        BOOST_TEST(answer.type() == type);
        BOOST_TEST((answer.text("detail").find(detail_part) != std::string::npos));
        BOOST_TEST(answer.response.header("Content-Type") == "application/problem+json");
        BOOST_TEST(!answer.response.header("Replay-Nonce").empty());
    }
}

}  // namespace postern::test
