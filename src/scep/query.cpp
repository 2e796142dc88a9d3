#include "scep/query.hpp"

#include <algorithm>

#include "core/base/encoding.hpp"

namespace postern::scep {
namespace {

using core::Problem;
using core::ProblemKind;

constexpr std::size_t longest_identifier = 255;

Problem bad(std::string detail) { return {ProblemKind::malformed, std::move(detail), "scep.query"}; }

/// "+" stays what it is.
std::optional<std::string> percent_decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        if (text.size() - i < 3) return std::nullopt;
        const auto octet = core::from_hex(text.substr(i + 1, 2));
        if (!octet) return std::nullopt;
        out.push_back(static_cast<char>(octet->front()));
        i += 2;
    }
    return out;
}

}  // namespace

core::Result<Query> read_query(std::string_view target) {
    Query out;
    const auto mark = target.find('?');
    if (mark == std::string_view::npos) return out;
    std::string_view rest = target.substr(mark + 1);
    if (rest.size() > longest_query) return bad("the query is longer than 64 KiB");
    bool operation_seen = false;
    while (!rest.empty()) {
        const auto end = std::min(rest.find('&'), rest.size());
        const std::string_view pair = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const auto equals = std::min(pair.find('='), pair.size());
        const auto name = percent_decoded(pair.substr(0, equals));
        if (!name) return bad("the query's percent-encoding is broken");
        const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
        if (*name == "operation") {
            auto operation = percent_decoded(value);
            if (!operation) return bad("the operation's percent-encoding is broken");
            if (operation_seen) return bad("the query has two operations");
            operation_seen = true;
            out.operation = std::move(*operation);
        } else if (*name == "message") {
            if (out.message) return bad("the query has two messages");
            out.message = value;
        }
    }
    return out;
}

core::Result<Operation> get_operation(const Query& query) {
    if (query.operation == "GetCACaps") return Operation::get_ca_caps;
    if (query.operation == "GetCACert") return Operation::get_ca_cert;
    if (query.operation == "GetNextCACert") return Operation::get_next_ca_cert;
    if (query.operation == "PKIOperation") return Operation::pki_operation;
    return bad("the operation is missing or unknown; there are GetCACaps, GetCACert, GetNextCACert and PKIOperation");
}

core::Result<Operation> post_operation(const Query& query) {
    if (query.operation.empty() || query.operation == "PKIOperation") return Operation::pki_operation;
    return bad("only PKIOperation can be sent by POST");
}

core::Result<core::Bytes> get_message(const Query& query, const MessagePolicy& policy) {
    if (!policy.get) return Problem{ProblemKind::forbidden, "PKIOperation by GET is not offered here; use POST", "scep.query"};
    return decode_message(query.message.value_or(std::string()), policy.longest_get);
}

core::Result<core::Bytes> decode_message(std::string_view raw, std::size_t most) {
    auto text = percent_decoded(raw);
    if (!text) return bad("the message's percent-encoding is broken");
    std::erase_if(*text, [](char c) { return c == '\r' || c == '\n'; });
    const auto first = text->find_first_not_of(' ');
    if (first == std::string::npos) return bad("the message is empty");
    std::string base64 = text->substr(first, text->find_last_not_of(' ') - first + 1);
    std::ranges::replace(base64, ' ', '+');
    if (base64.size() / 4 * 3 > most + 2) return bad("the message is too long");
    auto message = core::from_base64(base64);
    if (!message) return bad("the message is not base64 with padding (RFC 4648 section 4)");
    if (message->size() > most) return bad("the message is too long");
    return std::move(*message);
}

std::string ca_identifier(const Query& query) {
    auto text = percent_decoded(query.message.value_or(std::string()));
    const bool printable = text && text->size() <= longest_identifier &&
                           std::ranges::all_of(*text, [](char c) { return c >= 0x20 && c < 0x7f; });
    return printable ? std::move(*text) : std::string();
}

}  // namespace postern::scep
