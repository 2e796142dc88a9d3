#include "bench/micro_scep.hpp"

#include <cstdio>
#include <stdexcept>

#include "bench/scep_parts.hpp"
#include "bench/timing.hpp"
#include "core/crypto/cms_decrypt.hpp"
#include "core/crypto/system_random.hpp"
#include "scep/reply.hpp"

namespace postern::bench {
namespace {

double line(const char* what, double us) {
    std::printf("%-58s %10.1f us\n", what, us);
    return us;
}
template <class T>
const T& must(const core::ResultOf<T>& result) {
    if (!result) throw std::runtime_error("refused: " + result.error().detail);
    return *result;
}

void signed_by(const crypto::PrivateKey& key, core::BytesView data) {
    if (key.sign(crypto::SignatureAlgorithm::rsa_sha256, data).empty()) throw std::runtime_error("not signed");
}

/// The operations of the keys alone, each as Postern carries it out: what no message layer can avoid.
double measure_floor(const crypto::CmsIdentity& ra, core::Random& random) {
    const core::Bytes data(500, 0x5a);
    const auto algorithm = crypto::SignatureAlgorithm::rsa_sha256;
    const core::Bytes signature = ra.key.sign(algorithm, data);
    const core::Bytes envelope = crypto::cms_envelope(data, party_of(ra), crypto::CmsCipher::aes128_cbc, random);
    const double verify = line("RSA-2048 verify (message, CSR)", median_us([&] {
                                   if (!ra.key.public_key().verify(algorithm, data, signature)) throw std::runtime_error("not verified");
                               }));
    const core::Bytes number(256, 0x3f);
    const double decrypt = line("RSA-2048 decrypt (envelope)", median_us([&] {
                                    if (crypto::unwrap_pkcs1(ra.key, number, core::SecretBytes(core::Bytes(16))).good != 0) throw std::runtime_error("opened");
                                }));
    const double sign = line("RSA-2048 sign (certificate, answer)", median_us([&] { signed_by(ra.key, data); }));
    const double encrypt = line("RSA-2048 encrypt and AES (answer)", median_us([&] {
                                    crypto::cms_envelope(data, party_of(ra), crypto::CmsCipher::aes128_cbc, random);
                                }));
    return 2 * verify + decrypt + 2 * sign + encrypt;
}

}  // namespace

void measure_scep() {
    crypto::SystemRandom random;
    const auto rsa = [] { return crypto::PrivateKey::generate(crypto::KeySpec(crypto::KeyType::rsa, 2048)); };
    const crypto::CmsIdentity ra = self_signed(rsa(), "ra", random);
    const crypto::CmsIdentity device = self_signed(rsa(), "device", random);
    const crypto::PrivateKey ca = rsa();
    const core::Bytes csr = crypto::make_csr(device.key, common_name("device"), {});
    const core::Bytes envelope = crypto::cms_envelope(csr, party_of(ra), crypto::CmsCipher::aes128_cbc, random);
    const core::Bytes message = pkcs_req(envelope, device, random);
    const scep::MessagePolicy policy;
    const auto received = must(scep::Received::read(message));
    const auto request = must(scep::Request::verify(received, policy));
    const std::vector<core::Bytes> certificates{device.certificate.der()};
    const core::Bytes tbs(700, 0x5a);

    const double floor = measure_floor(ra, random);
    const double read = line("scep::Received::read", median_us([&] { must(scep::Received::read(message)); }));
    const double verify = line("scep::Request::verify", median_us([&] { must(scep::Request::verify(received, policy)); }));
    const double open = line("scep::open, CSR and its proof", median_us([&] {
                                 must(scep::open(request, std::span(&ra, 1), scep::SignerStanding::stranger, policy, random));
                             }));
    const double issue = line("the certificate's signature", median_us([&] { signed_by(ca, tbs); }));
    const double answer = line("scep::cert_rep_success", median_us([&] {
                                   scep::cert_rep_success(scep::ReplyTo(request, policy), certificates, {}, ra, random);
                               }));
    const double all = read + verify + open + issue + answer;
    line("SCEP enrollment, RSA-2048: the keys alone (floor)", floor);
    line("SCEP enrollment, RSA-2048: all messages and the signature", all);
    std::printf("%-58s %10.2f x\n", "SCEP enrollment, RSA-2048: over the floor", all / floor);
}

}  // namespace postern::bench
