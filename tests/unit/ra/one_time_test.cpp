#include "ra/binding_text.hpp"
#include "ra/restoration.hpp"
#include "store/tables/scep_challenge.hpp"
#include "tests/unit/ra/foreign_world.hpp"

/// Challenges that principals mint.
BOOST_AUTO_TEST_SUITE(one_time_challenges)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

std::string documents_with_phones() {
    return std::string(standard_documents) + R"(
[[profile]]
name = "phone"
lifetime = "30d"
backend = "scripted"
extended_key_usage = ["clientAuth"]
common_name = "text"

[[endpoint]]
name = "phones"
protocol = "scep"
ra = "builtin"
profiles = ["phone"]

[[account]]
name = "mdm"
endpoint = "phones"
organization = "acme"
method = "one_time"
unbound = true
outstanding = 3
names = ["corp.example", ".corp.example"]
common_names = ["phone-*"]
)";
}

struct Phones : World {
    explicit Phones(const std::string& engine) : World(false, store_of(engine)) {
        static_cast<void>(apply(documents_with_phones()).value());
        endpoint = catalog.current()->endpoint(ra::Protocol::scep, "phones")->id;
    }
    static ra::ChallengeWish wish(std::string name = "phone-7") {
        ra::ChallengeWish out;
        out.endpoint = "phones";
        out.subject.emplace_back(crypto::DnAttribute::common_name, std::move(name));
        return out;
    }
    static ra::ChallengeWish unbound() {
        ra::ChallengeWish out;
        out.endpoint = "phones";
        out.unbound = true;
        return out;
    }
    core::Result<ra::MintedChallenge> mint(ra::ChallengeWish wish, ra::Principal by = administrator()) {
        return run(challenges.mint(std::move(wish), std::move(by), core::RequestId("mintrequest00000")));
    }
    core::Result<ra::MintedBatch> mint_all(std::vector<ra::ChallengeWish> wishes) {
        return run(challenges.mint_all(std::move(wishes), administrator(), core::RequestId("mintrequest00000")));
    }
    /// How many there are.
    std::size_t minted() { return run(challenges.list(ra::Protocol::scep, "phones", administrator(), 0, 1000)).value().size(); }
    std::optional<ra::PresentedChallenge> find(const std::string& text, core::Bytes key = core::Bytes(32, 1)) {
        return run(ra::find_one_time_challenge(db, sealer, endpoint, text, std::move(key), clock.now()));
    }
    /// As the front end asks.
    ra::EnrollmentRequest message(ra::PresentedChallenge found, const crypto::PrivateKey& key) {
        ra::EnrollmentRequest r;
        r.id = random.request_id();
        r.via = ra::Protocol::scep;
        r.endpoint = endpoint;
        r.account = found.account.id;
        r.requester = r.attempt = "T1";
        r.repeated_for = 1h;
        r.evidence.push_back(ra::Evidence::of(ra::Evidence::Kind::challenge, found.row.token, clock.now()));
        crypto::DistinguishedName subject;
        subject.entries.emplace_back(crypto::DnAttribute::common_name, "phone-7");
        r.csr = crypto::Csr::parse(crypto::make_csr(key, subject, {})).value();
        r.single_use = std::move(found.use);
        r.binding = std::move(found.binding);
        r.profile = found.row.profile;
        const auto id = found.row.id;
        r.claim = [id](store::Batch& batch, core::EnrollmentId) { batch.add(store::scep_challenge_guard, store::values(id)); };
        r.deadline = core::deadline_in(30s);
        return r;
    }
    core::Bytes key_digest() const {
        const auto spki = leaf_key.public_key().spki_sha256();
        return {spki.begin(), spki.end()};
    }
    core::EndpointId endpoint;
};

core::Task<void> withdraw(ra::OneTimeChallenges& challenges, std::string token) {
    auto by = administrator();
    core::RequestId id("withdrawrequest0");
    const auto done = co_await challenges.withdraw(ra::Protocol::scep, "phones", std::move(token), std::move(by), std::move(id));
    BOOST_TEST(done.has_value());
}
std::function<core::Task<void>()> withdrawing(ra::OneTimeChallenges& challenges, std::string token) {
    return [&challenges, token] { return withdraw(challenges, token); };
}

std::string subject_text(std::string_view text) {
    const auto entries = ra::subject_from_text(text);
    return entries ? ra::to_stored(*entries) : entries.error().detail;
}
std::string name_text(std::string_view text) {
    const auto name = ra::name_from_text(text);
    if (!name) return name.error().detail;
    std::vector<crypto::GeneralName> list;
    list.push_back(*name);
    return ra::to_stored(list);
}

}  // namespace

