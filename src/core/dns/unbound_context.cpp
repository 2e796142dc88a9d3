#include "core/dns/unbound_context.hpp"

#include <unbound.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <new>
#include <set>
#include <stdexcept>

#include "core/dns/names.hpp"

namespace postern::dns {
namespace {

void check(int outcome, const std::string& entry) {
    if (outcome != UB_NOERROR) throw std::invalid_argument("dns: " + entry + ": " + ::ub_strerror(outcome));
}

void set_option(ub_ctx* context, const char* name, const std::string& value) {
    check(::ub_ctx_set_option(context, name, value.c_str()), std::string(name) + " " + value);
}

/// libunbound takes any text for an address and fails later, so it is looked at here.
void check_server(const std::string& server, const std::string& entry, bool allow_loopback) {
    const auto at = server.find('@');
    boost::system::error_code bad;
    const auto address = boost::asio::ip::make_address(server.substr(0, at), bad);
    const std::string_view port = at == std::string::npos ? "53" : std::string_view(server).substr(at + 1);
    const bool digits = !port.empty() && port.size() <= 5 &&
                        std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (bad || !digits) throw std::invalid_argument("dns: " + entry + ": \"" + server + "\" is not ADDRESS or ADDRESS@PORT");
    if (address.is_loopback() && !allow_loopback) {
        throw std::invalid_argument("dns: " + entry + ": " + server +
                                    " is a loopback address; allow_loopback_servers permits that");
    }
}

/// "example.com" of a DS or DNSKEY line; "" for the root.
std::string anchor_owner(const std::string& line) {
    const std::string owner = line.substr(0, line.find_first_of(" \t"));
    if (owner == ".") return "";
    const auto name = canonical_name(owner);
    if (!name) throw std::invalid_argument("dns: trust anchor \"" + line + "\": " + name.error().detail);
    return *name;
}

/// True when the nearest trust anchor at or above `zone` is the root's.
bool only_root_above(const std::string& zone, const std::set<std::string>& anchors) {
    if (!anchors.contains("")) return false;
    for (std::optional<std::string_view> name = zone; name; name = parent_of(*name)) {
        if (anchors.contains(std::string(*name))) return false;
    }
    return true;
}

void add_servers(ub_ctx* context, const ResolverConfig& config) {
    bool loopback = config.allow_loopback_servers;
    for (const auto& server : config.servers) {
        check_server(server, "servers", config.allow_loopback_servers);
        check(::ub_ctx_set_fwd(context, server.c_str()), "server " + server);
    }
    // Where every question goes to the machine's own servers no stranger's delegation is followed,
    // so a local stub resolver (127.0.0.53) is fine.
    if (config.servers.empty() && ::ub_ctx_resolvconf(context, nullptr) == UB_NOERROR) loopback = true;
    set_option(context, "do-not-query-localhost:", loopback ? "no" : "yes");
}

void add_zones(ub_ctx* context, const ResolverConfig& config) {
    std::set<std::string> anchors;
    if (config.dnssec) {
        for (const auto& line : config.trust_anchors) {
            anchors.insert(anchor_owner(line));
            check(::ub_ctx_add_ta(context, line.c_str()), "trust anchor \"" + line + "\"");
        }
    }
    for (const auto& [zone, server] : config.stub_zones) {
        const auto name = canonical_name(zone);
        if (!name) throw std::invalid_argument("dns: stub zone: " + name.error().detail);
        check_server(server, "stub zone " + zone, config.allow_loopback_servers);
        check(::ub_ctx_set_stub(context, name->c_str(), server.c_str(), 0), "stub zone " + zone);
        // The root proves that a private zone does not exist.
        if (only_root_above(*name, anchors)) set_option(context, "domain-insecure:", *name);
    }
}

/// libunbound answers some zones (test., home.arpa. …) itself; not where the operator has said who
/// does. Finishes the context: options come before.
void remove_builtin_zones(ub_ctx* context, const ResolverConfig& config) {
    // What the servers' and zones' own checks let through is a line that is no trust anchor.
    check(::ub_ctx_zone_remove(context, "test."),
          "libunbound refuses the configuration; are all trust anchors lines like \"example.com. IN DS 12345 13 2 HEX\"?");
    for (const auto& entry : config.stub_zones) {
        const auto zone = canonical_name(entry.first);
        for (std::optional<std::string_view> name = *zone; name; name = parent_of(*name)) {
            check(::ub_ctx_zone_remove(context, (std::string(*name) + ".").c_str()), "stub zone " + entry.first);
        }
    }
}

}  // namespace

void ContextDeleter::operator()(ub_ctx* context) const noexcept {
    ::ub_ctx_delete(context);
}

Context make_context(const ResolverConfig& config) {
    Context context(::ub_ctx_create());
    if (!context) throw std::bad_alloc();
    ub_ctx* const raw = context.get();
    // What fails is told to whoever asked; nothing of it on standard error.
    check(::ub_ctx_debugout(raw, nullptr), "debug output");
    // A thread, not a fork: a forked process would inherit our descriptors and buffers.
    check(::ub_ctx_async(raw, 1), "thread mode");
    set_option(raw, "module-config:", config.dnssec ? "validator iterator" : "iterator");
    set_option(raw, "cache-max-negative-ttl:", std::to_string(config.max_negative_ttl.count()));
    set_option(raw, "cache-max-ttl:", std::to_string(config.max_ttl.count()));
    // A server that was down is tried again soon, not after a quarter of an hour.
    set_option(raw, "infra-host-ttl:", "60");
    set_option(raw, "infra-keep-probing:", "yes");
    add_servers(raw, config);
    add_zones(raw, config);
    remove_builtin_zones(raw, config);
    return context;
}

}  // namespace postern::dns
