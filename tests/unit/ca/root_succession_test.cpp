#include <algorithm>

#include "core/crypto/revocation_list.hpp"
#include "store/tables/authority.hpp"
#include "tests/unit/ca/support.hpp"

BOOST_AUTO_TEST_SUITE(ca_root_succession)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;
using crypto::Certificate;

namespace {

constexpr store::Statement never_happens{"never_happens", "UPDATE authority SET crl_number = crl_number WHERE key_id = 'nobody'"};
constexpr store::Statement swap_crossed{"swap_crossed", "UPDATE cross_certificate SET certificate = $1 WHERE subject_id = $2"};
constexpr store::Statement forget_issuing{"forget_issuing", "UPDATE authority SET issuer_id = key_id WHERE kind = 'issuing' AND key_id <> $1"};

Certificate parsed(const core::Bytes& der) { return Certificate::parse(der).value(); }
std::string id_of(const core::Bytes& der) { return core::hex(parsed(der).subject_key_id()); }

struct RootRollover : World {
    std::unique_ptr<ca::BuiltinCa> ca = started();
    core::Bytes old_root = ca->root_der();
    std::string old_issuing = ca->issuer();

    core::Result<ca::Rollover> prepare(std::chrono::milliseconds in, ca::BuiltinCa* at = nullptr, bool misses = false) {
        std::function<void(store::Batch&, const ca::Rollover&)> more = [misses](store::Batch& batch, const ca::Rollover&) {
            if (misses) batch.add(never_happens, {});
        };
        return core::run_to_end((at ? at : ca.get())->prepare_successor(clock.now() + in, ca::NewRoot::yes, std::move(more)));
    }
    core::Result<ca::Rollover> prepare_issuing(std::chrono::milliseconds in) {
        std::function<void(store::Batch&, const ca::Rollover&)> more = [](store::Batch&, const ca::Rollover&) {};
        return core::run_to_end(ca->prepare_successor(clock.now() + in, ca::NewRoot::no, std::move(more)));
    }
    core::Result<ca::Rollover> withdraw(ca::BuiltinCa* at = nullptr) {
        std::function<void(store::Batch&, const ca::Rollover&)> more = [](store::Batch&, const ca::Rollover&) {};
        return core::run_to_end((at ? at : ca.get())->withdraw_successor(std::move(more)));
    }
    core::Bytes leaf(const std::string& wanted = {}) {
        auto content = content_at(clock.now(), leaf_key());
        content.issuer_key_id = wanted;
        return issue(*ca, content);
    }
    std::string issuer_of(const core::Bytes& der) { return core::hex(parsed(der).authority_key_id()); }
    std::vector<std::string> roles() const {
        std::vector<std::string> out;
        for (const auto& each : ca->known()) out.push_back(each.role);
        return out;
    }
    std::string pem(const std::string& name, const std::vector<core::Bytes>& certificates) {
        std::string text;
        for (const auto& der : certificates) text += crypto::to_pem("CERTIFICATE", der);
        return write_file(folder.file(name), text);
    }
    /// What openssl says of a path from `der` over `way` to `anchor`.
    Said verify(const core::Bytes& der, const core::Bytes& anchor, const std::vector<core::Bytes>& way) {
        return run("openssl verify -x509_strict -no-CApath -no-CAstore" + at_time() + "-CAfile " + pem("anchor.pem", {anchor}) + " -untrusted " + pem("way.pem", way) + " " + pem("leaf.pem", {der}));
    }
    /// NewWithOld, then OldWithNew.
    std::pair<core::Bytes, core::Bytes> crossed() const {
        const auto all = ca->crossed();
        if (all.size() != 2) throw std::runtime_error("there are " + std::to_string(all.size()) + " cross certificates");
        return {all[0], all[1]};
    }
    bool listed(const core::Bytes& root, const core::Bytes& certificate) {
        const auto crl = ca->crl(id_of(root), {});
        if (!crl) return false;
        const auto list = crypto::RevocationList::parse(*crl).value();
        return std::ranges::any_of(list.entries(), [&](const auto& entry) { return entry.serial == parsed(certificate).serial(); });
    }
    std::size_t rows(const store::Statement& all) { return read(all).size(); }
};

bool has(const std::vector<core::Bytes>& list, const core::Bytes& der) { return std::ranges::find(list, der) != list.end(); }

}  // namespace

