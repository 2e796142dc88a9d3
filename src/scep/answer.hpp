#pragma once
#include "scep/parts.hpp"
#include "scep/reply.hpp"

/// The three answers of a pkiMessage, signed on the pool by the RA certificate that the message was encrypted for, and logged.
namespace postern::scep {

/// FAILURE. What is told: the failInfo, and as failInfoText the problem's words where they are for the client's eyes.
core::Task<http::Response> refuse(Parts& parts, const Call& call, ReplyTo to, core::Problem problem);
/// The problem with an officer's own words only where the endpoint lets them be told.
core::Problem told(const Call& call, core::Problem problem);
core::Task<http::Response> answer_pending(Parts& parts, const Call& call, ReplyTo to, std::string why);
/// SUCCESS with these certificates, in this order, or CRLs.
core::Task<http::Response> answer_with(Parts& parts, const Call& call, ReplyTo to, std::vector<core::Bytes> certificates, std::vector<core::Bytes> crls);

}  // namespace postern::scep
