#include "app/verbs/enroll_script.hpp"

#include <algorithm>

#include "api/clients/commands.hpp"
#include "core/crypto/key.hpp"
#include "core/json/escape.hpp"
#include "ra/binding_text.hpp"

namespace postern::app::verbs {

namespace {

/// openssl's own bound for emailAddress (ub_email_address), below RFC 5280's 255.
constexpr std::size_t most_email = 128;

core::Problem bad(std::string why) { return {core::ProblemKind::malformed, std::move(why)}; }

core::Result<std::string> openssl_subject(const std::string& text) {
    const auto entries = ra::subject_from_text(text);
    if (!entries) return entries.error();
    std::string out;
    for (const auto& entry : *entries) {
        if (entry.type == crypto::DnAttribute::other) return bad("subject: enroll.sh cannot ask for attribute " + entry.oid + "; make a table (--out FILE.csv) for clients of your own");
        const auto type = crypto::short_name(entry.type);
        if (entry.type == crypto::DnAttribute::email && entry.value.size() > most_email)
            return bad("subject: E has " + std::to_string(entry.value.size()) + " characters, of which openssl takes at most " + std::to_string(most_email) + "; make a table (--out FILE.csv) for clients of your own");
        out += '/' + (type == "E" ? std::string("emailAddress") : std::string(type)) + '=';
        for (const char c : entry.value) {
            if (c == '/' || c == '+' || c == '\\') out += '\\';
            out += c;
        }
    }
    return out.empty() ? "/" : out;
}

/// Values of extensions are read as configuration: what means something there cannot be said.
bool plain(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("._-:@/~%?=&+").find(c) != std::string_view::npos; }

core::Result<std::string> openssl_names(const std::vector<std::string>& sans) {
    std::string out;
    for (const auto& san : sans) {
        const auto name = ra::name_from_text(san);
        if (!name) return name.error();
        using enum crypto::GeneralNameType;
        const std::string_view kind = name->type == dns ? "DNS:" : name->type == ip ? "IP:" : name->type == email ? "email:" : name->type == uri ? "URI:" : "";
        if (kind.empty() || !std::ranges::all_of(name->value, plain))
            return bad("names: enroll.sh cannot ask for " + json::printable(san) + "; make a table (--out FILE.csv) for clients of your own");
        out += (out.empty() ? "" : ",") + std::string(kind) + name->value;
    }
    return out;
}

std::string key_command(std::string_view text) {
    const auto key = crypto::KeySpec::from(text).value_or(crypto::KeySpec());
    if (key.type == crypto::KeyType::rsa) return "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:" + std::to_string(key.bits);
    if (key.type == crypto::KeyType::ed25519) return "openssl genpkey -algorithm ED25519";
    return "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-" + std::to_string(key.bits);
}

}  // namespace

core::Result<OpensslWish> OpensslWish::of(const ListedDevice& device) {
    auto subject = openssl_subject(device.subject);
    if (!subject) return subject.error();
    auto names = openssl_names(device.sans);
    if (!names) return names.error();
    OpensslWish out;
    out.subject = std::move(*subject);
    out.names = std::move(*names);
    return out;
}

std::string enroll_script(const ListedDevice& device, const OpensslWish& wish, std::string_view url, std::string_view key) {
    using api::clients::quoted;
    return "#!/bin/sh\n# Enrolls " + device.name + " by EST, with openssl and curl: sh enroll.sh\n" +
           R"sh(# root.pem and token lie beside it; there it leaves key.pem, cert.pem and chain.pem, the CAs above it. Status 0: enrolled. 75: not yet, run
# it again later. Another one: refused, or something failed, and standard error says what. Run again it goes on with the same key.
set -eu
umask 077
cd -- "$(dirname -- "$0")"
url=)sh" + quoted(url) + R"sh(
[ ! -s cert.pem ] || { echo 'enroll.sh: cert.pem is there already' >&2; exit 0; }
trap 'rm -f answer.head answer.b64 cacerts.b64 request.der request.b64 key.new cert.new' EXIT

ask() { curl -sS --max-time 300 --cacert root.pem -D answer.head -w '%{http_code}' "$@"; }

# STATUS FILE: goes on with 200 alone.
settle() {
    [ "$1" != 200 ] || return 0
    cat "$2" >&2
    case $1 in 202 | 429 | 503) ;; *) exit 1 ;; esac
    again=$(sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9]*\).*/\1/p' answer.head)
    echo "enroll.sh: not yet; run it again in ${again:-60} seconds" >&2
    exit 75
}

status=$(ask -o cacerts.b64 "$url/cacerts")
settle "$status" cacerts.b64
openssl base64 -d -in cacerts.b64 | openssl pkcs7 -inform DER -print_certs -out chain.pem
if [ ! -s key.pem ]; then
    )sh" + key_command(key) + R"sh( -out key.new
    mv key.new key.pem
fi
openssl req -new -utf8 -key key.pem -subj )sh" + quoted(wish.subject) + (wish.names.empty() ? "" : " -addext " + quoted("subjectAltName=" + wish.names)) + R"sh( -outform DER -out request.der
openssl base64 -in request.der -out request.b64
# printf is the shell's own: no other user sees the token among the processes.
status=$(printf 'header = "Authorization: Bearer %s"\n' "$(cat token)" |
    ask -K - -H 'Content-Type: application/pkcs10' --data-binary @request.b64 -o answer.b64 "$url/simpleenroll")
settle "$status" answer.b64
openssl base64 -d -in answer.b64 | openssl pkcs7 -inform DER -print_certs -out cert.new
grep -q 'BEGIN CERTIFICATE' cert.new
mv cert.new cert.pem
)sh";
}

}  // namespace postern::app::verbs
