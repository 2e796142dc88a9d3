#pragma once
#include "ca/content.hpp"
#include "core/base/ids.hpp"

namespace postern::ra {
class Enrollment;
}

namespace postern::ca {

/// Leave to issue exactly this content for this enrollment. Only the RA can make one, and a backend
/// takes nothing else: there is no other door to a signature.
class Authorized {
public:
    [[nodiscard]] core::EnrollmentId enrollment() const noexcept { return enrollment_; }
    [[nodiscard]] const core::RequestId& request() const noexcept { return request_; }
    [[nodiscard]] core::TenantId tenant() const noexcept { return tenant_; }
    [[nodiscard]] const Content& content() const noexcept { return content_; }
    /// The request as received; upstream CAs want it.
    [[nodiscard]] const core::Bytes& csr_der() const noexcept { return csr_der_; }

private:
    friend class ::postern::ra::Enrollment;
    Authorized(core::EnrollmentId enrollment, core::RequestId request, core::TenantId tenant, Content content,
               core::Bytes csr_der)
        : enrollment_(enrollment), request_(std::move(request)), tenant_(tenant), content_(std::move(content)),
          csr_der_(std::move(csr_der)) {}
    core::EnrollmentId enrollment_;
    core::RequestId request_;
    core::TenantId tenant_;
    Content content_;
    core::Bytes csr_der_;
};

}  // namespace postern::ca
