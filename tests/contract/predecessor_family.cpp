#include "store/tables/imported_certificate.hpp"
#include "store/tables/imported_certificate_portion.hpp"
#include "store/tables/objects.hpp"
#include "store/tables/predecessor.hpp"
#include "tests/contract/store.hpp"

namespace postern::contract {

using store::values;

namespace {

store::PredecessorRow a_predecessor(std::int64_t id, std::string name) {
    store::PredecessorRow row;
    row.id = store::PredecessorId(id);
    row.tenant = core::TenantId(1);
    row.name = std::move(name);
    row.crl_url = "http://ca.example/ca.crl";
    row.created = row.updated = now;
    row.updated_by = "local uid 0";
    return row;
}

store::ImportedCertificateRow a_certificate(std::int64_t id, std::uint8_t mark) {
    store::ImportedCertificateRow row;
    row.id = store::ImportedCertificateId(id);
    row.tenant = core::TenantId(1);
    row.predecessor = store::PredecessorId(81);
    row.endpoint = core::EndpointId(6);
    row.account = core::AccountId(7);
    row.serial = core::Bytes(8, mark);
    row.sha256 = core::Bytes(32, mark);
    row.subject = "CN=Printer_" + std::to_string(mark);
    row.names = R"(["printer.example"])";
    row.status = "issued";
    row.not_before = now;
    row.not_after = later;
    row.der = core::Bytes(9, mark);
    row.audit = 5;
    row.created = now;
    return row;
}

}  // namespace

void predecessors(Store& s) {
    s.add_objects();
    s.does(store::predecessor_insert, a_predecessor(81, "old").insert_values());
    s.duplicates(store::predecessor_insert, a_predecessor(82, "old").insert_values());
    s.does(store::predecessor_insert, a_predecessor(82, "older").insert_values());
    const auto named = store::PredecessorRow::from(s.one(store::predecessor_by_name, values(1, "old")));
    BOOST_TEST((named.id.get() == 81 && named.crl_url == "http://ca.example/ca.crl" && named.ocsp_url.empty() && !named.crl_file && named.updated == now));
    BOOST_TEST(s.read(store::predecessor_by_name, values(2, "old")).empty());

    s.does(store::predecessor_update, values(81, "", "http://ca.example/ocsp", later, "principal chief"));
    s.misses(store::predecessor_update, values(83, "", "", later, "principal chief"));
    BOOST_TEST(s.read(store::predecessor_crl, values(81)).empty());
    s.does(store::predecessor_crl_set, values(81, core::Bytes(5, 0x30)));
    s.misses(store::predecessor_crl_set, values(83, core::Bytes(5, 0x30)));
    BOOST_TEST(s.one(store::predecessor_crl, values(81)).blob(0) == core::Bytes(5, 0x30));
    const auto changed = store::PredecessorRow::from(s.one(store::predecessor_by_id, values(81)));
    BOOST_TEST((changed.crl_file && changed.ocsp_url == "http://ca.example/ocsp" && changed.crl_url.empty()));
    BOOST_TEST((changed.created == now && changed.updated == later && changed.updated_by == "principal chief"));

    s.does(store::predecessor_crl_set, values(81, nullptr));
    BOOST_TEST(!store::PredecessorRow::from(s.one(store::predecessor_by_id, values(81))).crl_file);
    BOOST_TEST(s.read(store::predecessor_page, values(0, nullptr)).size() == 2U);
    BOOST_TEST(s.one(store::predecessor_page, values(81, 1)).integer(0) == 82);
    BOOST_TEST(s.read(store::predecessor_page, values(0, 2)).empty());

    const core::Bytes digest(32, 1), der(9, 2);
    s.does(store::predecessor_certificate_insert, values(81, digest, der));
    s.misses(store::predecessor_certificate_insert, values(81, digest, core::Bytes(9, 3)));
    s.does(store::predecessor_certificate_insert, values(82, digest, der));
    BOOST_TEST(s.one(store::predecessor_certificates, values(81)).blob(0) == der);
    BOOST_TEST(s.read(store::predecessor_certificates, values(83)).empty());
    s.does(store::predecessor_certificates_remove, values(81));
    BOOST_TEST(s.read(store::predecessor_certificates, values(81)).empty());
    BOOST_TEST(s.read(store::predecessor_certificates, values(82)).size() == 1U);
    // Its certificates leave with it.
    s.does(store::predecessor_remove, values(82));
    s.misses(store::predecessor_remove, values(82));
    BOOST_TEST(s.read(store::predecessor_certificates, values(82)).empty());
}

void imported_certificates(Store& s) {
    s.add_objects();
    s.add_enrollments();
    s.does(store::predecessor_insert, a_predecessor(81, "old").insert_values());
    s.does(store::imported_certificate_insert, a_certificate(91, 0x41).insert_values());
    s.does(store::imported_certificate_insert, a_certificate(92, 0x42).insert_values());
    // What is known stays as it is.
    s.misses(store::imported_certificate_insert, a_certificate(93, 0x41).insert_values());
    auto stray = a_certificate(94, 0x44);
    stray.predecessor = store::PredecessorId(99);
    s.is_referenced(store::imported_certificate_insert, stray.insert_values());
    s.is_referenced(store::predecessor_remove, values(81));
    s.is_referenced(store::account_remove, values(7, 1));

    const auto row = store::ImportedCertificateRow::from(s.one(store::imported_certificate_presented, values(core::Bytes(32, 0x41), 6)));
    BOOST_TEST((row.id.get() == 91 && row.tenant.get() == 1 && row.predecessor.get() == 81 && row.account.get() == 7 && row.status == "issued"));
    BOOST_TEST((row.serial == core::Bytes(8, 0x41) && row.der == core::Bytes(9, 0x41) && !row.successor && row.audit == 5));
    BOOST_TEST((row.not_before == now && row.not_after == later && row.created == now && row.subject == "CN=Printer_65"));
    BOOST_TEST(s.read(store::imported_certificate_presented, values(core::Bytes(32, 0x41), 7)).empty());
    BOOST_TEST(s.one(store::imported_certificate_by_serial, values(core::Bytes(8, 0x42), nullptr)).integer(0) == 92);
    BOOST_TEST(s.one(store::imported_certificate_by_serial, values(core::Bytes(8, 0x42), 1)).integer(0) == 92);
    BOOST_TEST(s.read(store::imported_certificate_by_serial, values(core::Bytes(8, 0x42), 2)).empty());
    BOOST_TEST(s.one(store::imported_certificate_by_digest, values(core::Bytes(32, 0x42), nullptr)).integer(0) == 92);
    BOOST_TEST(s.read(store::imported_certificate_by_digest, values(core::Bytes(32, 0x42), 2)).empty());
    BOOST_TEST(s.read(store::imported_certificate_by_digest, values(core::Bytes(32, 0x43), nullptr)).empty());

    auto asked = values(6, core::Bytes(32, 0x42), core::Bytes(32, 0x43));
    asked.resize(1 + store::imported_certificate_known_size, std::monostate{});
    BOOST_TEST(s.one(store::imported_certificate_known, asked).blob(0) == core::Bytes(32, 0x42));
    asked[0] = std::int64_t{7};
    BOOST_TEST(s.read(store::imported_certificate_known, asked).empty());

    const auto page = [&](std::int64_t after, store::Value tenant, const char* pattern) {
        return s.read(store::imported_certificate_page, store::Values{after, std::int64_t{10}, std::move(tenant), std::string(pattern)});
    };
    BOOST_TEST(page(0, std::monostate{}, "%").size() == 2U);
    BOOST_TEST(page(91, std::monostate{}, "%").size() == 1U);
    BOOST_TEST(page(0, std::int64_t{2}, "%").empty());
    BOOST_TEST(page(0, std::int64_t{1}, "%printer!_65%").size() == 1U);
    BOOST_TEST(page(0, std::int64_t{1}, "%printer!%65%").empty());
    BOOST_TEST(page(0, std::int64_t{1}, "%printer.example%").size() == 2U);

    BOOST_TEST(s.one(store::imported_certificate_stands, values(91)).integer(0) == 91);
    s.does(store::imported_certificate_guard, values(91));
    s.does(store::imported_certificate_replaced, values(91, 21));
    const auto replaced = store::ImportedCertificateRow::from(s.one(store::imported_certificate_by_serial, values(core::Bytes(8, 0x41), nullptr)));
    BOOST_TEST((replaced.status == "replaced" && replaced.successor == core::CertificateId(21)));
    // It may come again: the answer may have been lost.
    s.does(store::imported_certificate_guard, values(91));
    const auto counts = s.one(store::imported_certificate_count, values(81));
    BOOST_TEST((counts.integer(0) == 2 && counts.integer(1) == 1));

    s.does(store::imported_certificate_remove, values(91));
    s.misses(store::imported_certificate_remove, values(91));
    s.misses(store::imported_certificate_guard, values(91));
    BOOST_TEST(s.read(store::imported_certificate_stands, values(91)).empty());
    s.any(store::imported_certificates_remove_some, values(81, 0));
    s.does(store::imported_certificates_remove, values(81));
    s.misses(store::imported_certificates_remove_some, values(81, 1000));
    s.misses(store::imported_certificates_remove, values(81));
    s.does(store::predecessor_remove, values(81));
}

}  // namespace postern::contract