BOOST_AUTO_TEST_CASE(subjects_and_names_are_read_as_people_write_them) {
    BOOST_TEST(subject_text("") == "[]");
    BOOST_TEST(subject_text("CN=phone-7") == R"(["CN=phone-7"])");
    BOOST_TEST(subject_text(" cn = phone 7 , O=Example\\, Inc. ,OU=a=b ") == R"(["CN=phone 7","O=Example, Inc.","OU=a=b"])");
    BOOST_TEST(subject_text("1.2.3.4=x,serialNumber=7,E=a@b") == R"(["1.2.3.4=x","serialNumber=7","E=a@b"])");
    BOOST_TEST(subject_text("CN=a\\ ") == R"(["CN=a "])");
    for (const auto* bad : {"phone-7", "CN=", "X=1", "CN=a+O=b", "CN=a\\", "CN=a,", ",", "CN=a,,O=b"}) BOOST_TEST(subject_text(bad).starts_with("subject: "), bad);
    BOOST_TEST(subject_text("CN=" + std::string(257, 'x')).starts_with("subject: "));
    BOOST_TEST(name_text("dns:Phone.Corp.Example") == R"(["dns:phone.corp.example"])");
    BOOST_TEST(name_text("ip:2001:DB8::0:7") == R"(["ip:2001:db8::7"])");
    BOOST_TEST(name_text("email:a@corp.example") == R"(["email:a@corp.example"])");
    BOOST_TEST(name_text("upn:jane@corp.example") == R"(["upn:jane@corp.example"])");
    BOOST_TEST(name_text("uri:https://corp.example/7") == R"(["uri:https://corp.example/7"])");
    for (const auto* bad : {"", "phone", "dns:", "dns:-a", "ip:1.2.3", "uri:a b", "upn:", "other:x"}) BOOST_TEST(name_text(bad).starts_with("names: "), bad);
    // What is stored comes back.
    const auto entries = ra::subject_from_text("CN=phone 7,O=Example\\, Inc.").value();
    BOOST_TEST(ra::to_stored(ra::subject_from_stored(ra::to_stored(entries))) == ra::to_stored(entries));
}

BOOST_DATA_TEST_CASE(a_batch_is_minted_whole_or_not_at_all, engines(), engine) {
    Phones w(engine);
    auto foreign = Phones::wish("phone-3"), of_no_key = Phones::wish("phone-5"), nobody = Phones::wish("phone-6");
    foreign.names.emplace_back(crypto::GeneralNameType::dns, "www.elsewhere.example");
    of_no_key.key = crypto::KeySpec::from("ed25519");
    nobody.subject.clear();
    const auto refused = w.mint_all({Phones::wish("phone-1"), Phones::wish("tablet-2"), foreign, Phones::wish("phone-1"), of_no_key, nobody}).value();
    BOOST_TEST(refused.minted.empty());
    BOOST_TEST_REQUIRE(refused.refused.size() == 5U);
    const std::pair<std::size_t, std::string_view> why[] = {{1, "the common name is none that account mdm may ask for"}, {2, "www.elsewhere.example"}, {3, "those of device 1 of the batch"},
                                                            {4, "profile phone takes no key of type ed25519"}, {5, "say which subject and names"}};
    for (std::size_t at = 0; at < std::size(why); ++at) {
        BOOST_TEST(refused.refused[at].index == why[at].first);
        BOOST_TEST(contains(refused.refused[at].why.detail, why[at].second), refused.refused[at].why.detail);
    }
    BOOST_TEST(w.minted() == 0U);
    BOOST_TEST((w.mint_all({}).error().kind == ProblemKind::malformed));
    BOOST_TEST((w.mint_all(std::vector<ra::ChallengeWish>(ra::OneTimeChallenges::most_at_once + 1, Phones::wish())).error().kind == ProblemKind::malformed));
    const auto good = w.mint_all({Phones::wish("phone-1"), Phones::wish("phone-2")}).value();
    BOOST_TEST_REQUIRE((good.refused.empty() && good.minted.size() == 2U));
    BOOST_TEST(w.minted() == 2U);
    BOOST_TEST(good.minted[0].text.expose() != good.minted[1].text.expose());
    for (std::size_t at = 0; at < 2; ++at)
        BOOST_TEST(ra::to_stored(w.find(good.minted[at].text.expose()).value().binding.subject.value()) == "[\"CN=phone-" + std::to_string(at + 1) + "\"]");
    BOOST_TEST(w.audits("challenge.minted").size() == 2U);
}

BOOST_DATA_TEST_CASE(one_is_found_by_its_text_at_its_endpoint, engines(), engine) {
    Phones w(engine);
    auto wish = Phones::wish();
    wish.names.emplace_back(crypto::GeneralNameType::dns, "phone-7.corp.example");
    wish.key = crypto::KeySpec::from("rsa-2048");
    wish.lifetime = 1h;
    const auto minted = w.mint(std::move(wish)).value();
    BOOST_TEST((minted.account == "default/mdm" && minted.profile == "phone" && minted.expires == w.clock.now() + 1h && minted.text.expose().size() == 32U));
    const auto found = w.find(minted.text.expose());
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST((found->row.token == minted.token && found->account.name == "mdm" && !found->binding.ended && found->binding.key->to_string() == "rsa-2048"));
    BOOST_TEST((found->binding.subject->size() == 1U && found->binding.names->size() == 1U && found->use.kept_until > minted.expires));
    BOOST_TEST(!w.find("00000000000000000000000000000000"));
    BOOST_TEST(!w.find(""));
    const auto other = w.run(ra::find_one_time_challenge(w.db, w.sealer, core::EndpointId(99), minted.text.expose(), core::Bytes(32, 1), w.clock.now()));
    BOOST_TEST(!other);
    const auto audits = w.audits("challenge.minted");
    BOOST_TEST_REQUIRE(audits.size() == 1U);
    BOOST_TEST((audits[0].text(5) == minted.token && audits[0].text(6) == "local" && contains(audits[0].text(3), "CN=phone-7")));
    BOOST_TEST(!contains(audits[0].text(3), minted.text.expose()));
}

BOOST_DATA_TEST_CASE(what_is_over_is_refused_by_policy_and_recorded, engines(), engine) {
    Phones w(engine);
    const auto minted = w.mint(Phones::wish()).value();
    const auto text = minted.text.expose();
    w.clock.advance(16min);
    const auto outcome = w.submit(w.message(*w.find(text), w.leaf_key));
    BOOST_TEST_REQUIRE(!outcome.has_value());
    check_problem(outcome.error(), ProblemKind::forbidden, "challenge.valid", "expired at ");
    BOOST_TEST(w.audits("enrollment.refused").size() == 1U);
    // What was issued in time is repeated after the challenge's end, to the same key alone.
    const auto second = w.mint(Phones::wish()).value();
    BOOST_TEST(w.submit(w.message(*w.find(second.text.expose()), w.leaf_key)).has_value());
    w.clock.advance(30min);
    BOOST_TEST(!w.find(second.text.expose(), w.key_digest())->binding.ended);
    BOOST_TEST(w.submit(w.message(*w.find(second.text.expose(), w.key_digest()), w.leaf_key)).has_value());
    BOOST_TEST(w.find(second.text.expose())->binding.ended.has_value());
    BOOST_TEST(w.certificates().size() == 1U);
    // An account that takes no unbound ones any more.
    const auto loose = w.mint(Phones::unbound()).value();
    BOOST_TEST(!w.find(loose.text.expose())->binding.ended);
    auto strict = documents_with_phones();
    strict.replace(strict.find("unbound = true\noutstanding = 3\n"), 31, "");
    static_cast<void>(w.apply(strict).value());
    BOOST_TEST(w.find(loose.text.expose())->binding.ended.has_value());
    w.clock.advance(24h * 8);
    w.run(w.sweeper.round());
    BOOST_TEST(!w.find(text));  // forgotten
}

BOOST_DATA_TEST_CASE(one_that_is_withdrawn_while_it_is_judged_issues_nothing, engines(), engine) {
    Phones w(engine);
    const auto minted = w.mint(Phones::wish()).value();
    auto request = w.message(*w.find(minted.text.expose()), w.leaf_key);
    w.db.hook_at = &store::enrollment_insert;
    w.db.hook = withdrawing(w.challenges, minted.token);
    check_refused(w.submit(std::move(request)), ProblemKind::conflict, "somebody else finished this first");
    BOOST_TEST(w.certificates().empty());
    const auto late = w.submit(w.message(*w.find(minted.text.expose()), w.leaf_key));
    BOOST_TEST_REQUIRE(!late.has_value());
    check_problem(late.error(), ProblemKind::forbidden, "challenge.valid", "withdrawn");
    BOOST_TEST(w.audits("challenge.withdrawn").size() == 1U);
}

BOOST_DATA_TEST_CASE(few_unbound_ones_wait_at_one_time_however_many_are_asked_for, engines(), engine) {
    Phones w(engine);
    boost::asio::io_context io;
    std::vector<std::string> texts;
    int full = 0, others = 0;
    for (int i = 0; i < 12; ++i)
        boost::asio::co_spawn(io, w.challenges.mint(Phones::unbound(), administrator(), core::RequestId("r")), [&](std::exception_ptr e, core::Result<ra::MintedChallenge> r) {
            if (!e && r) texts.push_back(r->text.expose());
            else if (!e && r.error().check == "challenge.outstanding") ++full;
            else ++others;
        });
    io.run();
    BOOST_TEST((texts.size() == 3U && full == 9 && others == 0));
    BOOST_TEST(w.submit(w.message(*w.find(texts.at(0)), w.leaf_key)).has_value());  // one is used: there is room for one
    BOOST_TEST(w.mint(Phones::unbound()).has_value());
    check_refused(w.mint(Phones::unbound()), ProblemKind::rate_limited, "3 unbound challenges");
    BOOST_TEST(w.mint(Phones::wish()).has_value());  // those for a device do not count
    w.clock.advance(16min);
    BOOST_TEST(w.mint(Phones::unbound()).has_value());
}

/// Whether one was used after the backup, nobody knows any more: two devices could have a certificate by it.
BOOST_DATA_TEST_CASE(a_restored_store_takes_none_of_before, engines(), engine) {
    Phones w(engine);
    const auto open = w.mint(Phones::wish()).value(), used = w.mint(Phones::wish()).value();
    const auto first = w.submit(w.message(*w.find(used.text.expose()), w.leaf_key)).value();
    store::Batch batch;
    w.run(ra::close_restored(w.db, w.numbers, batch, w.clock.now() - 1h, w.clock.now()));
    BOOST_TEST(w.run(w.db.write(std::move(batch))).has_value());
    BOOST_TEST(w.find(open.text.expose())->binding.ended.value() == "the challenge was withdrawn");
    check_refused(w.submit(w.message(*w.find(open.text.expose()), w.leaf_key)), ProblemKind::forbidden, "the challenge was withdrawn");
    // A lost answer is repeated.
    const auto again = w.submit(w.message(*w.find(used.text.expose(), w.key_digest()), w.leaf_key)).value();
    BOOST_TEST((std::get<ra::IssuedCertificate>(again).der == std::get<ra::IssuedCertificate>(first).der));
    BOOST_TEST(w.certificates().size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_every_device_would_be_refused_is_not_minted) {
    Phones w("sqlite");
    using crypto::GeneralNameType;
    const auto asks = [&](GeneralNameType type, std::string value) {
        auto wish = Phones::wish();
        wish.names.emplace_back(type, std::move(value));
        return w.mint(std::move(wish));
    };
    check_refused(asks(GeneralNameType::email, "jane@corp.example"), ProblemKind::rejected_identifier, "the profile certifies no e-mail addresses");
    check_refused(asks(GeneralNameType::upn, "jane@corp.example"), ProblemKind::rejected_identifier, "the profile certifies no principal names");
    check_refused(asks(GeneralNameType::uri, "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500"), ProblemKind::bad_csr, "a security identifier of Windows");
    auto documents = documents_with_phones();
    documents.replace(documents.find("common_name = \"text\""), 20, "common_name = \"text\"\nemail_names = true");
    documents += "emails = [\"*@corp.example\"]\n";
    static_cast<void>(w.apply(documents).value());
    check_refused(asks(GeneralNameType::email, "jane@other.example"), ProblemKind::rejected_identifier, "outside the scope of account mdm");
    check_refused(asks(GeneralNameType::email, "jane"), ProblemKind::malformed, "is no mailbox");
    BOOST_TEST(asks(GeneralNameType::email, "Jane@Corp.example").has_value());
}

BOOST_AUTO_TEST_CASE(another_tenant_is_as_absent_as_none) {
    Phones w("sqlite");
    const auto other = tenant_administrator(core::TenantId(99));
    check_refused(w.mint(Phones::wish(), other), ProblemKind::not_found, "there is no SCEP endpoint phones");
    const auto minted = w.mint(Phones::wish()).value();
    const auto withdrawn = w.run(w.challenges.withdraw(ra::Protocol::scep, "phones", minted.token, other, core::RequestId("r")));
    check_refused(withdrawn, ProblemKind::not_found, "there is no SCEP endpoint phones");
    BOOST_TEST(!w.run(w.challenges.list(ra::Protocol::scep, "phones", other, 0, 10)));
    BOOST_TEST(w.run(w.challenges.list(ra::Protocol::scep, "phones", administrator(), 0, 10))->size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
