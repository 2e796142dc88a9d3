#include "core/base/encoding.hpp"
#include "core/base/secret.hpp"
#include "core/crypto/certificate.hpp"

namespace postern::crypto {

std::string to_pem(std::string_view label, core::BytesView der) {
    constexpr std::size_t columns = 64;
    std::string body = core::base64(der);
    std::string out;
    // In one piece, and the intermediate text wiped: the label may be PRIVATE KEY.
    out.reserve(body.size() + body.size() / columns + 2 * label.size() + 40);
    out.append("-----BEGIN ").append(label).append("-----\n");
    for (std::size_t i = 0; i < body.size(); i += columns) out.append(body, i, columns).push_back('\n');
    out.append("-----END ").append(label).append("-----\n");
    core::cleanse(body.data(), body.size());
    return out;
}

core::Result<std::vector<core::Bytes>> from_pem(std::string_view label, std::string_view pem) {
    const std::string begin = "-----BEGIN " + std::string(label) + "-----";
    const std::string end = "-----END " + std::string(label) + "-----";
    std::vector<core::Bytes> out;
    std::size_t at = 0;
    while ((at = pem.find(begin, at)) != std::string_view::npos) {
        // RFC 7468 §3: a boundary stands at the beginning of a line.
        if (at != 0 && pem[at - 1] != '\n' && pem[at - 1] != '\r') {
            at += begin.size();
            continue;
        }
        const std::size_t start = at + begin.size();
        const std::size_t stop = pem.find(end, start);
        if (stop == std::string_view::npos)
            return core::Problem(core::ProblemKind::malformed, "a PEM block of " + std::string(label) + " has no END line");
        std::string body;
        for (const char c : pem.substr(start, stop - start))
            if (c != '\n' && c != '\r' && c != ' ' && c != '\t') body.push_back(c);
        auto der = core::from_base64(body);
        if (!der || der->empty())
            return core::Problem(core::ProblemKind::malformed, "a PEM block of " + std::string(label) + " holds broken base64");
        out.push_back(std::move(*der));
        at = stop + end.size();
    }
    return out;
}

}  // namespace postern::crypto