BOOST_FIXTURE_TEST_CASE(it_waits_and_then_takes_over_with_its_issuing_ca, RootRollover) {
    BOOST_TEST((roles() == std::vector<std::string>{"root", "issuing"}));
    const auto made = prepare(24h * 30).value();
    const auto new_root = made.successor.chain.at(1);
    BOOST_TEST(made.new_root == id_of(new_root));
    BOOST_TEST(made.new_root != id_of(old_root));
    BOOST_TEST((roles() == std::vector<std::string>{"root", "next_root", "issuing", "successor"}));
    // Nothing changes for who does not ask for it.
    BOOST_TEST((ca->root_der() == old_root));
    BOOST_TEST(issuer_of(leaf()) == old_issuing);
    BOOST_TEST(issuer_of(leaf(made.successor.key_id)) == made.successor.key_id);
    BOOST_TEST(!ca->under_former_root(old_issuing));
    BOOST_TEST(!ca->under_former_root(made.successor.key_id));

    clock.advance(24h * 30);
    BOOST_TEST((roles() == std::vector<std::string>{"root", "former_root", "former", "issuing"}));
    BOOST_TEST((ca->root_der() == new_root));
    BOOST_TEST(issuer_of(leaf()) == made.successor.key_id);
    BOOST_TEST(ca->under_former_root(old_issuing));
    BOOST_TEST(!ca->under_former_root(made.successor.key_id));
    BOOST_TEST(!ca->under_former_root("0badcafe"));
    // root.pem follows, once.
    core::run_to_end(ca->follow());
    BOOST_TEST(read_file(folder.file("root.pem")) == crypto::to_pem("CERTIFICATE", new_root));
    // The next one of its own root, then the third root.
    BOOST_TEST(parsed(prepare_issuing(24h).value().successor.chain[1]).subject().to_text() == "CN=Postern Root CA 2,O=Postern");
    clock.advance(24h);
    const auto third = prepare(24h).value();
    BOOST_TEST(parsed(third.successor.chain[1]).subject().to_text() == "CN=Postern Root CA 3,O=Postern");
    BOOST_TEST((roles() == std::vector<std::string>{"root", "former_root", "next_root", "former", "former", "issuing", "successor"}));
}

BOOST_FIXTURE_TEST_CASE(roots_say_of_each_other_what_rfc_4210_asks, RootRollover) {
    clock.advance(24h * 100);
    const auto made = prepare(24h * 30).value();
    const auto old_one = parsed(old_root), new_one = parsed(made.successor.chain[1]);
    BOOST_TEST(new_one.subject().to_text() == "CN=Postern Root CA 2,O=Postern");
    BOOST_TEST((new_one.not_before() == clock.now() - 24h));
    BOOST_TEST((new_one.not_after() == clock.now() + 24h * 30 + config().root_lifetime - 1s));
    BOOST_TEST((new_one.issuer_der() == new_one.subject_der()));
    const auto [first, second] = crossed();
    const auto new_with_old = parsed(first), old_with_new = parsed(second);

    BOOST_TEST((new_with_old.spki() == new_one.spki() && new_with_old.subject_der() == new_one.subject_der()));
    BOOST_TEST((new_with_old.issuer_der() == old_one.subject_der()));
    BOOST_TEST((new_with_old.subject_key_id() == new_one.subject_key_id() && new_with_old.authority_key_id() == old_one.subject_key_id()));
    BOOST_TEST((new_with_old.not_before() == new_one.not_before() && new_with_old.not_after() == old_one.not_after()));

    BOOST_TEST((old_with_new.spki() == old_one.spki() && old_with_new.subject_der() == old_one.subject_der()));
    BOOST_TEST((old_with_new.issuer_der() == new_one.subject_der()));
    BOOST_TEST((old_with_new.subject_key_id() == old_one.subject_key_id() && old_with_new.authority_key_id() == new_one.subject_key_id()));
    BOOST_TEST((old_with_new.not_before() == old_one.not_before() && old_with_new.not_after() == old_one.not_after()));

    std::vector<core::Bytes> serials{old_one.serial(), new_one.serial(), new_with_old.serial(), old_with_new.serial()};
    std::ranges::sort(serials);
    BOOST_TEST((std::ranges::adjacent_find(serials) == serials.end()));
    // As they are recorded.
    for (const auto& row : read(store::cross_certificate_all)) {
        const auto record = store::CrossCertificateRow::from(row);
        BOOST_TEST((record.serial == parsed(record.certificate).serial()));
        BOOST_TEST(record.subject_id == id_of(record.certificate));
    }
    for (const auto& [name, der] : {std::pair("nwo", first), std::pair("own", second)}) {
        const auto shown = run("openssl x509 -noout -text -in " + pem(name, {der})).text;
        BOOST_TEST(shown.find("CA:TRUE\n") != std::string::npos, "no path length: " << shown);
        BOOST_TEST(shown.find("Certificate Sign, CRL Sign") != std::string::npos, shown);
        const auto issuer = core::hex(parsed(der).authority_key_id());
        BOOST_TEST(shown.find("http://pki.example.test:8080/crl/" + issuer + "/0.crl") != std::string::npos, shown);
        BOOST_TEST(shown.find("http://pki.example.test:8080/ca/" + issuer + ".cer") != std::string::npos, shown);
    }
}

