#include <boost/test/unit_test.hpp>

#include "core/crypto/certificate.hpp"
#include "tests/unit/acme/world.hpp"

using namespace postern;
using namespace postern::test;

/// Whatever a client is refused for, the detail it prints names the check and the request that
/// `postern explain` takes.
BOOST_AUTO_TEST_SUITE(acme_refusals)

namespace {

struct Ready {
    World world;
    Client client{world, "open"};
    crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeySpec());
    Ready() { client.register_account(); }
    Answer order(std::string_view more) {
        return client.post(client.url("new-order"), R"({"identifiers":[{"type":"dns","value":"a.example"}])" + std::string(more) + "}");
    }
    Answer ready_order() {
        auto made = client.new_order({"a.example"});
        client.validate(made);
        return made;
    }
    std::string revocation(std::string_view more = {}) {
        const auto issued = client.issue(key, {"a.example"});
        const auto chain = crypto::from_pem("CERTIFICATE", client.post(issued.text("certificate"), "").response.body);
        return R"({"certificate":")" + core::base64url(chain->at(0)) + "\"" + std::string(more) + "}";
    }
    Answer raw(Header header, std::string_view payload = "{}") {
        const auto url = header.url;
        return client.send(url, header, payload);
    }
    void set(std::string_view sql_name, std::string_view sql) {
        const store::Statement statement{sql_name, sql};
        world.write(statement, {});
    }
};

struct Case {
    const char* what;
    const char* check;
    bool audited;  ///< the credential had been judged
    Answer (*run)(Ready&);
};

