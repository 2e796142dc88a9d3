#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "store/postgres/open.hpp"
#include "tests/contract/store.hpp"
#include "tests/support/postgres.hpp"

/// Every family on every engine, and the proof that no named statement is left out.
BOOST_AUTO_TEST_SUITE(contract)

using namespace postern;
using namespace postern::contract;

namespace {

constexpr Family families[] = {
    &configuration_objects, &configuration_references, &principals_and_settings, &audit_records, &enrollments,
    &certificates,          &authorities,              &acme_accounts,           &acme_account_life, &acme_replacements, &acme_orders,   &acme_authorizations,
    &blocked_keys,          &profile_pauses,          &ra_certificates,          &ra_requests,
    &predecessors,          &imported_certificates,
    &restorations,
    &leases,                &outbox_messages,          &nodes,                   &nonces,        &sealed_keys,
    &submissions,           &refused_submissions,      &resolved_submissions, &revocation_requests,
    &approvals,             &void_approvals,           &ended_approvals,         &restored_approvals, &declined_for_good,
    &credential_uses,       &scep_challenges,          &est_devices,              &intune_requests,         &intune_revocations,
};

void on_every_engine(Family family) {
    for (const auto& engine : engines()) BOOST_TEST_CONTEXT(engine.name) {
        Touched touched;
        Store store(engine, touched);
        family(store);
    }
}

/// What all families together carry out, found out once.
const Touched& touched_by_all(const Engine& engine) {
    static std::map<std::string, Touched> known;
    const auto [found, fresh] = known.try_emplace(engine.name);
    if (!fresh) return found->second;
    for (const auto family : families) {
        Store store(engine, found->second);
        family(store);
    }
    return found->second;
}

std::string text_of(const std::filesystem::path& path) {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
}

std::vector<std::smatch> matches(const std::string& text, const char* pattern) {
    const std::regex form(pattern);
    return {std::sregex_iterator(text.begin(), text.end(), form), std::sregex_iterator()};
}

/// Names of all statements that the headers of store/tables define.
std::set<std::string> all_statements() {
    std::set<std::string> out;
    std::vector<std::string> kinds, verbs;
    for (const auto& entry : std::filesystem::directory_iterator(POSTERN_SOURCE_DIR "/src/store/tables")) {
        if (entry.path().extension() != ".hpp") continue;
        const auto text = text_of(entry.path());
        for (const auto& m : matches(text, R"(constexpr Statement (\w+)\s*\{\s*"(\w+)\")")) {
            BOOST_TEST(m[1].str() == m[2].str(), "a statement is known by its variable's name");
            out.insert(m[2]);
        }
        for (const auto& m : matches(text, R"(constexpr Statement KIND##_(\w+)\s*\{)")) verbs.push_back(m[1]);
        for (const auto& m : matches(text, R"(\nPOSTERN_OBJECT_KIND\((\w+),)")) kinds.push_back(m[1]);
    }
    for (const auto& kind : kinds)
        for (const auto& verb : verbs) out.insert(kind + "_" + verb);
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(configuration_objects_are_kept_by_version) { on_every_engine(&configuration_objects); }
BOOST_AUTO_TEST_CASE(configuration_references_hold) { on_every_engine(&configuration_references); }
BOOST_AUTO_TEST_CASE(principals_and_settings_are_kept) { on_every_engine(&principals_and_settings); }
BOOST_AUTO_TEST_CASE(audit_records_are_found_by_request_and_object) { on_every_engine(&audit_records); }
BOOST_AUTO_TEST_CASE(enrollments_move_along_their_edges_only) { on_every_engine(&enrollments); }
BOOST_AUTO_TEST_CASE(certificates_are_found_and_revoked_once) { on_every_engine(&certificates); }
BOOST_AUTO_TEST_CASE(authorities_number_their_crls_upwards) { on_every_engine(&authorities); }
BOOST_AUTO_TEST_CASE(acme_accounts_are_good_on_their_endpoint) { on_every_engine(&acme_accounts); }
BOOST_AUTO_TEST_CASE(acme_accounts_stand_until_they_are_deactivated) { on_every_engine(&acme_account_life); }
BOOST_AUTO_TEST_CASE(acme_orders_replace_a_certificate_one_at_a_time) { on_every_engine(&acme_replacements); }
BOOST_AUTO_TEST_CASE(acme_orders_are_claimed_once) { on_every_engine(&acme_orders); }
BOOST_AUTO_TEST_CASE(acme_authorizations_move_along_their_edges_only) { on_every_engine(&acme_authorizations); }
BOOST_AUTO_TEST_CASE(restorations_make_void_what_was_pending) { on_every_engine(&restorations); }

BOOST_AUTO_TEST_CASE(blocked_keys_are_found_by_any_of_their_digests) { on_every_engine(&blocked_keys); }
BOOST_AUTO_TEST_CASE(a_pause_counts_for_one_version_of_a_profile) { on_every_engine(&profile_pauses); }

BOOST_AUTO_TEST_CASE(a_lease_has_one_holder_at_a_time) { on_every_engine(&leases); }
BOOST_AUTO_TEST_CASE(a_submission_is_one_askers_at_a_time) { on_every_engine(&submissions); }
BOOST_AUTO_TEST_CASE(a_refused_submission_frees_its_attempt) { on_every_engine(&refused_submissions); }
BOOST_AUTO_TEST_CASE(an_unknown_request_is_resolved_once) { on_every_engine(&resolved_submissions); }
BOOST_AUTO_TEST_CASE(a_revocation_is_asked_for_until_it_is_answered) { on_every_engine(&revocation_requests); }
BOOST_AUTO_TEST_CASE(an_approval_is_for_what_was_seen) { on_every_engine(&approvals); }
BOOST_AUTO_TEST_CASE(a_void_approval_is_asked_for_again) { on_every_engine(&void_approvals); }
BOOST_AUTO_TEST_CASE(an_ended_wait_frees_its_attempt) { on_every_engine(&ended_approvals); }
BOOST_AUTO_TEST_CASE(restoring_ends_every_wait) { on_every_engine(&restored_approvals); }
BOOST_AUTO_TEST_CASE(a_declined_attempt_is_free_after_its_time) { on_every_engine(&declined_for_good); }
BOOST_AUTO_TEST_CASE(outbox_messages_are_claimed_by_fence) { on_every_engine(&outbox_messages); }

BOOST_AUTO_TEST_CASE(a_node_is_gone_when_its_beat_stands_still) { on_every_engine(&nodes); }
BOOST_AUTO_TEST_CASE(a_nonce_is_used_once_in_its_epoch) { on_every_engine(&nonces); }
BOOST_AUTO_TEST_CASE(credentials_are_reserved_once) { on_every_engine(&credential_uses); }
BOOST_AUTO_TEST_CASE(one_time_challenges_are_withdrawn_and_forgotten) { on_every_engine(&scep_challenges); }
BOOST_AUTO_TEST_CASE(a_device_is_known_by_its_first_key) { on_every_engine(&est_devices); }
BOOST_AUTO_TEST_CASE(what_intune_validated_is_kept_until_it_is_told) { on_every_engine(&intune_requests); }
BOOST_AUTO_TEST_CASE(what_intune_wants_revoked_is_answered_once) { on_every_engine(&intune_revocations); }
BOOST_AUTO_TEST_CASE(ra_certificates_overlap) { on_every_engine(&ra_certificates); }
BOOST_AUTO_TEST_CASE(predecessors_are_kept_with_their_certificates) { on_every_engine(&predecessors); }
BOOST_AUTO_TEST_CASE(imported_certificates_are_known_once_an_endpoint) { on_every_engine(&imported_certificates); }
BOOST_AUTO_TEST_CASE(ra_requests_are_kept_until_they_are_settled) { on_every_engine(&ra_requests); }
BOOST_AUTO_TEST_CASE(sealed_keys_stay_as_they_were_first_written) { on_every_engine(&sealed_keys); }

BOOST_AUTO_TEST_CASE(no_statement_is_left_out) {
    const auto all = all_statements();
    BOOST_TEST(all.size() > 70U);
    BOOST_TEST((all.contains("profile_update") && all.contains("enrollment_guard")));
    for (const auto& engine : engines()) {
        const Touched& touched = touched_by_all(engine);
        for (const auto& name : all) BOOST_TEST(touched.contains(name), engine.name << ": no case carries out " << name);
    }
}

/// Statements that go through a table on purpose.
const std::set<std::string> whole_table{
    // Once, when an installation is restored, before anybody is served.
    "acme_authorization_void_all", "acme_challenge_void_all", "principal_remove_all", "account_void_secrets",
    // The CAs of an installation, foreign ones too, and their RAs: a handful.
    "authority_all", "cross_certificate_all", "succession_all", "succession_none_waits", "issuer_chain_newest", "ra_certificate_none_of",
};

/// What becomes slower with the table when it is asked of a large one.
BOOST_AUTO_TEST_CASE(no_statement_needs_to_read_a_whole_table) {
    const Touched& touched = touched_by_all(engines().at(1));
    const test::Schema schema;
    store::PostgresSettings settings;
    settings.url = schema.url();
    core::SystemClock clock;
    observe::Metrics metrics;
    store::open_postgres(settings, clock, metrics);
    test::Session session(schema.url());
    // The planner then takes a sequential scan only where no index can be used.
    session.run("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan");
    for (const auto& name : all_statements()) BOOST_TEST_CONTEXT(name) {
        if (!touched.contains(name)) continue;  // no_statement_is_left_out tells
        const auto& s = *touched.at(name);
        const std::string text(s.postgres.empty() ? s.sql : s.postgres);
        std::size_t parameters = 0;
        for (const auto& m : matches(text, R"(\$(\d+))")) parameters = std::max(parameters, static_cast<std::size_t>(std::stoul(m[1])));
        std::string nulls;
        for (std::size_t i = 0; i < parameters; ++i) nulls += i == 0 ? "(NULL" : ", NULL";
        session.run("PREPARE " + name + " AS " + text);
        std::string plan;
        for (const auto& line : session.run("EXPLAIN EXECUTE " + name + nulls + (parameters == 0 ? "" : ")"))) plan += line.at(0) + "\n";
        const bool scans = plan.find("Seq Scan on") != std::string::npos;
        BOOST_TEST(scans == whole_table.contains(name), plan);
    }
}

BOOST_AUTO_TEST_SUITE_END()
