#include "tests/unit/ra/intune_world.hpp"

#include "core/crypto/der.hpp"

namespace postern::test {

core::Bytes IntuneWorld::csr_with_challenge(const crypto::PrivateKey& key, const crypto::DistinguishedName& subject, const std::string& challenge) {
    namespace der = crypto::der;
    der::Writer info;
    info.begin(der::sequence).small_integer(0).raw(subject.to_der()).raw(key.public_key().spki()).begin(der::context_constructed(0));
    info.begin(der::sequence).oid("1.2.840.113549.1.9.7").begin(der::set).primitive(der::utf8_string, core::as_bytes(challenge)).end().end();
    info.end().end();
    const auto algorithm = key.default_algorithm();
    const auto signature = key.sign(algorithm, info.bytes());
    der::Writer out;
    out.begin(der::sequence).raw(info.bytes()).raw(crypto::algorithm_identifier(algorithm)).bits(signature).end();
    return out.take();
}

std::string IntuneWorld::store_octets() {
    std::string out;
    for (const auto* suffix : {"", "-wal"}) {
        std::ifstream file(folder.file("postern.db" + std::string(suffix)), std::ios::binary);
        out.append(std::istreambuf_iterator<char>(file), {});
    }
    return out;
}

}  // namespace postern::test
