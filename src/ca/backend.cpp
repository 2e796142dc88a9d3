#include "ca/backend.hpp"

namespace postern::ca {

namespace {

/// A caller that asks a backend of which foreign() said nothing.
[[noreturn]] void not_foreign() { throw std::logic_error("this backend signs here and cannot be asked"); }

}  // namespace

core::Task<core::Result<Outcome>> Backend::poll(Submitted) { not_foreign(); }
core::Task<core::Result<Outcome>> Backend::find(Submitted) { not_foreign(); }
core::Task<core::Result<void>> Backend::revoke(core::Bytes, core::RequestId, unsigned) { not_foreign(); }
core::Task<core::Result<std::string>> Backend::test() {
    co_return core::Problem(core::ProblemKind::unsupported, "this backend signs here; `postern doctor` examines its keys");
}

core::Task<core::Result<core::Bytes>> Backend::sign_as_issuer(core::Bytes, std::string) {
    co_return core::Problem(core::ProblemKind::unsupported, "the key of this CA is elsewhere");
}
std::optional<core::Bytes> Backend::crl(const std::string&, core::BytesView) const { return std::nullopt; }

}  // namespace postern::ca
