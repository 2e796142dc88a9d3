#pragma once
#include "ra/renewal.hpp"
#include "scep/parts.hpp"
#include "store/tables/certificate.hpp"

/// What each message type asks for; the message is verified and opened.
namespace postern::scep {

/// PKCSReq and RenewalReq (RFC 8894 §3.3.1): challenge or renewal, to the waist. `right`: what the signer's
/// certificate is good for; `own`: the CSR's key is the one that signed the message.
core::Task<http::Response> enroll(Parts& parts, const Call& call, const Request& request, crypto::Csr csr, bool own,
                                  const core::Result<ra::RenewalRight>& right);
/// The same where the challenge is Intune's: `account` is the endpoint's, of method intune.
core::Task<http::Response> enroll_with_intune(Parts& parts, const Call& call, const Request& request, crypto::Csr csr, const ra::Account& account);
/// SUCCESS with that certificate, in the endpoint's form.
core::Task<http::Response> answer_issued(Parts& parts, const Call& call, const Request& request, core::Bytes certificate, std::string issuer_key_id);
/// CertPoll (§3.3.3): decided by transactionID and the key of who asks.
core::Task<http::Response> cert_poll(Parts& parts, const Call& call, const Request& request);
/// GetCert (§3.3.4): a certificate of the signer's own key.
core::Task<http::Response> get_cert(Parts& parts, const Call& call, const Request& request, const IssuerAndSerial& wanted);
/// GetCRL (§3.3.5): where the endpoint gives it, the CRL that covers a certificate of the signer's own key.
core::Task<http::Response> get_crl(Parts& parts, const Call& call, const Request& request, const IssuerAndSerial& wanted);
/// The record of a certificate of this endpoint whose key signed the request; nothing for any other (A21).
core::Task<std::optional<store::CertificateRow>> find_own(Parts& parts, const Call& call, const Request& request, const IssuerAndSerial& wanted);

}  // namespace postern::scep