BOOST_FIXTURE_TEST_CASE(either_root_alone_verifies_both_hierarchies, RootRollover) {
    const auto old_leaf = leaf();
    const auto made = prepare(24h * 30).value();
    const auto new_root = made.successor.chain[1];
    const auto [new_with_old, old_with_new] = crossed();
    clock.advance(24h * 30);
    const auto new_leaf = leaf();
    const auto old_issuer = ca->path(old_issuing).front(), new_issuer = made.successor.chain[0];
    const auto good = [](const Said& said) { BOOST_TEST(said.ok, said.text); };
    good(verify(old_leaf, old_root, {old_issuer}));
    good(verify(new_leaf, new_root, {new_issuer}));
    good(verify(new_leaf, old_root, {new_issuer, new_with_old}));
    good(verify(old_leaf, new_root, {old_issuer, old_with_new}));
    // Each needs what the other root says of it.
    BOOST_TEST(!verify(new_leaf, old_root, {new_issuer, old_with_new, new_root}).ok);
    BOOST_TEST(!verify(old_leaf, new_root, {old_issuer, new_with_old, old_root}).ok);
    // As they are handed out.
    good(verify(new_leaf, old_root, ca->chain(made.successor.key_id)));
    auto shown = ca->chain(ca->issuer());
    for (const auto& der : ca->anchors()) shown.push_back(der);
    good(verify(new_leaf, old_root, shown));
    good(verify(new_leaf, new_root, shown));
    good(verify(old_leaf, old_root, shown));
    good(verify(old_leaf, new_root, shown));
    // A third root: who knows the first alone still gets there.
    const auto third = prepare(24h).value();
    clock.advance(24h);
    const auto newest = leaf();
    good(verify(newest, old_root, ca->chain(third.successor.key_id)));
    good(verify(newest, new_root, ca->chain(third.successor.key_id)));
    good(verify(newest, third.successor.chain[1], ca->chain(third.successor.key_id)));
    // And the chains that end at another root than that one.
    const auto of_newest = ca->alternate_chains(third.successor.key_id), of_old = ca->alternate_chains(old_issuing);
    BOOST_TEST_REQUIRE((of_newest.size() == 2U && of_old.size() == 2U));
    good(verify(newest, third.successor.chain[1], of_newest[0]));
    good(verify(newest, new_root, of_newest[1]));
    good(verify(old_leaf, new_root, of_old[0]));
    good(verify(old_leaf, third.successor.chain[1], of_old[1]));
    BOOST_TEST(!verify(newest, old_root, of_newest[1]).ok);
    const auto all = ca->crossed();
    BOOST_TEST_REQUIRE(all.size() == 4U);
    good(verify(old_leaf, third.successor.chain[1], {old_issuer, all[2], all[3]}));
}

