#include "store/tables/est_device.hpp"
#include "tests/contract/store.hpp"

namespace postern::contract {

using store::values;

namespace {

store::EstDeviceRow device_of(std::int64_t id, std::string serial, std::string manufacturer = {}) {
    store::EstDeviceRow row;
    row.id = id;
    row.tenant = core::TenantId(1);
    row.endpoint = core::EndpointId(6);
    row.account = core::AccountId(7);
    row.serial_number = std::move(serial);
    row.manufacturer = std::move(manufacturer);
    row.created = now;
    row.created_by = "principal factory";
    return row;
}

}  // namespace

void est_devices(Store& s) {
    s.add_objects();
    s.add_enrollments();
    auto named = device_of(1, "4711", "Example Devices");
    named.subject = R"(["CN=router-7"])";
    named.names = R"(["dns:router-7.example"])";
    s.does(store::est_device_list, named.insert_values());
    BOOST_TEST(bool(store::EstDeviceRow::from(s.one(store::est_device_named, values(7, "4711", "Example Devices"))).insert_values() == named.insert_values()));
    auto again = device_of(2, "4711", "Example Devices");
    s.misses(store::est_device_list, again.insert_values());  // it stays as it was listed first
    s.does(store::est_device_list, device_of(3, "4711").insert_values());
    s.does(store::est_device_list, device_of(4, "4711", "another maker").insert_values());

    // The maker's own entry before that of any maker; another maker's never.
    const auto find = [&](const char* name, const char* digest) { return s.read(store::est_device_find, values(7, "4711", name, digest)); };
    const auto both = find("Example Devices", "00ff");
    BOOST_TEST_REQUIRE(both.size() == 2U);
    BOOST_TEST((both[0].integer(0) == 1 && both[1].integer(0) == 3));
    BOOST_TEST(find("a stranger", "00ff").size() == 1U);
    BOOST_TEST(s.read(store::est_device_find, values(99, "4711", "", "")).empty());
    auto known = values(7, "4711", "none");
    known.resize(1 + store::est_device_known_size, std::monostate{});
    BOOST_TEST(s.read(store::est_device_known, known).size() == 3U);

    // The first key wins.
    const core::Bytes key(32, 0x11), other(32, 0x22);
    s.does(store::est_device_pin, values(1, key, now, 12));
    s.misses(store::est_device_pin, values(1, other, later, 11));
    s.misses(store::est_device_unpin, values(1, 11));
    auto row = store::EstDeviceRow::from(s.one(store::est_device_named, values(7, "4711", "Example Devices")));
    BOOST_TEST((row.pinned_spki == key && row.pinned == now && row.pinned_enrollment == core::EnrollmentId(12)));
    s.does(store::est_device_unpin, values(1, 12));
    s.misses(store::est_device_release, values(1));
    s.does(store::est_device_pin, values(1, other, later, 11));
    s.does(store::est_device_release, values(1));

    // One that came by itself is listed later and keeps its key.
    auto seen = device_of(5, "0815");
    seen.listed = false;
    seen.pinned_spki = key;
    seen.pinned = now;
    seen.pinned_enrollment = core::EnrollmentId(11);
    s.does(store::est_device_seen, seen.insert_values());
    s.duplicates(store::est_device_seen, device_of(6, "0815").insert_values());
    known[1] = std::string("0815");
    BOOST_TEST(s.read(store::est_device_known, known).empty());
    s.does(store::est_device_list, device_of(7, "0815").insert_values());
    row = store::EstDeviceRow::from(s.one(store::est_device_by_serial, values(7, "0815")));
    BOOST_TEST((row.id == 5 && row.listed && row.pinned_spki == key));

    s.does(store::est_device_enrolled, values(5, 21));
    BOOST_TEST((store::EstDeviceRow::from(s.one(store::est_device_by_serial, values(7, "0815"))).certificate == core::CertificateId(21)));
    BOOST_TEST(s.read(store::est_device_page, values(7, 0, 10)).size() == 4U);
    BOOST_TEST(s.one(store::est_device_page, values(7, 4, 1)).integer(0) == 5);
    BOOST_TEST(s.one(store::est_device_stands, values(5)).integer(0) == 5);
    s.does(store::est_device_guard, values(5));
    s.does(store::est_device_remove, values(5));
    s.misses(store::est_device_guard, values(5));
    BOOST_TEST(s.read(store::est_device_stands, values(5)).empty());
    s.is_referenced(store::account_remove, values(7, 1));

    // By the kind of account.
    s.does(store::account_insert, values(81, 1, "factory", "active", 1, "{}", now, now, "test", 6, 2, 3, "certificate", nullptr, nullptr));
    s.does(store::account_insert, values(82, 1, "off", "disabled", 1, "{}", now, now, "test", 6, 2, 3, "certificate", nullptr, nullptr));
    s.does(store::account_insert, values(83, 1, "user", "active", 1, "{}", now, now, "test", 6, 2, 3, "basic", "basic-1", nullptr));
    BOOST_TEST(s.read(store::account_with_devices, values(6, nullptr)).size() == 3U);
    BOOST_TEST(s.one(store::account_with_devices, values(6, "user")).integer(0) == 83);
    BOOST_TEST(s.one(store::account_anchored, values(6)).integer(0) == 81);
}

}  // namespace postern::contract
