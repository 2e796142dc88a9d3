// What stands in answers: addresses, character-strings, CAA.
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/address.hpp>
#include <algorithm>

#include "core/dns/names.hpp"

namespace postern::dns {
namespace {

namespace ip = boost::asio::ip;

template <class Address>
void append_addresses(std::vector<std::string>& out, const Answer& answer) {
    for (const core::Bytes& rdata : answer.rdata) {
        typename Address::bytes_type octets{};
        if (rdata.size() != octets.size()) continue;
        std::copy(rdata.begin(), rdata.end(), octets.begin());
        out.push_back(Address(octets).to_string());
    }
}

bool is_alphanumeric(std::uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

char lower(std::uint8_t c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

}  // namespace

core::Task<core::Result<std::vector<std::string>>> addresses(Resolver& resolver, std::string name,
                                                              core::Deadline deadline) {
    using namespace boost::asio::experimental::awaitable_operators;
    auto ask_v6 = resolver.lookup(name, RecordType::aaaa, deadline);
    auto ask_v4 = resolver.lookup(name, RecordType::a, deadline);
    auto both = std::move(ask_v6) && std::move(ask_v4);
    auto answers = co_await std::move(both);
    auto& [v6, v4] = answers;
    std::vector<std::string> found;
    if (v6) append_addresses<ip::address_v6>(found, *v6);
    if (v4) append_addresses<ip::address_v4>(found, *v4);
    if (found.empty() && !v4) co_return v4.error();
    if (found.empty() && !v6) co_return v6.error();
    co_return found;
}

core::Result<std::vector<std::string>> txt_strings(const Answer& answer) {
    std::vector<std::string> records;
    records.reserve(answer.rdata.size());
    for (const core::Bytes& rdata : answer.rdata) {
        std::string joined;
        std::size_t at = 0;
        while (at < rdata.size()) {
            const std::size_t length = rdata[at++];
            if (length > rdata.size() - at) {
                return dns_problem("a TXT record of " + answer.canonical_name + " ends inside a character-string");
            }
            joined += core::as_text(core::BytesView(rdata).subspan(at, length));
            at += length;
        }
        records.push_back(std::move(joined));
    }
    return records;
}

core::Result<std::vector<CaaRecord>> caa_records(const Answer& answer) {
    std::vector<CaaRecord> records;
    records.reserve(answer.rdata.size());
    for (const core::Bytes& rdata : answer.rdata) {
        // RFC 8659 §4.1: flags, tag length (at least 1), tag, value.
        if (rdata.size() < 2 || rdata[1] == 0 || rdata[1] > rdata.size() - 2) {
            return dns_problem("a CAA record of " + answer.canonical_name + " is shorter than its tag");
        }
        CaaRecord record;
        record.flags = rdata[0];
        const std::size_t tag = rdata[1];
        for (const std::uint8_t c : core::BytesView(rdata).subspan(2, tag)) {
            if (!is_alphanumeric(c)) {
                return dns_problem("a CAA record of " + answer.canonical_name +
                                   " has a tag with other characters than letters and digits");
            }
            record.tag += lower(c);
        }
        record.value = core::as_text(core::BytesView(rdata).subspan(2 + tag));
        records.push_back(std::move(record));
    }
    return records;
}

}  // namespace postern::dns
