#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"

/// A property for each parser of what strangers send: what must hold for every input, not only that
/// nothing crashes. tests/fuzz/libfuzzer searches for inputs that break one (scripts/fuzz), and
/// replay.cpp carries out the kept corpora in every ./check.
namespace postern::fuzz {

/// What the parser said. A corpus has inputs of both kinds, or its property would be empty words.
enum class Outcome { refused, accepted };

/// The property does not hold; any other exception is a find as well.
struct Broken : std::logic_error {
    using std::logic_error::logic_error;
};

inline void require(bool holds, std::string_view claim) {
    if (!holds) throw Broken(std::string(claim));
}

inline Outcome outcome(bool accepted) { return accepted ? Outcome::accepted : Outcome::refused; }

/// Octets in an allocation of exactly their size, so that ASan sees one octet too many.
inline core::Bytes exact_copy(core::BytesView bytes) { return core::to_bytes(bytes); }

/// True when `part` occurs in `whole`.
inline bool lies_in(core::BytesView part, core::BytesView whole) {
    return core::as_text(whole).find(core::as_text(part)) != std::string_view::npos;
}

// One function a target, in the file of its name; the corpus is tests/data/fuzz/<name>.
Outcome acme_certificate(core::BytesView input);
Outcome caa(core::BytesView input);
Outcome certificate(core::BytesView input);
Outcome certificate_list(core::BytesView input);
Outcome cms_enveloped(core::BytesView input);
Outcome config(core::BytesView input);
Outcome csr(core::BytesView input);
Outcome csr_attributes(core::BytesView input);
Outcome der(core::BytesView input);
Outcome dns(core::BytesView input);
Outcome documents(core::BytesView input);
Outcome encoding(core::BytesView input);
Outcome est_body(core::BytesView input);
Outcome http_chunked(core::BytesView input);
Outcome http_head(core::BytesView input);
Outcome http_response(core::BytesView input);
Outcome http_route(core::BytesView input);
Outcome json(core::BytesView input);
Outcome jwk(core::BytesView input);
Outcome jws(core::BytesView input);
Outcome location(core::BytesView input);
Outcome names(core::BytesView input);
Outcome ocsp(core::BytesView input);
Outcome scep_message(core::BytesView input);
Outcome scep_query(core::BytesView input);
Outcome tbs(core::BytesView input);
Outcome toml(core::BytesView input);

}  // namespace postern::fuzz
