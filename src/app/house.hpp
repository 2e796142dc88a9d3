#pragma once
#include <memory>
#include <optional>
#include <string>

#include "acme/acme.hpp"
#include "acme/fleet_nonces.hpp"
#include "api/api.hpp"
#include "azure/intune.hpp"
#include "app/config.hpp"
#include "app/data_folder.hpp"
#include "app/operations.hpp"
#include "ca/builtin/builtin_ca.hpp"
#include "ca/command/command_ca.hpp"
#include "core/async/cpu_pool.hpp"
#include "core/async/shards.hpp"
#include "core/crypto/system_random.hpp"
#include "core/http/outbound.hpp"
#include "core/observe/metrics.hpp"
#include "est/est.hpp"
#include "ra/approvals.hpp"
#include "ra/documents.hpp"
#include "ra/enrollment.hpp"
#include "ra/intune_enrollment.hpp"
#include "ra/intune_revocations.hpp"
#include "ra/laboratory.hpp"
#include "ra/poller.hpp"
#include "ra/refusals.hpp"
#include "ra/restoration.hpp"
#include "ra/sweeper.hpp"
#include "scep/ra_credentials.hpp"
#include "scep/ndes_page.hpp"
#include "scep/scep.hpp"
#include "store/nodes.hpp"
#include "validation/caa.hpp"
#include "validation/validator.hpp"

namespace postern::app {

/// Everything but the listeners, wired on one screen (house.cpp) and taken down backwards. The
/// server stands on one, and so does a verb that works in process.
class House {
public:
    /// `config.https` and the others carry their real ports already. Throws std::runtime_error that
    /// says what to do.
    /// `senders`: who delivers which kind of outgoing message.
    static core::Task<std::unique_ptr<House>> open(Config config, core::Shards& shards, observe::Log& log, ra::Senders senders);
    ~House();

    /// Ends background work and closes the store; called once, before the shards stop.
    core::Task<void> close(core::Deadline at);

    Config config;
    core::Shards& shards;
    observe::Log& log;
    core::SystemClock machine_clock;
    core::LaboratoryClock clock{machine_clock};  ///< the machine's, unless a laboratory has set it forward
    crypto::SystemRandom random;
    observe::Metrics metrics;
    DataFolder folder;
    core::TaskGroup tasks;
    core::CpuPool pool;
    std::unique_ptr<store::Database> db;
    std::unique_ptr<crypto::Sealer> sealer;
    std::unique_ptr<store::Numbers> numbers;
    std::unique_ptr<store::Lives> lives;
    store::NodeRegistry* registry = nullptr;  ///< `lives`, where other nodes share the store
    std::unique_ptr<ra::Laboratory> laboratory;
    std::unique_ptr<ra::ClockAgreement> clock_agreement;
    std::unique_ptr<ra::CatalogSource> catalog;
    ra::IssuingGate gate;
    std::unique_ptr<dns::Resolver> resolver;
    std::unique_ptr<validation::Validator> validator;
    std::unique_ptr<validation::Caa> caa;
    std::unique_ptr<http::Outbound> outbound;
    std::unique_ptr<azure::Intune> intune;
    std::unique_ptr<ca::BuiltinCa> builtin;
    std::unique_ptr<ca::command::Commands> commands;
    ca::Backends backends;
    std::unique_ptr<ra::IntuneNotices> intune_notices;
    std::unique_ptr<ra::Outbox> outbox;
    std::unique_ptr<ra::Refusals> refusals;
    std::unique_ptr<ra::Enrollment> enrollment;
    std::unique_ptr<ra::Sweeper> sweeper;
    std::unique_ptr<ra::Approvals> approvals;
    std::unique_ptr<ra::Poller> poller;
    std::optional<observe::Counter> unpublished, unasked;  ///< alarms of the revocation's
    std::unique_ptr<ra::Revocation> revocation;
    std::unique_ptr<ra::IntuneEnrollment> intune_enrollment;
    std::unique_ptr<ra::IntuneRevocations> intune_revocations;
    std::unique_ptr<ra::Predecessors> predecessors;
    std::unique_ptr<ra::ImportedCertificates> imported_certificates;
    std::unique_ptr<ra::PredecessorStatus> predecessor_status;
    std::unique_ptr<ra::BlockedKeys> blocked_keys;
    std::unique_ptr<ra::ProfilePauses> profile_pauses;
    std::unique_ptr<ra::ParkedMessages> parked_messages;
    std::unique_ptr<ra::Principals> principals;
    std::unique_ptr<ra::Documents> documents;
    std::unique_ptr<ra::Restoration> restoration;
    std::unique_ptr<Operations> operations;
    std::unique_ptr<acme::Nonces> nonces;
    acme::FleetNonces* fleet_nonces = nullptr;  ///< `nonces`, where other nodes share the store
    std::unique_ptr<acme::Acme> acme;
    std::unique_ptr<ca::KeyStore> ra_keys;
    std::unique_ptr<scep::RaCredentials> ra_credentials;
    std::unique_ptr<scep::Scep> scep;
    std::unique_ptr<ra::OneTimeChallenges> challenges;
    std::unique_ptr<scep::NdesPage> ndes_page;
    est::Proxies est_proxies;
    std::unique_ptr<ra::EstDevices> est_devices;
    std::unique_ptr<est::Est> est;
    std::unique_ptr<api::Api> api;
    /// How often is looked at what is due in weeks. In a laboratory they pass in a moment.
    [[nodiscard]] std::chrono::milliseconds between_looks() const noexcept {
        return config.lab ? std::chrono::milliseconds(std::chrono::seconds(1)) : std::chrono::milliseconds(std::chrono::minutes(1));
    }
    bool first_start = false;
    /// Credentials of the accounts that the first start made, for a terminal; empty otherwise.
    std::vector<ra::GeneratedSecret> first_secrets;
    std::string first_account_file;  ///< where they are (0600) when nobody watches; empty otherwise

private:
    House(Config c, core::Shards& s, observe::Log& l);
};

}  // namespace postern::app