BOOST_FIXTURE_TEST_CASE(what_is_handed_out_while_both_last, RootRollover) {
    BOOST_TEST((ca->anchors() == std::vector<core::Bytes>{old_root}));
    BOOST_TEST(ca->chain(old_issuing).size() == 1U);
    const auto made = prepare(24h * 30).value();
    const auto new_root = made.successor.chain[1];
    const auto [new_with_old, old_with_new] = crossed();
    BOOST_TEST((ca->anchors() == std::vector<core::Bytes>{new_with_old, old_with_new, new_root, old_root}));
    BOOST_TEST(ca->chain(old_issuing).size() == 1U);
    BOOST_TEST((ca->chain(made.successor.key_id) == std::vector<core::Bytes>{made.successor.chain[0], new_with_old}));
    BOOST_TEST((ca->path(made.successor.key_id) == made.successor.chain));
    BOOST_TEST((ca->path(made.new_root) == std::vector<core::Bytes>{new_root}));
    BOOST_TEST(ca->path("0badcafe").empty());
    // Nobody is sent to a root whose day has not come.
    BOOST_TEST((ca->alternate_chains(old_issuing).empty() && ca->alternate_chains("0badcafe").empty()));

    clock.advance(24h * 30);
    const auto former = ca->path(old_issuing).front();
    BOOST_TEST((ca->alternate_chains(old_issuing) == std::vector<std::vector<core::Bytes>>{{former, old_with_new}}));
    BOOST_TEST((ca->alternate_chains(made.successor.key_id) == std::vector<std::vector<core::Bytes>>{{made.successor.chain[0]}}));
    BOOST_TEST((ca->anchors() == std::vector<core::Bytes>{former, new_with_old, old_with_new, old_root, new_root}));
    // The former issuing CA ends before its root.
    clock.advance(parsed(former).not_after() - clock.now());
    BOOST_TEST((ca->anchors() == std::vector<core::Bytes>{new_with_old, old_with_new, old_root, new_root}));
    BOOST_TEST(ca->chain(made.successor.key_id).size() == 2U);
    // With the old root goes what is of use with it alone. By then the issuing CA is another one.
    const auto next = prepare_issuing(1h).value();
    clock.advance(parsed(old_root).not_after() - clock.now());
    BOOST_TEST((ca->anchors() == std::vector<core::Bytes>{new_root}));
    BOOST_TEST((ca->chain(next.successor.key_id) == std::vector<core::Bytes>{next.successor.chain[0]}));
    BOOST_TEST(ca->alternate_chains(next.successor.key_id).empty());
}

BOOST_FIXTURE_TEST_CASE(both_roots_publish_crls, RootRollover) {
    const auto made = prepare(24h * 30).value();
    for (const auto& key_id : {id_of(old_root), made.new_root, old_issuing, made.successor.key_id}) {
        for (int i = 0; i < 1500 && !ca->crl(key_id, {}); ++i) std::this_thread::sleep_for(20ms);
        BOOST_TEST(ca->crl(key_id, {}).has_value(), key_id);
    }
    clock.advance(24h * 30);
    store::Batch batch;
    ca::Revoked revoked;
    revoked.issuer_key_id = old_issuing;
    revoked.serial = core::Bytes(16, 0x11);
    revoked.at = clock.now();
    revoked.not_after = clock.now() + 24h;
    ca->record_revocation(batch, revoked);
    BOOST_TEST(write(std::move(batch)).has_value());
    BOOST_TEST(core::run_to_end(ca->publish_revocations(core::deadline_in(30s))).has_value());
    const auto list = crypto::RevocationList::parse(ca->crl(old_issuing, {}).value()).value();
    BOOST_TEST(list.entries().size() == 1U, "the former hierarchy lists on");
}

BOOST_FIXTURE_TEST_CASE(a_second_one_is_refused_with_what_stands, RootRollover) {
    const auto made = prepare(24h * 30).value();
    const auto again = prepare(24h * 40).error();
    BOOST_TEST((again.kind == ProblemKind::conflict));
    check_refused(again, made.new_root);
    check_refused(again, made.successor.key_id);
    check_refused(again, core::rfc3339(made.successor.takes_over));
    BOOST_TEST((prepare_issuing(24h * 40).error().kind == ProblemKind::conflict));
    BOOST_TEST((rows(store::authority_all) == 4U && rows(store::cross_certificate_all) == 2U));
    // The other way round, too.
    BOOST_TEST(withdraw().has_value());
    BOOST_TEST(prepare_issuing(24h * 40).has_value());
    const auto refused = prepare(24h * 50).error();
    BOOST_TEST((refused.kind == ProblemKind::conflict));
    check_refused(refused, "a successor waits already");
}

BOOST_FIXTURE_TEST_CASE(what_is_no_rollover_of_the_root_is_refused, RootRollover) {
    check_refused(prepare(0ms).error(), "takes over in the future");
    check_refused(prepare(config().issuing_lifetime + 24h).error(), "nobody would issue in between");
    check_refused(prepare_issuing(24h * 366 * 20).error(), "postern ca rollover --root");
    auto shorter = config();
    shorter.root_lifetime = 24h * 365 * 15;
    const auto other = open(shorter);
    const auto refused = prepare(24h * 30, other.get()).error();
    BOOST_TEST((refused.kind == ProblemKind::malformed));
    check_refused(refused, "root_lifetime");
    BOOST_TEST(prepare(24h * 366 * 6, other.get()).has_value(), "later it would outlast it");
}

