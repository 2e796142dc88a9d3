#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/async/task.hpp"
#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace postern::dns {

enum class RecordType : std::uint16_t { a = 1, cname = 5, txt = 16, aaaa = 28, caa = 257 };

struct CaaRecord {
    CaaRecord() = default;
    std::uint8_t flags = 0;
    std::string tag;  ///< lower case
    std::string value;
};

/// What came back for one question. No data and NXDOMAIN are answers, not errors.
struct Answer {
    Answer() = default;
    std::vector<core::Bytes> rdata;  ///< raw record data in the order given
    std::string canonical_name;      ///< end of the CNAME chain, no final dot; else the name asked
    bool nxdomain = false;
    bool secure = false;             ///< DNSSEC validated
};

/// Injected look-ups. Errors: `dns` for SERVFAIL, time-out and bogus DNSSEC (data that comes with
/// a bogus answer is never shown).
class Resolver {
public:
    virtual ~Resolver() = default;
    virtual core::Task<core::Result<Answer>> lookup(std::string name, RecordType type, core::Deadline deadline) = 0;
};

/// Textual addresses, IPv6 first; empty when the name has none.
/// One family's failure is forgiven when the other has addresses.
core::Task<core::Result<std::vector<std::string>>> addresses(Resolver& resolver, std::string name,
                                                              core::Deadline deadline);
/// One string a record, its character-strings joined (RFC 8555 §8.4).
core::Result<std::vector<std::string>> txt_strings(const Answer& answer);
/// RFC 8659 §4.1; `dns` Problem for malformed rdata.
core::Result<std::vector<CaaRecord>> caa_records(const Answer& answer);

struct ResolverConfig {
    ResolverConfig() = default;
    /// "ADDR" or "ADDR@PORT" of recursive servers; empty: those of /etc/resolv.conf, and where there
    /// is no such file own recursion from the root.
    std::vector<std::string> servers;
    /// zone -> "ADDR@PORT", asked as an authority. Below the root's trust anchor such a zone counts
    /// as unsigned unless it has an anchor of its own.
    std::map<std::string, std::string> stub_zones;
    /// "name" or "*.suffix" -> addresses. Such a name is answered from here alone; its CAA, TXT
    /// and CNAME are empty.
    std::vector<std::pair<std::string, std::string>> static_hosts;
    std::vector<std::string> trust_anchors;         ///< DS or DNSKEY lines, one zone each
    bool dnssec = true;                             ///< validate where a trust anchor is known
    bool allow_loopback_servers = false;            ///< servers and stub_zones on 127.0.0.1 or ::1
    std::chrono::milliseconds timeout{5000};        ///< one question, below the request's deadline
    std::chrono::seconds max_negative_ttl{5};
    /// Short: who corrects a record and asks again must be judged by the new one.
    std::chrono::seconds max_ttl{5};
};

/// libunbound, driven by `executor` (all calls and completions on it or posted to it; lookups may
/// be started from any executor and resume there). One cache for all shards. Queries that are under
/// way when the resolver is destroyed still end; `executor` must outlive them. Throws
/// std::invalid_argument for a configuration that cannot be, naming the entry.
std::unique_ptr<Resolver> make_unbound_resolver(core::Executor executor, const ResolverConfig& config);

}  // namespace postern::dns
