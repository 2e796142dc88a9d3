#pragma once
#include "core/async/cpu_pool.hpp"
#include "ra/predecessors.hpp"
#include "store/tables/imported_certificate.hpp"

namespace postern::ra {

/// Certificates of predecessors that devices still hold: each is a right to renew at one endpoint, under one account. They are
/// not Postern's: no CRL here lists them, so they are revoked where they came from, and can be deleted.
class ImportedCertificates {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        const CatalogSource& catalog;
        core::CpuPool& pool;
        const core::Clock& clock;
    };
    explicit ImportedCertificates(Deps deps) : deps_(deps) {}

    /// One part of an import.
    struct Order {
        Order() = default;
        std::string predecessor, endpoint, account;  ///< names; the endpoint says whose they are
        std::vector<core::Bytes> certificates;       ///< at most `most_of_a_part`
        std::string source;                          ///< for the audit row
        std::optional<std::int64_t> continues;       ///< the import that these are a further part of
    };
    static constexpr std::size_t most_of_a_part = 1000;
    struct Report {
        Report() = default;
        std::int64_t import = 0;  ///< its audit row
        std::int64_t added = 0;
        std::int64_t known = 0;    ///< were there already, from this import or another
        std::int64_t expired = 0;  ///< left out: nothing can be renewed with them
        std::vector<std::pair<std::size_t, std::string>> refused;  ///< index, and why
    };
    /// What is wrong with a certificate is said of that one; the rest is kept. A part that is sent again changes nothing.
    /// Errors: not_found for the names, malformed for what they are not for.
    core::Task<core::Result<Report>> add(Order order, Principal by, core::RequestId request);

    /// Up to `limit` with id > after, whose subject or names hold `text`.
    core::Task<store::Rows> page(std::int64_t after, std::int64_t limit, std::string text, Principal by);
    /// By serial or SHA-256 in lower-case hex; one certificate may be on record for several endpoints.
    core::Task<std::vector<store::ImportedCertificateRow>> find(std::string hex, Principal by);
    /// Takes the right to renew away, at every endpoint. How many there were. Errors: not_found (none was), conflict (several certificates have that
    /// serial, or somebody else was first).
    core::Task<core::Result<std::size_t>> remove(std::string hex, Principal by, core::RequestId request);

private:
    struct Judged;
    static Judged judge(const Predecessor& predecessor, std::vector<core::Bytes> ders, core::TimePoint now);
    core::Task<void> drop_known(core::EndpointId endpoint, Judged& judged, Report& report);
    Deps deps_;
};

}  // namespace postern::ra
