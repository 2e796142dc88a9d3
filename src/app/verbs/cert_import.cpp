#include <unistd.h>

#include <iostream>

#include "app/verbs/answers.hpp"
#include "app/verbs/certificate_files.hpp"
#include "core/base/encoding.hpp"
#include "core/json/escape.hpp"
#include "core/json/writer.hpp"

/// `postern cert import`: files to parts, parts to the server, which judges each certificate.
namespace postern::app::verbs {

namespace {

constexpr std::string_view route = "/api/postern/v1/imported-certificates";
/// What the server takes at once, and in base64 what fits into a request over the network.
constexpr std::size_t most_of_a_part = 1000, most_octets = 700 * 1024;
/// For people; --json lists all.
constexpr std::size_t most_shown = 100;

struct Options {
    Options() = default;
    std::string predecessor, endpoint, account, column;
    std::vector<std::string> files;
};

/// What was not taken, and where it stands.
struct Bad {
    Bad(std::string f, std::string w, std::string y) : file(std::move(f)), where(std::move(w)), why(std::move(y)) {}
    std::string file, where, why;
};

struct Totals {
    std::int64_t read = 0, added = 0, known = 0, expired = 0;
    std::vector<Bad> bad;
};

/// Sends one file after the other; the audit row of the first part is that of all.
class Import {
public:
    Import(Door& door, const Options& o, std::size_t expected) : door_(door), options_(o), expected_(expected) {}
    /// 0, or the exit status of what the server refused altogether.
    int send(const std::string& file, const CertificateList& list) {
        const auto& certificates = list.certificates;
        for (std::size_t from = 0; from < certificates.size();) {
            std::size_t until = from, octets = 0;
            while (until < certificates.size() && until - from < most_of_a_part && (until == from || octets + certificates[until].der.size() * 4 / 3 < most_octets))
                octets += certificates[until++].der.size() * 4 / 3 + 8;
            if (const int failed = send_part(file, certificates, from, until)) return failed;
            from = until;
        }
        return 0;
    }
    Totals totals;

private:
    int send_part(const std::string& file, const std::vector<ListedCertificate>& certificates, std::size_t from, std::size_t until) {
        json::Writer w;
        w.begin_object().member("predecessor", options_.predecessor).member("endpoint", options_.endpoint).member("account", options_.account);
        w.member("source", json::printable(file.substr(file.find_last_of('/') + 1)).substr(0, 200));
        if (number_ != 0) w.member("import", number_);
        w.key("certificates").begin_array();
        for (auto at = from; at < until; ++at) w.string(core::base64(certificates[at].der));
        w.end_array().end_object();
        const auto answer = door_.ask(make_request(http::Method::post, std::string(route), w.take()));
        if (const int failed = report(answer)) {
            if (totals.read > 0) std::cerr << "postern: " << totals.read << " of " << expected_ << " certificates are done; run the same command again to go on\n";
            return failed;
        }
        const auto document = parsed(answer);
        const auto root = document.root();
        number_ = root["import"].integer().value();
        totals.added += root["added"].integer().value();
        totals.known += root["known"].integer().value();
        totals.expired += root["expired"].integer().value();
        for (const auto& each : root["refused"].items()) {
            const auto index = from + static_cast<std::size_t>(each["index"].integer().value());
            totals.bad.emplace_back(file, index < until ? certificates[index].where : std::string(), text(each["why"]));
        }
        totals.read += static_cast<std::int64_t>(until - from);
        if (::isatty(STDERR_FILENO) == 1) std::cerr << "\r" << totals.read << " of " << expected_ << " certificates" << std::flush;
        return 0;
    }
    Door& door_;
    const Options& options_;
    std::size_t expected_;
    std::int64_t number_ = 0;
};

void tell_json(const Totals& totals) {
    json::Writer w;
    w.begin_object().member("added", totals.added).member("known", totals.known).member("expired", totals.expired).key("bad").begin_array();
    for (const auto& bad : totals.bad) w.begin_object().member("file", bad.file).member("where", bad.where).member("why", bad.why).end_object();
    w.end_array().end_object();
    std::cout << w.take() << "\n";
}

void tell(const Totals& totals) {
    for (std::size_t at = 0; at < std::min(totals.bad.size(), most_shown); ++at)
        std::cerr << "postern: " << json::printable(totals.bad[at].file) << ": " << totals.bad[at].where << ": " << totals.bad[at].why << "\n";
    if (totals.bad.size() > most_shown) std::cerr << "postern: and " << totals.bad.size() - most_shown << " more; --json lists all\n";
    std::cout << "Imported " << totals.added << " certificates; " << totals.known << " were known, " << totals.expired << " are expired and were left out, " << totals.bad.size()
              << " could not be taken.\n";
}

int import(const Common& common, const Options& o) {
    // Read before the door opens: afterwards root may be the folder's owner.
    std::vector<CertificateList> lists;
    std::size_t expected = 0;
    for (const auto& file : o.files) {
        lists.push_back(read_certificate_file(file, o.column));
        expected += lists.back().certificates.size();
    }
    if (expected == 0 && std::ranges::all_of(lists, [](const CertificateList& l) { return l.unreadable.empty(); })) throw std::runtime_error("there is no certificate in it");
    const auto door = Door::open(common.door);
    Import import(*door, o, expected);
    int failed = 0;
    for (std::size_t at = 0; at < lists.size() && failed == 0; ++at) {
        for (auto& bad : lists[at].unreadable) import.totals.bad.emplace_back(o.files[at], std::move(bad.where), std::move(bad.why));
        failed = import.send(o.files[at], lists[at]);
        lists[at] = CertificateList();
    }
    if (::isatty(STDERR_FILENO) == 1 && import.totals.read > 0) std::cerr << "\n";
    if (failed != 0) return failed;
    if (common.json)
        tell_json(import.totals);
    else
        tell(import.totals);
    return import.totals.bad.empty() ? 0 : 1;
}

}  // namespace

void add_cert_import(CLI::App& noun, Common& common, Run& run) {
    auto o = std::make_shared<Options>();
    auto* verb = noun.add_subcommand("import", "Let certificates of a predecessor renew here");
    add_common(*verb, common);
    verb->add_option("--predecessor", o->predecessor, "Who issued them, as `postern ca import` called it")->required();
    verb->add_option("--endpoint", o->endpoint, "SCEP or EST endpoint that they renew at")->required();
    verb->add_option("--account", o->account, "Account of that endpoint which they renew under")->required();
    verb->add_option("--column", o->column, "Column of a CSV file that holds the certificates (default: found by the header)");
    verb->add_option("FILE", o->files, "PEM, DER, PKCS #7, CSV, or an export of EJBCA or certutil")->required();
    verb->callback([o, &common, &run] { run = [o, &common] { return import(common, *o); }; });
}

}  // namespace postern::app::verbs
