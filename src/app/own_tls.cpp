#include "app/own_tls.hpp"

#include <unistd.h>

#include <boost/system/system_error.hpp>
#include <filesystem>

#include "app/house.hpp"
#include "app/public_urls.hpp"
#include "core/async/deadline.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"
#include "ra/own_request.hpp"
#include "store/tables/certificate.hpp"

namespace postern::app {

namespace {

using crypto::GeneralName;
using crypto::GeneralNameType;

/// Host part of "https://host:port".
std::string host_of(std::string_view url) {
    url.remove_prefix(url.find("://") + 3);
    if (url.starts_with('[')) return std::string(url.substr(1, url.find(']') - 1));
    return std::string(url.substr(0, url.rfind(':')));
}

}  // namespace

/// What clients may call this server: the public hosts, the addresses it listens on, the machine.
std::vector<GeneralName> OwnTls::names() const {
    std::vector<GeneralName> out;
    const auto add = [&](const std::string& host) {
        GeneralName name;
        if (const auto ip = crypto::canonical_ip(host); !ip.empty()) {
            name = GeneralName(GeneralNameType::ip, ip);
        } else {
            ra::NameRules rules;
            rules.single_label = true;
            const auto normalized = ra::normalize_dns(host, rules);
            if (!normalized) return;  // a machine may have a name that no certificate can carry
            name = GeneralName(GeneralNameType::dns, *normalized);
        }
        if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
    };
    const auto& c = house_.config;
    add(host_of(c.public_https));
    add(host_of(c.public_est));
    for (const auto* a : {&c.https, &c.est}) add(public_host(*a));
    add("localhost");
    add("127.0.0.1");
    return out;
}

OwnTls::OwnTls(House& house) : house_(house), certificate_(house.config.tls_certificate), key_(house.config.tls_key) {}

/// The leaf under DATA/tls when its key is there too.
std::optional<crypto::Certificate> OwnTls::stored() const {
    const auto path = house_.folder.file("tls/server.pem");
    const auto key_path = house_.folder.file("tls/server.key");
    if (!std::filesystem::exists(path) || !std::filesystem::exists(key_path)) return std::nullopt;
    const auto blocks = crypto::from_pem("CERTIFICATE", read_file(path));
    if (!blocks || blocks->empty()) return std::nullopt;
    auto leaf = crypto::Certificate::parse(blocks->front());
    if (!leaf) return std::nullopt;
    // A renewal that was killed between its two files leaves the new key beside the old certificate.
    const core::SecretText key_text(read_file(key_path));
    const auto key = crypto::PrivateKey::from_pem(key_text.expose());
    if (!key || key->public_key().spki() != leaf->spki()) return std::nullopt;
    return std::move(*leaf);
}

bool OwnTls::usable() const {
    const auto leaf = stored();
    if (!leaf) return false;
    // Who knows the new root alone would be shown a path to the former one.
    if (house_.builtin->under_former_root(core::hex(leaf->authority_key_id()))) return false;
    const auto life = leaf->not_after() - leaf->not_before();
    if (house_.clock.now() > leaf->not_after() - life / 3) return false;
    const auto& held = leaf->alt_names();
    const auto wanted = names();
    return std::all_of(wanted.begin(), wanted.end(), [&](const GeneralName& n) { return std::find(held.begin(), held.end(), n) != held.end(); });
}

/// Usable, and not revoked: as shown to clients that read CRLs.
core::Task<bool> OwnTls::fit() const {
    if (!usable()) co_return false;
    const auto leaf = stored();
    auto by_serial = store::values(leaf->serial());
    const auto rows = co_await house_.db->read(store::certificate_by_serial, std::move(by_serial));
    for (const auto& raw : rows) {
        const auto row = store::CertificateRow::from(raw);
        if (row.der == leaf->der() && row.status == "revoked") co_return false;
    }
    co_return true;
}

core::Task<bool> OwnTls::enroll() {
    const auto key = crypto::PrivateKey::generate(crypto::KeySpec());
    const auto wanted = names();
    const crypto::DistinguishedName no_subject;
    auto csr = crypto::Csr::parse(crypto::make_csr(key, no_subject, wanted)).value();
    auto asking = ra::own_request(*house_.db, house_.catalog->current(), house_.random.request_id(), "own TLS", {}, std::move(csr), house_.clock.now());
    auto request = co_await std::move(asking);
    request.agreed_names = wanted;
    const auto outcome = co_await house_.enrollment->submit(std::move(request));
    if (!outcome) {
        house_.log.error("own_tls_refused", {{"why", outcome.error().detail}});
        co_return false;
    }
    const auto* issued = std::get_if<ra::IssuedCertificate>(&*outcome);
    if (!issued) co_return false;
    write_file(house_.folder.file("tls/server.key"), key.to_pem().expose(), 0600);
    write_file(house_.folder.file("tls/server.pem"), with_chain(issued->der, issued->issuer_key_id), 0644);
    co_return true;
}

std::string OwnTls::with_chain(const core::Bytes& leaf, const std::string& issuer_key_id) const {
    auto out = crypto::to_pem("CERTIFICATE", leaf);
    for (const auto& der : house_.backends.chain(issuer_key_id)) out += crypto::to_pem("CERTIFICATE", der);
    return out;
}

/// What leads from an older root goes when that has ended. False: nothing has changed.
bool OwnTls::renew_chain() const {
    const auto leaf = stored();
    if (!leaf) return false;
    const auto issuer = core::hex(leaf->authority_key_id());
    const auto path = house_.folder.file("tls/server.pem");
    if (house_.backends.chain(issuer).empty()) return false;
    const auto chain = with_chain(leaf->der(), issuer);
    if (read_file(path) == chain) return false;
    write_file(path, chain, 0644);
    return true;
}

core::Result<OwnTls::Files> OwnTls::read(const Config& config, Expired expired) const {
    const bool named = !config.tls_certificate.empty();
    const auto path = named ? config.tls_certificate : house_.folder.file("tls/server.pem");
    const auto key_path = named ? config.tls_key : house_.folder.file("tls/server.key");
    const auto wrong = [](std::string what) { return core::Problem(core::ProblemKind::malformed, std::move(what)); };
    Files files;
    try {
        files.chain = read_file(path);
        require_private(key_path);
        files.key = core::SecretText(read_file(key_path));
    } catch (const std::runtime_error& e) {
        return wrong(e.what());
    }
    const auto blocks = crypto::from_pem("CERTIFICATE", files.chain);
    if (!blocks || blocks->empty()) return wrong(path + " holds no PEM certificate");
    const auto leaf = crypto::Certificate::parse(blocks->front());
    if (!leaf) return wrong(path + ": " + leaf.error().detail);
    if (leaf->not_after() < house_.clock.now()) {
        const auto what = path + ": the certificate expired at " + core::rfc3339(leaf->not_after());
        if (expired == Expired::refused) return wrong(what);
        house_.log.error("tls_expired", {{"why", what}});
    }
    const auto pair = http::TlsContext::make(files.chain, files.key, http::TlsContext::ClientCertificate::never_asked);
    if (!pair) return wrong(path + ", " + key_path + ": " + pair.error().detail);
    return files;
}

bool OwnTls::adopt(const Config& config, Files files) {
    certificate_ = config.tls_certificate;
    key_ = config.tls_key;
    any_host_->store(configured());
    if (presented_ == files.chain) return false;
    using Ask = http::TlsContext::ClientCertificate;
    const auto set = [&](std::shared_ptr<http::TlsContext>& context, Ask ask) {
        if (context)
            context->replace(files.chain, files.key).value();
        else
            context = http::TlsContext::make(files.chain, files.key, ask).value();
    };
    set(https_, Ask::never_asked);
    set(est_, Ask::requested);
    presented_ = std::move(files.chain);
    return true;
}

void OwnTls::present() {
    Config now;
    now.tls_certificate = certificate_;
    now.tls_key = key_;
    auto files = read(now, Expired::told);
    if (!files) throw std::runtime_error(files.error().detail);
    adopt(now, std::move(*files));
}

core::Task<void> OwnTls::prepare() {
    bool good = configured();
    if (!good) good = co_await fit();
    if (!good) {
        const bool enrolled = co_await enroll();
        // CRLs, revocations and reads go on where nothing is issued (a restored installation, a clock in
        // doubt, an issuer near its end): an old certificate must do.
        const bool old_one = !enrolled && stored();
        if (!enrolled && !old_one) throw std::runtime_error("cannot enroll the server's own TLS certificate; the log says why");
        if (old_one) house_.log.error("own_tls_old", {{"why", "renewed when certificates are issued again"}});
    }
    present();
}

core::Task<void> OwnTls::renew_when_due() {
    if (configured()) co_return;
    const bool good = co_await fit();
    if (good) {
        if (renew_chain()) present();
        co_return;
    }
    const bool enrolled = co_await enroll();
    if (enrolled && !configured()) present();
}

core::Task<void> OwnTls::keep_fresh() {
    for (;;) {
        co_await core::sleep_for(house_.between_looks());
        try {
            co_await renew_when_due();
        } catch (const boost::system::system_error&) {
            throw;  // the stop
        } catch (const std::exception& fault) {
            // A full disk, a store that is away: there is a third of the lifetime to try again.
            house_.log.error("own_tls_failed", {{"why", fault.what()}});
        }
    }
}

}  // namespace postern::app
