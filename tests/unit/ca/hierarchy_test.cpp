#include <sys/stat.h>

#include "ca/builtin/ceremony.hpp"
#include "store/tables/authority.hpp"
#include "tests/unit/ca/support.hpp"

using namespace postern;
using namespace postern::test;

namespace {

/// PEM files of a CA for the openssl command: root, issuing, leaf, both CRLs.
struct Files {
    Files(World& world, ca::BuiltinCa& ca, const core::Bytes& leaf_der) {
        http::Router router;
        ca.add_routes(router);
        root = write_file(world.folder.file("r.pem"), get(router, "/ca/root.pem").body);
        const auto issuing_id = core::hex(crypto::Certificate::parse(leaf_der)->authority_key_id());
        const auto root_id = core::hex(crypto::Certificate::parse(ca.root_der())->subject_key_id());
        issuing = write_file(world.folder.file("i.pem"), get(router, "/ca/" + issuing_id + ".pem").body);
        leaf = write_file(world.folder.file("l.pem"), crypto::to_pem("CERTIFICATE", leaf_der));
        std::string both;
        for (const auto& id : {root_id, issuing_id})
            both += crypto::to_pem("X509 CRL", core::as_bytes(get(router, "/crl/" + id + "/0.crl").body));
        crls = write_file(world.folder.file("crls.pem"), both);
    }
    [[nodiscard]] Said verify(const World& world) const {
        return run("openssl verify -x509_strict -crl_check_all" + world.at_time() + "-CAfile " + root + " -untrusted " + issuing +
                   " -CRLfile " + crls + " " + leaf);
    }
    std::string root, issuing, leaf, crls;
};

std::string key_path(World& world, std::string_view kind) {
    for (const auto& row : world.read(store::authority_all))
        if (row.text(1) == kind) return world.folder.file("keys/" + row.text(0) + ".key");
    throw std::runtime_error("no such CA");
}

constexpr store::Statement swap_certificate{
    "swap_certificate", "UPDATE authority SET certificate = $2 WHERE kind = $1"};

}  // namespace

BOOST_AUTO_TEST_SUITE(ca_hierarchy)

