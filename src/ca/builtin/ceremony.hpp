#pragma once
#include "ca/builtin/authority.hpp"
#include "ca/builtin/builtin_ca.hpp"
#include "ca/builtin/key_rows.hpp"

namespace postern::ca {

/// Makes root and issuing CA: keys and certificates in memory only. RSA keys take seconds: run it
/// on the pool. Throws std::runtime_error for a configuration that cannot work (lifetimes).
Hierarchy make_hierarchy(const BuiltinConfig& config, core::Random& random, core::TimePoint now);

/// Keys and both rows in one batch; where keys are files, these come first, durable: a cut between them
/// leaves files without rows, which the next first start ignores. False: another node made the CA.
core::Task<bool> record_hierarchy(std::shared_ptr<const Hierarchy> made, KeyStore& keys, store::Database& db, core::TimePoint now);

/// What is made for a day to come: an issuing CA, under today's root or under a new one that comes with it.
struct Succession {
    Succession() = default;
    std::optional<Authority> root;
    Authority issuing;
    std::vector<std::shared_ptr<const CrossCertificate>> crossed;  ///< NewWithOld, then OldWithNew; none where the old root has ended
};
/// By the configuration of today. The issuing CA is valid from now on so that who asks for it early can be served, and `issuing_lifetime`
/// beyond the time at which it takes over, or as long as its root. Run it on the pool.
Succession make_succession(const BuiltinConfig& config, const Hierarchy& hierarchy, core::Random& random, core::TimePoint now, core::TimePoint takes_over, NewRoot new_root);
/// The last second of a root that takes over then.
core::TimePoint end_of_next_root(const BuiltinConfig& config, core::TimePoint takes_over);
/// Keys and rows, to be written with whatever else the batch has.
void record_succession(store::Batch& batch, const Succession& made, KeyStore& keys, core::TimePoint now);

/// Reads the rows and opens the keys; nullopt before the first start. Every check of D12, with
/// std::runtime_error that says what to do. One that has ended by `now`, and is succeeded or withdrawn, needs no key.
core::Task<std::optional<Hierarchy>> load_hierarchy(KeyRows& keys, store::Database& db, core::TimePoint now);

}  // namespace postern::ca
