#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "ca/lint.hpp"
#include "ca/tbs_view.hpp"

/// The lints by subject. Each gives the first thing that is wrong, or nullopt.
namespace postern::ca::lint {

struct Subject {
    const TbsView& tbs;
    const Content& content;
    const IssuerFacts& issuer;
    std::optional<core::TimePoint> now;
};
/// Whose doing it is: ours, which no request can change, or that of the one request.
enum class Fault { ours, request };
/// The name without "lint." and a sentence: what is wrong and what would be right.
struct Offence {
    Offence(std::string_view n, std::string d, Fault f = Fault::ours) : name(n), detail(std::move(d)), fault(f) {}
    std::string_view name;
    std::string detail;
    Fault fault;
};
using Finding = std::optional<Offence>;

Finding version_and_serial(const Subject& s);
Finding algorithm_and_issuer(const Subject& s);
Finding validity(const Subject& s);
Finding key(const Subject& s);

Finding extension_set(const Subject& s);
Finding security_identifier(const Subject& s);
Finding key_identifiers(const Subject& s);
Finding basic_constraints(const Subject& s);
Finding key_usage(const Subject& s);
Finding extended_key_usage(const Subject& s);
Finding locations(const Subject& s);
Finding policies(const Subject& s);

Finding subject_name(const Subject& s);
Finding alt_names(const Subject& s);
Finding common_name(const Subject& s);

/// Preferred name syntax (RFC 1034 §3.5, RFC 5890): why `name` is no A-label host name, or empty.
/// `wildcard` permits a leftmost "*" label above at least two others.
std::string why_no_dns_name(std::string_view name, bool wildcard);

}  // namespace postern::ca::lint