BOOST_AUTO_TEST_CASE(a_first_start_makes_a_chain_that_openssl_verifies_with_all_crls) {
    World world;
    const auto ca = world.open();
    const auto leaf = issue(*ca, content_at(world.clock.now(), leaf_key()));
    const Files files(world, *ca, leaf);
    const auto verified = files.verify(world);
    BOOST_TEST(verified.ok, verified.text);
    BOOST_TEST(read_file(files.root) == read_file(world.folder.file("root.pem")));

    const auto root = run("openssl x509 -noout -text -in " + files.root).text;
    BOOST_TEST(root.find("CN = Postern Root CA") != std::string::npos, root);
    BOOST_TEST(root.find("pathlen") == std::string::npos);
    BOOST_TEST(root.find("Certificate Sign, CRL Sign") != std::string::npos);
    const auto issuing = run("openssl x509 -noout -text -in " + files.issuing).text;
    const auto root_id = core::hex(crypto::Certificate::parse(ca->root_der())->subject_key_id());
    BOOST_TEST(issuing.find("CA:TRUE, pathlen:0") != std::string::npos, issuing);
    BOOST_TEST(issuing.find("URI:http://pki.example.test:8080/ca/" + root_id + ".cer") != std::string::npos);
    BOOST_TEST(issuing.find("URI:http://pki.example.test:8080/crl/" + root_id + "/0.crl") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_kind_of_ca_key_signs_certificates_and_crls) {
    for (const auto* text : {"ec-p384", "ed25519", "rsa-2048"}) {
        World world;
        auto config = world.config();
        config.root_key = *crypto::KeySpec::from(text);
        config.issuing_key = config.root_key;
        const auto ca = world.open(config);
        const Files files(world, *ca, issue(*ca, content_at(world.clock.now(), leaf_key())));
        const auto verified = files.verify(world);
        BOOST_TEST(verified.ok, text << ": " << verified.text);
    }
}

BOOST_AUTO_TEST_CASE(a_later_start_serves_the_same_ca) {
    World world;
    const auto first = world.open()->root_der();
    std::filesystem::remove(world.folder.file("root.pem"));
    const auto again = world.open();
    BOOST_TEST(again->root_der() == first);
    BOOST_TEST(std::filesystem::exists(world.folder.file("root.pem")));
    BOOST_TEST(world.read(store::authority_all).size() == 2U);
}

BOOST_AUTO_TEST_CASE(key_files_are_for_the_owner_alone_and_sealed) {
    World world;
    world.open();
    struct stat about {};
    BOOST_TEST(::stat(key_path(world, "issuing").c_str(), &about) == 0);
    BOOST_TEST((about.st_mode & 07777U) == 0600U);
    BOOST_TEST(::stat(world.folder.file("keys").c_str(), &about) == 0);
    BOOST_TEST((about.st_mode & 07777U) == 0700U);
    BOOST_TEST(!run("openssl pkey -inform DER -in " + key_path(world, "issuing")).ok);
}

BOOST_AUTO_TEST_CASE(a_key_file_that_others_can_read_stops_the_start) {
    World world;
    world.open();
    const auto path = key_path(world, "issuing");
    for (const auto mode : {0644U, 0640U, 0602U}) {
        BOOST_TEST(::chmod(path.c_str(), mode) == 0);
        BOOST_CHECK_EXCEPTION(world.open(), std::runtime_error, says<std::runtime_error>("chmod 600 " + path));
    }
}

BOOST_AUTO_TEST_CASE(a_symbolic_link_for_a_key_file_stops_the_start) {
    World world;
    world.open();
    const auto path = key_path(world, "root");
    std::filesystem::rename(path, path + ".elsewhere");
    std::filesystem::create_symlink(path + ".elsewhere", path);
    BOOST_CHECK_EXCEPTION(world.open(), std::runtime_error, says<std::runtime_error>("symbolic link"));
}

BOOST_AUTO_TEST_CASE(a_missing_key_file_stops_the_start) {
    World world;
    world.open();
    std::filesystem::remove(key_path(world, "issuing"));
    BOOST_CHECK_EXCEPTION(world.open(), std::runtime_error, says<std::runtime_error>("restore it from the backup"));
}

BOOST_AUTO_TEST_CASE(another_master_key_stops_the_start) {
    World world;
    world.open();
    const crypto::Sealer other(core::SecretBytes(core::Bytes(32, 8)), world.random);
    ca::BuiltinCa::Deps deps{*world.db,    world.pool,  world.tasks, world.shards.executor(0), other,
                             world.random, world.clock, world.log,   world.metrics};
    BOOST_CHECK_EXCEPTION(core::run_to_end(ca::BuiltinCa::open(deps, world.config(), world.folder.file("root.pem"))),
                          std::runtime_error, says<std::runtime_error>("another master key"));
}

BOOST_AUTO_TEST_CASE(key_files_that_changed_places_stop_the_start) {
    World world;
    world.open();
    const auto root = key_path(world, "root");
    const auto issuing = key_path(world, "issuing");
    std::filesystem::rename(root, root + ".x");
    std::filesystem::rename(issuing, root);
    std::filesystem::rename(root + ".x", issuing);
    BOOST_CHECK_EXCEPTION(world.open(), std::runtime_error, says<std::runtime_error>("does not open"));
}

BOOST_AUTO_TEST_CASE(a_swapped_ca_certificate_stops_the_start) {
    World world;
    world.open();
    World other;
    other.open();
    core::Bytes foreign;
    for (const auto& row : other.read(store::authority_all))
        if (row.text(1) == "issuing") foreign = row.blob(3);
    BOOST_TEST(world.write(swap_certificate, store::values("issuing", foreign)).has_value());
    BOOST_CHECK_EXCEPTION(world.open(), std::runtime_error, says<std::runtime_error>("does not belong to the certificate"));
}

BOOST_AUTO_TEST_CASE(a_certificate_for_our_key_by_another_issuer_stops_the_start) {
    World world;
    world.open();
    // The issuing CA's own key certifies itself: the key fits, the chain does not.
    const ca::KeyFiles keys(world.folder.file("keys"), world.sealer);
    for (const auto& row : world.read(store::authority_all)) {
        if (row.text(1) != "issuing") continue;
        const auto key = keys.load(row.text(0));
        const auto old = crypto::Certificate::parse(row.blob(3));
        crypto::CertificateShape shape;
        shape.algorithm = key.default_algorithm();
        shape.issuer_der = old->subject_der();
        shape.authority_key_id = key.public_key().key_identifier();
        shape.ca = true;
        shape.key_usage = {crypto::KeyUsageBit::key_cert_sign};
        crypto::CertificateFields fields;
        fields.serial = ca::random_serial(world.random);
        fields.not_before = old->not_before();
        fields.not_after = old->not_after();
        fields.subject_der = old->subject_der();
        fields.spki = key.public_key().spki();
        fields.subject_key_id = key.public_key().key_identifier();
        const auto tbs = crypto::CertificateTemplate(shape).to_be_signed(fields);
        const auto forged = crypto::assemble_signed(tbs, shape.algorithm, key.sign(shape.algorithm, tbs));
        BOOST_TEST(world.write(swap_certificate, store::values("issuing", forged)).has_value());
    }
    BOOST_CHECK_EXCEPTION(world.open(), std::runtime_error, says<std::runtime_error>("was not signed by CA"));
}

BOOST_AUTO_TEST_CASE(a_lost_database_never_gets_a_new_root_in_silence) {
    World world;
    write_file(world.folder.file("root.pem"), "what clients trust");
    BOOST_CHECK_EXCEPTION(world.open(), std::runtime_error, says<std::runtime_error>("the database was lost or exchanged"));
    BOOST_TEST(world.read(store::authority_all).empty());
}

BOOST_AUTO_TEST_CASE(a_ceremony_cut_before_its_rows_is_simply_done_again) {
    World world;
    std::filesystem::create_directories(world.folder.file("keys"));
    write_file(world.folder.file("keys/0123456789.key"), "left behind");
    write_file(world.folder.file("root.pem.new"), "left behind");
    BOOST_TEST(!world.open()->root_der().empty());
}

BOOST_AUTO_TEST_CASE(an_issuing_ca_cannot_be_made_to_outlive_its_root) {
    World world;
    auto config = world.config();
    config.issuing_lifetime = config.root_lifetime + 1h;
    BOOST_CHECK_EXCEPTION(world.open(config), std::runtime_error, says<std::runtime_error>("outlive the root"));
}

BOOST_AUTO_TEST_SUITE_END()