BOOST_FIXTURE_TEST_CASE(all_of_it_is_written_or_nothing, RootRollover) {
    const auto refused = prepare(24h * 30, nullptr, true);
    BOOST_TEST((refused.error().kind == ProblemKind::conflict));
    BOOST_TEST((rows(store::authority_all) == 2U && rows(store::cross_certificate_all) == 0U && rows(store::succession_all) == 0U));
    BOOST_TEST((roles() == std::vector<std::string>{"root", "issuing"}));
    // The files of its keys are there, and nobody's: neither a start nor the next one minds.
    BOOST_TEST((open()->root_der() == old_root));
    BOOST_TEST(prepare(24h * 30).has_value());
}

BOOST_FIXTURE_TEST_CASE(it_outlasts_a_restart, RootRollover) {
    const auto made = prepare(24h * 30).value();
    const auto expected = ca->anchors();
    auto again = open();
    BOOST_TEST((again->anchors() == expected));
    BOOST_TEST(again->successor()->key_id == made.successor.key_id);
    clock.advance(24h * 31);
    again = open();
    BOOST_TEST((again->root_der() == made.successor.chain[1]));
    BOOST_TEST(read_file(folder.file("root.pem")) == crypto::to_pem("CERTIFICATE", again->root_der()));
}

BOOST_FIXTURE_TEST_CASE(one_that_is_withdrawn_is_trusted_by_nobody, RootRollover) {
    const auto made = prepare(24h * 30).value();
    const auto [new_with_old, old_with_new] = crossed();
    const auto early = leaf(made.successor.key_id);
    BOOST_TEST(!listed(old_root, new_with_old));
    const auto gone = withdraw().value();
    BOOST_TEST((gone.new_root == made.new_root && gone.successor.key_id == made.successor.key_id));
    BOOST_TEST(listed(old_root, new_with_old), "the root of today revokes it before it answers");
    BOOST_TEST((roles() == std::vector<std::string>{"root", "withdrawn_root", "issuing", "withdrawn"}));
    BOOST_TEST((ca->anchors() == std::vector<core::Bytes>{old_root}));
    BOOST_TEST((ca->chain(made.successor.key_id) == std::vector<core::Bytes>{made.successor.chain[0]}));
    BOOST_TEST(issuer_of(leaf(made.successor.key_id)) == old_issuing);
    // By openssl: who knows the old root alone and asks its CRL.
    const auto crl = write_file(folder.file("root.crl"), core::as_text(ca->crl(id_of(old_root), {}).value()));
    const auto pem_crl = run("openssl crl -inform DER -in " + crl + " -out " + folder.file("crl.pem"));
    BOOST_TEST(pem_crl.ok, pem_crl.text);
    const auto revoked = run("openssl verify -crl_check" + at_time() + "-CRLfile " + folder.file("crl.pem") + " -CAfile " + pem("anchor.pem", {old_root}) + " " + pem("nwo.pem", {new_with_old}));
    BOOST_TEST((!revoked.ok && revoked.text.find("certificate revoked") != std::string::npos), revoked.text);

    clock.advance(24h * 31);
    BOOST_TEST((ca->root_der() == old_root));
    BOOST_TEST((withdraw().error().kind == ProblemKind::not_found));
    // The next has a name of its own, and is crossed with the root of today alone.
    const auto next = prepare(24h * 30).value();
    BOOST_TEST(parsed(next.successor.chain[1]).subject().to_text() == "CN=Postern Root CA 3,O=Postern");
    BOOST_TEST((roles() == std::vector<std::string>{"root", "next_root", "withdrawn_root", "issuing", "successor", "withdrawn"}));
    BOOST_TEST(ca->anchors().size() == 4U);
    BOOST_TEST((!has(ca->anchors(), new_with_old) && !has(ca->anchors(), old_with_new)));
    clock.advance(24h * 31);
    BOOST_TEST(verify(leaf(), old_root, ca->chain(next.successor.key_id)).ok);
    BOOST_TEST((withdraw().error().kind == ProblemKind::not_found), "it took over");
    // What it issued before is listed by a CRL of its own, still.
    BOOST_TEST(ca->crl(issuer_of(early), {}).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_root_that_has_ended_is_succeeded_without_its_word, RootRollover) {
    clock.advance(parsed(old_root).not_after() - clock.now() + 1s);
    const auto made = prepare(1h).value();
    BOOST_TEST(ca->crossed().empty());
    clock.advance(1h);
    BOOST_TEST((ca->anchors() == std::vector<core::Bytes>{made.successor.chain[1]}));
    BOOST_TEST(verify(leaf(), made.successor.chain[1], ca->chain(made.successor.key_id)).ok);
}

BOOST_AUTO_TEST_CASE(a_lost_key_of_a_root_that_has_ended_stops_no_start) {
    World world;
    auto config = world.config();
    config.root_lifetime = 24h * 300;
    config.issuing_lifetime = 24h * 295;
    auto ca = world.open(config);
    const auto old_root = id_of(ca->root_der()), old_issuing = ca->issuer();
    std::function<void(store::Batch&, const ca::Rollover&)> nothing_more = [](store::Batch&, const ca::Rollover&) {};
    const auto made = core::run_to_end(ca->prepare_successor(world.clock.now() + 24h * 200, ca::NewRoot::yes, std::move(nothing_more))).value();
    const auto lose = [&](const std::string& key_id) {
        const auto path = world.folder.file("keys/" + key_id + ".key");
        std::filesystem::rename(path, path + ".lost");
    };
    const auto put_back = [&](const std::string& key_id) {
        const auto path = world.folder.file("keys/" + key_id + ".key");
        std::filesystem::rename(path + ".lost", path);
    };
    const auto stops = [&](const std::string& key_id) {
        lose(key_id);
        BOOST_CHECK_EXCEPTION(world.open(config), std::runtime_error, says<std::runtime_error>("restore it from the backup"));
        put_back(key_id);
    };
    // Succeeded, and not ended: its CRL goes on.
    world.clock.advance(24h * 299);
    ca = world.open(config);
    for (const auto& key_id : {old_root, made.new_root, made.successor.key_id}) stops(key_id);
    const auto last = ca->crl(old_root, {});
    BOOST_TEST_REQUIRE(last.has_value());

    world.clock.advance(24h * 2);
    for (const auto& key_id : {made.new_root, made.successor.key_id}) stops(key_id);
    for (const auto& key_id : {old_root, old_issuing}) lose(key_id);
    ca = world.open(config);
    ca->start();
    BOOST_TEST((ca->known().size() == 4U && ca->issuer() == made.successor.key_id));
    BOOST_TEST(id_of(issue(*ca, content_at(world.clock.now(), leaf_key()))) != old_issuing);
    // What was published last is served on, and publishing waits for no other.
    BOOST_TEST((ca->crl(old_root, {}) == last));
    BOOST_TEST(core::run_to_end(ca->publish_revocations(core::deadline_in(30s))).has_value());
    BOOST_TEST((ca->crl(old_root, {}) == last));
    BOOST_TEST(read_file(world.folder.file("log")).empty());  // of errors
    // Another node's batch is still followed.
    core::run_to_end(ca->follow());
    BOOST_TEST((ca->anchors() == std::vector<core::Bytes>{made.successor.chain[1]}));
}

BOOST_FIXTURE_TEST_CASE(of_two_nodes_one_prepares_and_the_other_follows, RootRollover) {
    const auto other = open();
    const auto made = prepare(24h * 30).value();
    BOOST_TEST((prepare(24h * 60, other.get()).error().kind == ProblemKind::conflict));
    other->start();
    for (int i = 0; i < 1500 && !other->successor(); ++i) {
        std::this_thread::sleep_for(20ms);
        core::run_to_end(other->follow());
    }
    BOOST_TEST_REQUIRE(other->successor().has_value());
    BOOST_TEST((other->anchors() == ca->anchors()));
    // What one withdraws the other offers no more.
    BOOST_TEST(withdraw(other.get()).has_value());
    BOOST_TEST((withdraw().error().kind == ProblemKind::conflict));
    core::run_to_end(ca->follow());
    BOOST_TEST((ca->anchors() == std::vector<core::Bytes>{old_root}));
    static_cast<void>(made);
}

BOOST_FIXTURE_TEST_CASE(a_withdrawal_that_a_node_missed_until_the_day_counts_all_the_same, RootRollover) {
    const auto other = open();
    const auto made = prepare(24h * 30).value();
    core::run_to_end(other->follow());
    BOOST_TEST(withdraw().has_value());
    clock.advance(24h * 31);
    BOOST_TEST((other->root_der() == made.successor.chain[1]));
    core::run_to_end(other->follow());
    BOOST_TEST((other->root_der() == old_root));
    BOOST_TEST((other->anchors() == std::vector<core::Bytes>{old_root}));
    BOOST_TEST(read_file(folder.file("root.pem")) == crypto::to_pem("CERTIFICATE", old_root));
    BOOST_TEST(other->under_former_root(made.successor.key_id), "what this node took from it is to be replaced");
}

BOOST_FIXTURE_TEST_CASE(an_rsa_root_follows_one_of_p_256, RootRollover) {
    auto config = this->config();
    config.root_key = *crypto::KeySpec::from("rsa-2048");
    const auto other = open(config);
    const auto made = prepare(24h, other.get()).value();
    ca = open();
    clock.advance(24h);
    BOOST_TEST(verify(leaf(), old_root, ca->chain(made.successor.key_id)).ok);
    BOOST_TEST(verify(leaf(), made.successor.chain[1], ca->chain(made.successor.key_id)).ok);
}

BOOST_FIXTURE_TEST_CASE(an_exchanged_cross_certificate_stops_the_start, RootRollover) {
    const auto made = prepare(24h * 30).value();
    const auto [new_with_old, old_with_new] = crossed();
    BOOST_TEST(write(swap_crossed, store::values(old_with_new, made.new_root)).has_value());
    BOOST_CHECK_EXCEPTION(open(), std::runtime_error, says<std::runtime_error>("is another one; restore the database"));
    // Of the right key, by another issuer.
    BOOST_TEST(write(swap_crossed, store::values(made.successor.chain[1], made.new_root)).has_value());
    BOOST_CHECK_EXCEPTION(open(), std::runtime_error, says<std::runtime_error>("was not signed by CA"));
    BOOST_TEST(write(swap_crossed, store::values(new_with_old, made.new_root)).has_value());
    BOOST_TEST((open()->root_der() == old_root));
}

BOOST_FIXTURE_TEST_CASE(an_issuing_ca_that_is_no_root_s_stops_the_start, RootRollover) {
    static_cast<void>(prepare(24h * 30).value());
    BOOST_TEST(write(forget_issuing, store::values(old_issuing)).has_value());
    BOOST_CHECK_EXCEPTION(open(), std::runtime_error, says<std::runtime_error>("wrong issuer"));
}

BOOST_FIXTURE_TEST_CASE(each_has_its_file, RootRollover) {
    http::Router router;
    ca->add_routes(router);
    const auto der = [&](const std::string& path) { return core::to_bytes(core::as_bytes(get(router, path).body)); };
    const auto pems = [&](const std::string& path) { return crypto::from_pem("CERTIFICATE", get(router, path).body).value(); };
    BOOST_TEST((pems("/ca/roots.pem") == std::vector<core::Bytes>{old_root}));
    const auto made = prepare(24h * 30).value();
    const auto new_root = made.successor.chain[1];
    const auto [new_with_old, old_with_new] = crossed();
    const auto old_id = id_of(old_root);
    BOOST_TEST((der("/ca/" + made.new_root + ".cer") == new_root));
    BOOST_TEST((der("/ca/" + made.new_root + "-" + old_id + ".cer") == new_with_old));
    BOOST_TEST((pems("/ca/" + old_id + "-" + made.new_root + ".pem") == std::vector<core::Bytes>{old_with_new}));
    BOOST_TEST(get(router, "/ca/" + old_id + "-" + old_id + ".cer").status == 404U);
    BOOST_TEST((pems("/ca/root.pem") == std::vector<core::Bytes>{old_root}));
    BOOST_TEST((pems("/ca/roots.pem") == std::vector<core::Bytes>{old_root, new_root}));
    clock.advance(24h * 30);
    BOOST_TEST((pems("/ca/root.pem") == std::vector<core::Bytes>{new_root}));
    BOOST_TEST((pems("/ca/chain.pem") == made.successor.chain));
    BOOST_TEST((pems("/ca/roots.pem") == std::vector<core::Bytes>{new_root, old_root}));
}

BOOST_AUTO_TEST_SUITE_END()
