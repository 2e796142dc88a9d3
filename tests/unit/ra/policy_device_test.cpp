#include "tests/unit/ra/policy_case.hpp"

/// Devices that an account tells apart, and keys that are used again.
BOOST_AUTO_TEST_SUITE(policy_device)

using namespace postern;
using namespace postern::test;
using namespace postern::test::policy;
using core::ProblemKind;

namespace {

/// Device 4711 of an account that goes by its manufacturer.
struct Device : Case {
    Device() {
        device("4711", {"*"});
        request.via = catalog.endpoints[0].protocol = ra::Protocol::est;
        account->method = ra::AccountMethod::certificate;
        request.evidence = {ra::Evidence::manufacturer("00ff", "4711", "Example Root", now)};
        request.device.emplace();
        request.device->serial = "4711";
        request.device->manufacturer = "Example Root";
        request.device->named_by_serial = true;
        request.device->key = core::Bytes(32, 1);
    }
    core::Result<void> judge() {
        trace = {};
        ra::PolicyInput in{request, catalog, backends, &catalog.tenants[0], &catalog.endpoints[0], &*account, &catalog.profiles[0], now, {}, {}, {}};
        ra::fill_names(in);
        return ra::decide(in, trace);
    }
    void refused(std::string_view check, std::string_view part) {
        const auto result = judge();
        BOOST_TEST_REQUIRE(!result.has_value());
        check_problem(result.error(), ProblemKind::forbidden, check, part);
    }
    void passes() {
        const auto result = judge();
        BOOST_TEST(result.has_value(), (result ? std::string() : result.error().check + ": " + result.error().detail));
    }
    void ask_for(const std::vector<std::string>& common_names, const std::vector<GeneralName>& names = {}) { csr(names, common_names); }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_device_is_called_by_its_serial_number, Device) {
    passes();
    ask_for({"4711"}, {host("4711.corp.example")});
    passes();
    for (const auto& [cn, names] : std::vector<std::pair<std::string, std::vector<GeneralName>>>{
             {"4712", {}}, {"47110", {}}, {"4711 ", {}}, {"4711", {host("4712.corp.example")}}, {"4711", {host("corp.example")}}, {"4711", {host("4711.corp.example"), host("www.corp.example")}}}) {
        ask_for({cn}, names);
        const auto result = judge();
        BOOST_TEST_REQUIRE(!result.has_value(), cn);
        BOOST_TEST((result.error().check == "device.names" || result.error().check == "subject.text"), result.error().check);
    }
    ask_for({"4711", "4712"});
    BOOST_TEST(!judge().has_value());
    request.device->named_by_serial = false;
    ask_for({"4712"});
    passes();
}

BOOST_FIXTURE_TEST_CASE(letter_case_counts_in_a_serial_number_and_not_in_a_host, Device) {
    request.device->serial = "SN-7";
    ask_for({"sn-7"});
    refused("device.names", "by its serial number alone, which is SN-7");
    ask_for({"SN-7"}, {host("sn-7.corp.example")});
    passes();
}

BOOST_FIXTURE_TEST_CASE(only_listed_devices_where_the_account_says_so, Device) {
    request.device->must_be_listed = true;
    refused("device.allowed", "not on the list of account team");
    request.device->listed = true;
    passes();
    BOOST_TEST(contains(trace.to_json(), "device 4711 of Example Root, listed"));
    request.device->serial.clear();
    refused("device.allowed", "nothing says which device asks");
}

BOOST_FIXTURE_TEST_CASE(the_first_key_of_a_device_stays, Device) {
    request.device->first_use = true;
    passes();
    request.device->pinned = request.device->key;
    passes();
    request.device->pinned = core::Bytes(32, 2);
    request.device->pinned_at = now;
    refused("device.allowed", "another key came first as this device, at 2027-01-15T08:00:00Z: SPKI SHA-256 0202");
    request.device->first_use = false;  // the account does not ask any more
    passes();
}

BOOST_FIXTURE_TEST_CASE(evidence_is_for_its_method, Device) {
    account->method = ra::AccountMethod::basic;
    refused("evidence.sufficient", "neither a password, nor a token, nor a certificate");
    request.evidence = {ra::Evidence::of(ra::Evidence::Kind::password, "user", now)};
    passes();
    account->method = ra::AccountMethod::certificate;
    refused("evidence.sufficient", "neither a password");
    request.evidence = {ra::Evidence::of(ra::Evidence::Kind::challenge, "one-time", now)};
    refused("evidence.sufficient", "neither a password");
    account->method = ra::AccountMethod::one_time;
    passes();
}

BOOST_FIXTURE_TEST_CASE(keys_are_not_reused_where_the_profile_says_so, Device) {
    request.evidence[0] = std::move(request.evidence[0]).resting_on("est_device", 7, request.csr->key().spki());
    passes();
    catalog.profiles[0].refuse_key_reuse = true;
    refused("key.reuse", "a new key for each certificate");
    request.evidence = {ra::Evidence::of(ra::Evidence::Kind::certificate, "00", now).resting_on("certificate", 7, request.csr->key().spki())};
    refused("key.reuse", "a new key for each certificate");
    request.evidence[0].key = core::Bytes(3, 1);
    passes();
}

BOOST_AUTO_TEST_CASE(evidence_is_read_back) {
    std::vector<ra::Evidence> evidence;
    evidence.push_back(ra::Evidence::manufacturer("00ff", "4711", "Example Root (aa)", now).resting_on("est_device", 7, core::Bytes(3, 1)));
    const auto back = ra::evidence_from_json(ra::to_json(evidence));
    BOOST_TEST_REQUIRE(back.size() == 1U);
    BOOST_TEST((back[0].kind == ra::Evidence::Kind::manufacturer && back[0].subject == "00ff" && back[0].identifier == "4711" && back[0].method == "Example Root (aa)"));
    BOOST_TEST((back[0].requester == "est_device" && back[0].row == 7 && back[0].key == core::Bytes(3, 1)));
}

BOOST_AUTO_TEST_SUITE_END()
