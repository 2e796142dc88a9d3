// The crypto floor: what the signatures and key loads that an issuance cannot avoid cost on this
// core, now. Everything else is overhead, and targets are multiples of this.
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "bench/floor_tls.hpp"
#include "bench/openssl_handles.hpp"
#include "bench/process_meter.hpp"
#include "bench/timing.hpp"

namespace postern::bench {
namespace {

using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using Octets = std::vector<unsigned char>;

constexpr std::size_t jws_bytes = 700;  ///< signing input of a usual ACME request
constexpr std::size_t csr_bytes = 250;  ///< CertificationRequestInfo of one name
constexpr std::size_t tbs_bytes = 500;  ///< TBSCertificate with six extensions

Octets sign(EVP_PKEY* key, const Octets& data) {
    const DigestContext context(EVP_MD_CTX_new());
    std::size_t size = 0;
    must(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1, "preparing a signature");
    must(EVP_DigestSign(context.get(), nullptr, &size, data.data(), data.size()) == 1, "sizing a signature");
    Octets out(size);
    must(EVP_DigestSign(context.get(), out.data(), &size, data.data(), data.size()) == 1, "signing");
    out.resize(size);
    return out;
}

double sign_us(EVP_PKEY* key, std::size_t size) {
    const Octets data(size, 0x5a);
    const DigestContext context(EVP_MD_CTX_new());
    std::array<unsigned char, 512> out{};
    return median_us([&] {
        std::size_t room = out.size();
        must(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
                 EVP_DigestSign(context.get(), out.data(), &room, data.data(), data.size()) == 1,
             "signing");
    });
}

double verify_us(EVP_PKEY* key, std::size_t size) {
    const Octets data(size, 0x5a);
    const Octets signature = sign(key, data);
    const DigestContext context(EVP_MD_CTX_new());
    return median_us([&] {
        must(EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
                 EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size()) == 1,
             "verifying");
    });
}

/// EVP_PKEY_fromdata from an uncompressed point, parameters and contexts included.
double load_us(EVP_PKEY* key) {
    std::array<unsigned char, 65> point{};
    std::size_t size = 0;
    must(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) == 1 &&
             size == point.size(),
         "reading the point");
    std::array<char, 6> group{"P-256"};
    std::array<OSSL_PARAM, 3> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
        OSSL_PARAM_construct_end()};
    return median_us([&] {
        const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
        EVP_PKEY* raw = nullptr;
        const bool loaded = EVP_PKEY_fromdata_init(context.get()) == 1 &&
                            EVP_PKEY_fromdata(context.get(), &raw, EVP_PKEY_PUBLIC_KEY, parameters.data()) == 1;
        const Key owner(raw);
        must(loaded, "loading a key");
    });
}

double decrypt_us(EVP_PKEY* key) {
    const KeyContext sealing(EVP_PKEY_CTX_new(key, nullptr));
    const Octets secret(32, 7);
    std::array<unsigned char, 512> sealed{};
    std::size_t sealed_size = sealed.size();
    must(EVP_PKEY_encrypt_init(sealing.get()) == 1 &&
             EVP_PKEY_encrypt(sealing.get(), sealed.data(), &sealed_size, secret.data(), secret.size()) == 1,
         "encrypting");
    const KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
    must(EVP_PKEY_decrypt_init(context.get()) == 1, "preparing a decryption");
    std::array<unsigned char, 512> out{};
    return median_us([&] {
        std::size_t room = out.size();
        must(EVP_PKEY_decrypt(context.get(), out.data(), &room, sealed.data(), sealed_size) == 1, "decrypting");
    });
}

struct Line {
    const char* id;
    const char* text;
    double us;
};

void print(const std::vector<Line>& operations, const std::vector<Line>& sums, bool json) {
    if (json) {
        std::string out = "{\"operations\":{";
        const auto add = [&out](const std::vector<Line>& lines) {
            bool first = true;
            for (const auto& line : lines) {
                std::array<char, 128> text{};
                std::snprintf(text.data(), text.size(), "%s\"%s\":%.1f", first ? "" : ",", line.id, line.us);
                out += text.data();
                first = false;
            }
        };
        add(operations);
        out += "},\"floor_us\":{";
        add(sums);
        std::printf("%s}}\n", out.c_str());
        return;
    }
    std::printf("%-66s %9s\n", "operation", "us");
    for (const auto& line : operations) std::printf("%-66s %9.1f\n", line.text, line.us);
    std::printf("\n%-66s %9s\n", "floor of one issuance", "us");
    for (const auto& line : sums) std::printf("%-66s %9.0f\n", line.text, line.us);
}

int run(int argc, char** argv) {
    bool json = false;
    unsigned core = 0;
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (std::strcmp(argv[i], "--cpu") == 0 && i + 1 < argc) {
            core = static_cast<unsigned>(std::strtoul(argv[++i], nullptr, 10));
        } else {
            std::fprintf(stderr, "usage: floor [--cpu N] [--json]\n");
            return 2;
        }
    }
    pin_to_core(core);
    const Key p256(EVP_EC_gen("P-256"));
    const Key rsa(EVP_RSA_gen(2048));
    must(p256 && rsa, "making keys");

    const double jws = verify_us(p256.get(), jws_bytes);
    const double load = load_us(p256.get());
    const double csr = verify_us(p256.get(), csr_bytes);
    const double issue = sign_us(p256.get(), tbs_bytes);
    const double rsa_sign = sign_us(rsa.get(), tbs_bytes);
    const double rsa_verify = verify_us(rsa.get(), tbs_bytes);
    const double rsa_decrypt = decrypt_us(rsa.get());
    const double handshake = server_handshake_us(false);
    const double mutual = server_handshake_us(true);

    const std::vector<Line> operations{
        {"p256_verify_jws", "P-256 verify, key held, 700 bytes (JWS)", jws},
        {"p256_load", "P-256 public key by EVP_PKEY_fromdata (CSR)", load},
        {"p256_verify_csr", "P-256 verify, 250 bytes (CSR)", csr},
        {"p256_sign", "P-256 sign, 500 bytes (certificate)", issue},
        {"rsa2048_sign", "RSA-2048 sign, 500 bytes", rsa_sign},
        {"rsa2048_verify", "RSA-2048 verify, 500 bytes", rsa_verify},
        {"rsa2048_decrypt", "RSA-2048 decrypt, 32 bytes", rsa_decrypt},
        {"tls13_handshake", "TLS 1.3 full handshake, server side, P-256", handshake},
        {"tls13_mutual_handshake", "the same with a client certificate checked", mutual},
    };
    const double enroll = load + csr + issue;
    const std::vector<Line> sums{
        {"acme", "ACME, P-256, kept connection: 6 JWS + CSR key and signature + sign", 6 * jws + enroll},
        {"acme_new_connection", "ACME, new connection per order: + handshake", 6 * jws + enroll + handshake},
        {"scep", "SCEP, RSA-2048 CA and RA: decrypt + 2 sign + 3 verify", rsa_decrypt + 2 * rsa_sign + 3 * rsa_verify},
        {"est_basic", "EST, P-256, kept connection, Basic: CSR key and signature + sign", enroll},
        {"est", "EST, P-256, new connection, client certificate: + mutual handshake", enroll + mutual},
    };
    print(operations, sums, json);
    return 0;
}

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) {
    try {
        return postern::bench::run(argc, argv);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "floor: %s\n", e.what());
        return 1;
    }
}