const Case cases[] = {
    {"no JWS", "request.form", false, [](Ready& w) { return Answer(w.world.send(w.world.post_request("/acme/open/new-order", "x"))); }},
    {"no such endpoint", "request.resource", false, [](Ready& w) { return Answer(w.world.send(w.world.post_request("/acme/none/new-order", "x"))); }},
    {"another URL", "request.url", false,
     [](Ready& w) {
         auto h = w.client.header(w.client.url("new-account"));
         return w.client.send(w.client.url("new-order"), h, "{}");
     }},
    {"an unknown account", "account.known", false,
     [](Ready& w) {
         auto h = w.client.header(w.client.url("new-order"));
         h.kid = w.client.url("account/AAAAAAAAAAAAAAAAAAAAAA");
         return w.raw(h);
     }},
    {"another key's signature", "request.signature", false,
     [](Ready& w) {
         w.client.key = crypto::PrivateKey::generate(crypto::KeySpec());
         return w.order("");
     }},
    {"an algorithm that does not fit", "request.algorithm", false,
     [](Ready& w) {
         auto h = w.client.header(w.client.url("new-order"));
         h.alg = "none";
         return w.raw(h);
     }},
    {"a used nonce", "request.nonce", false,
     [](Ready& w) {
         auto h = w.client.header(w.client.url("new-order"));
         h.nonce = "bm9uZQ";
         return w.raw(h);
     }},
    {"jwk where kid is due", "request.form", false,
     [](Ready& w) {
         auto h = w.client.header(w.client.url("new-order"));
         h.kid.clear();
         h.jwk = w.client.jwk();
         return w.raw(h);
     }},
    {"no account with this key", "account.known", false,
     [](Ready& w) {
         Client other(w.world, "open");
         return other.post(other.url("new-account"), R"({"onlyReturnExisting":true})");
     }},
    {"no binding", "account.binding", false,
     [](Ready& w) {
         Client other(w.world, "bound");
         return other.register_account();
     }},
    {"a wrong MAC", "account.binding", true,
     [](Ready& w) {
         Client other(w.world, "bound");
         return other.register_account(other.binding_payload("kid-web", core::Bytes(32, 1)));
     }},
    {"an unknown key id", "account.binding", false,
     [](Ready& w) {
         Client other(w.world, "bound");
         return other.register_account(other.binding_payload("kid-none", w.world.mac_key));
     }},
    {"an expired key id", "account.binding", true,
     [](Ready& w) {
         Client other(w.world, "bound");
         return other.register_account(other.binding_payload("kid-past", w.world.mac_key));
     }},
    {"terms not agreed to", "account.terms", false,
     [](Ready& w) {
         Client other(w.world, "terms");
         return other.register_account("{}");
     }},
    {"a contact that is none", "account.contact", false,
     [](Ready& w) {
         Client other(w.world, "open");
         return other.register_account(R"({"contact":["mailto:nobody"]})");
     }},
    {"a contact of another scheme", "account.contact", false,
     [](Ready& w) {
         Client other(w.world, "open");
         return other.register_account(R"({"contact":["tel:1"]})");
     }},
    {"a deactivated account", "account.active", true,
     [](Ready& w) {
         w.client.post(w.client.kid, R"({"status":"deactivated"})");
         return w.order("");
     }},
    {"newAccount of a deactivated account", "account.active", true,
     [](Ready& w) {
         w.client.post(w.client.kid, R"({"status":"deactivated"})");
         w.client.kid.clear();
         return w.client.post(w.client.url("new-account"), R"({"onlyReturnExisting":true})");
     }},
    {"a disabled credential", "account.active", true,
     [](Ready& w) {
         w.world.disable_account("everyone");
         return w.order("");
     }},
    {"a disabled endpoint", "endpoint.active", false,
     [](Ready& w) {
         w.set("test_end", "UPDATE endpoint SET status = 'disabled' WHERE name = 'open'");
         w.set("test_version", "UPDATE configuration SET version = version + 1");
         w.world.run(w.world.catalog.refresh());
         return w.order("");
     }},
    {"an order that is no object", "request.form", true, [](Ready& w) { return w.client.post(w.client.url("new-order"), "[]"); }},
    {"a name that is none", "names.form", true, [](Ready& w) { return w.client.new_order({"a..example"}); }},
    {"an identifier of another type", "names.form", true,
     [](Ready& w) { return w.client.post(w.client.url("new-order"), R"({"identifiers":[{"type":"email","value":"a@b.example"}]})"); }},
    {"too many names", "names.count", true, [](Ready& w) { return w.client.new_order({"a.example", "b.example", "c.example", "d.example"}); }},
    {"a profile that is not offered", "profile.allowed", true, [](Ready& w) { return w.order(R"(,"profile":"gold")"); }},
    {"a term that is too long", "profile.term", true, [](Ready& w) { return w.order(R"(,"notAfter":"2030-01-01T00:00:00Z")"); }},
    {"a beginning too far back", "profile.term", true, [](Ready& w) { return w.order(R"(,"notBefore":"2026-01-01T00:00:00Z")"); }},
    {"a disabled organization", "account.organization", true,
     [](Ready& w) {
         w.set("test_org", "INSERT INTO organization (id, tenant_id, name, status, version, body, created_ms, updated_ms, updated_by) "
                           "VALUES (51, 11, 'gone', 'disabled', 1, '{}', 0, 0, 'test')");
         w.set("test_of", "UPDATE account SET organization_id = 51 WHERE name = 'everyone'");
         w.set("test_version", "UPDATE configuration SET version = version + 1");
         w.world.run(w.world.catalog.refresh());
         return w.order("");
     }},
    {"a name outside the scope", "names.scope", true,
     [](Ready& w) {
         Client other(w.world, "bound");
         other.register_account(other.binding_payload("kid-web", w.world.mac_key));
         return other.new_order({"www.other.example"});
     }},
    {"another's order", "request.resource", true,
     [](Ready& w) {
         const auto made = w.client.new_order({"a.example"});
         Client other(w.world, "open");
         other.register_account();
         return other.post(std::string(made.response.header("Location")), "");
     }},
    {"a body where none belongs", "request.form", true,
     [](Ready& w) { return w.client.post(std::string(w.client.new_order({"a.example"}).response.header("Location")), "{}"); }},
    {"a challenge of an expired authorization", "authorization.alive", true,
     [](Ready& w) {
         const auto challenge = w.client.challenge_url(w.client.new_order({"a.example"}).list("authorizations").at(0));
         w.world.clock.advance(std::chrono::hours(24 * 8));
         return w.client.post(challenge, "{}");
     }},
    {"an authorization made what it cannot be", "request.form", true,
     [](Ready& w) { return w.client.post(w.client.new_order({"a.example"}).list("authorizations").at(0), R"({"status":"valid"})"); }},
    {"finalize before its time", "order.state", true,
     [](Ready& w) { return w.client.post(w.client.new_order({"a.example"}).text("finalize"), Client::csr_payload(w.key, {"a.example"})); }},
    {"finalize by another CSR", "order.state", true,
     [](Ready& w) {
         const auto issued = w.client.issue(w.key, {"a.example"});
         return w.client.post(issued.text("finalize"), Client::csr_payload(crypto::PrivateKey::generate(crypto::KeySpec()), {"a.example"}));
     }},
    {"a CSR that is none", "csr.form", true, [](Ready& w) { return w.client.post(w.ready_order().text("finalize"), R"({"csr":"MAA"})"); }},
    {"a finalize without a CSR", "request.form", true, [](Ready& w) { return w.client.post(w.ready_order().text("finalize"), "{}"); }},
    {"the account's key in the CSR", "key.separate", true,
     [](Ready& w) { return w.client.post(w.ready_order().text("finalize"), Client::csr_payload(w.client.key, {"a.example"})); }},
    {"a CSR for other names", "names.agreed", true,
     [](Ready& w) { return w.client.post(w.ready_order().text("finalize"), Client::csr_payload(w.key, {"b.example"})); }},
    {"a certificate that is not ours", "request.resource", true,
     [](Ready& w) { return w.client.post(w.client.url("revoke-cert"), R"({"certificate":"MAA"})"); }},
    {"a reason that is not taken", "revocation.reason", true,
     [](Ready& w) { return w.client.post(w.client.url("revoke-cert"), w.revocation(R"(,"reason":2)")); }},
    {"a revocation by somebody else", "revocation.authority", true,
     [](Ready& w) {
         const auto payload = w.revocation();
         Client other(w.world, "open");
         other.register_account();
         return other.post(other.url("revoke-cert"), payload);
     }},
    {"a second revocation", "revocation.once", true,
     [](Ready& w) {
         const auto payload = w.revocation();
         w.client.post(w.client.url("revoke-cert"), payload);
         return w.client.post(w.client.url("revoke-cert"), payload);
     }},
    {"another method", "request.form", false, [](Ready& w) { return Answer(w.world.get("/acme/open/new-order")); }},
};

constexpr store::Statement refused{"test_refused", "SELECT check_name, detail, request_id FROM audit WHERE outcome = 'refused' ORDER BY id DESC"};

}  // namespace

BOOST_AUTO_TEST_CASE(each_names_its_check_and_its_request) {
    for (const auto& c : cases) BOOST_TEST_CONTEXT(c.what) {
        Ready w;
        const auto answer = c.run(w);
        BOOST_TEST_CONTEXT(answer.response.body) {
            BOOST_TEST(answer.status >= 400U);
            const auto detail = answer.text("detail");
            const auto named = detail.rfind(" [check " + std::string(c.check) + ", request ");
            BOOST_TEST((named != std::string::npos && detail.ends_with("]")));
            const auto records = w.world.read(refused);
            BOOST_TEST(!records.empty() == c.audited);
            if (records.empty() || !c.audited) continue;
            BOOST_TEST(records[0].text(0) == c.check);
            BOOST_TEST(records[0].text(1).find("\"trace\":[{") != std::string::npos);
            BOOST_TEST(records[0].text(1).find("\"verdict\":\"refuse\"") != std::string::npos);
            BOOST_TEST(detail.find(records[0].text(2)) != std::string::npos);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
