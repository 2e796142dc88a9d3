#include <unistd.h>

#include <fstream>
#include <iostream>
#include <sstream>

#include "app/key_lists.hpp"
#include "app/verbs/answers.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/fingerprints.hpp"
#include "core/json/escape.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

constexpr std::string_view routes = "/api/postern/v1/";
/// Small enough that other writes wait a moment only, large enough that a million take a minute.
constexpr std::size_t part_size = 4000;

struct Options {
    Options() = default;
    std::vector<std::string> keys;
    std::string file, format = "auto", reason, source;
};

KeyListFormat format_of(const std::string& text) {
    const auto format = key_list_format_from(text);
    if (!format) throw std::runtime_error("--format " + text + ": known here: auto, fingerprints, pem, badkeys");
    return *format;
}

std::ifstream open_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + path);
    return in;
}

/// Reads a list, or says which file is at fault.
KeyListCounts read_file(std::ifstream& in, const std::string& path, KeyListFormat format, const std::function<void(ListedKey)>& each) {
    try {
        return read_key_list(in, format, each);
    } catch (const std::runtime_error& e) {
        throw std::runtime_error(path + ": " + e.what());
    }
}

/// Of a chain the CAs' keys are left out: blocked they would be in all tenants.
void tell_left_out(const std::string& file, const KeyListCounts& counts) {
    std::cerr << "postern: " << json::printable(file) << ": " << counts.authorities
              << (counts.authorities == 1 ? " CA certificate is" : " CA certificates are") << " left out; name one by itself if its key is meant\n";
}

/// A fingerprint, or a file with keys.
std::vector<ListedKey> keys_named(const std::vector<std::string>& words) {
    std::vector<ListedKey> out;
    const auto keep = [&out](ListedKey key) { out.push_back(std::move(key)); };
    for (const auto& word : words) {
        if (::access(word.c_str(), R_OK) == 0) {
            std::vector<ListedKey> of_file;
            auto in = open_file(word);
            const auto counts = read_file(in, word, KeyListFormat::automatic, [&of_file](ListedKey key) { of_file.push_back(std::move(key)); });
            if (counts.unusable > 0) throw std::runtime_error(word + ": " + counts.first_unusable);
            if (counts.is_chain()) {
                tell_left_out(word, counts);
                std::erase_if(of_file, [](const ListedKey& key) { return key.of_authority; });
            }
            std::move(of_file.begin(), of_file.end(), std::back_inserter(out));
        } else {
            std::istringstream in(word);
            try {
                read_key_list(in, KeyListFormat::fingerprints, keep);
            } catch (const std::runtime_error&) {
                throw std::runtime_error(word + " is neither a file nor a fingerprint");
            }
        }
    }
    if (out.empty()) throw std::runtime_error("no key is named");
    return out;
}

http::Response post(Door& door, std::string_view route, std::string body) {
    return door.ask(make_request(http::Method::post, std::string(routes) + std::string(route), std::move(body)));
}

std::string digests_json(const std::vector<core::Bytes>& digests) {
    json::Writer w;
    w.begin_object().key("keys").begin_array();
    for (const auto& d : digests) w.string(core::hex(d));
    w.end_array().end_object();
    return w.take();
}

/// One import: parts go out as they fill up, under the audit row of the first.
class Import {
public:
    Import(Door& door, const Options& o, std::int64_t expected) : door_(door), options_(o), expected_(expected) {}
    void add(const ListedKey& key) {
        ++keys_;
        for (auto& digest : key.digests()) part_.push_back(std::move(digest));
        if (part_.size() >= part_size && status_ == 0) send();
    }
    /// 0 when all of it is in.
    int finish() {
        if (!part_.empty() && status_ == 0) send();
        if (::isatty(STDERR_FILENO) == 1 && keys_ > 0) std::cerr << "\n";
        return status_;
    }
    [[nodiscard]] std::int64_t number() const { return number_; }

private:
    void send() {
        json::Writer w;
        w.begin_object().key("keys").begin_array();
        for (const auto& d : part_) w.string(core::hex(d));
        w.end_array().member("reason", options_.reason).member("source", options_.source).member("expected", expected_);
        if (number_ != 0) w.member("import", number_);
        w.end_object();
        const auto answer = post(door_, "blocked-keys", w.take());
        status_ = report(answer);
        part_.clear();
        if (status_ != 0) {
            std::cerr << "postern: " << sent_ << " of " << expected_ << " keys are blocked; run the same command again to go on\n";
            return;
        }
        const auto document = json::Document::parse(answer.body);
        number_ = document ? document->root()["import"].integer().value() : 0;
        sent_ = keys_;
        if (::isatty(STDERR_FILENO) == 1) std::cerr << "\r" << sent_ << " of " << expected_ << " keys" << std::flush;
    }
    Door& door_;
    const Options& options_;
    std::int64_t expected_, keys_ = 0, sent_ = 0, number_ = 0;
    std::vector<core::Bytes> part_;
    int status_ = 0;
};

int tell_blocked(const Common& common, std::int64_t keys, const KeyListCounts& counts, const Import& import) {
    if (common.json) {
        json::Writer w;
        w.begin_object().member("keys", keys).member("unusable", counts.unusable).member("import", import.number()).end_object();
        std::cout << w.take() << "\n";
        return 0;
    }
    std::cout << "Blocked " << keys << (keys == 1 ? " key" : " keys") << " in all tenants (audit " << import.number() << ").\n";
    if (counts.unusable > 0)
        std::cout << counts.unusable << " more are refused here anyway, so they need no entry; the first at " << json::printable(counts.first_unusable) << "\n";
    return 0;
}

int block(const Common& common, Options o) {
    const auto format = format_of(o.format);
    if (o.file.empty() == o.keys.empty()) throw std::runtime_error("name keys, or a list with --file");
    std::vector<ListedKey> named;
    KeyListCounts counts;
    std::ifstream in;
    bool left_out = false;
    if (o.file.empty()) {
        named = keys_named(o.keys);
        counts.keys = static_cast<std::int64_t>(named.size());
        if (o.source.empty()) o.source = "command line";
    } else {
        // The whole list is read once before anything is sent: a broken one changes nothing.
        in = open_file(o.file);
        counts = read_file(in, o.file, format, [](ListedKey) {});
        in.clear();
        if (!in.seekg(0)) throw std::runtime_error("cannot read " + o.file + " twice; save it as a file first");
        if (o.source.empty()) o.source = o.file.substr(o.file.find_last_of('/') + 1);
        left_out = counts.is_chain();
        if (left_out) {
            tell_left_out(o.file, counts);
            counts.keys -= counts.authorities;
        }
    }
    if (counts.keys == 0) throw std::runtime_error(counts.unusable > 0 ? "every key there is refused here anyway: " + counts.first_unusable
                                                                        : "there is no key in it");
    const auto door = Door::open(common.door);
    Import import(*door, o, counts.keys);
    for (const auto& key : named) import.add(key);
    if (!o.file.empty()) read_file(in, o.file, format, [&](const ListedKey& key) {
        if (!key.of_authority || !left_out) import.add(key);
    });
    if (const int failed = import.finish()) return failed;
    return tell_blocked(common, counts.keys, counts, import);
}

int unblock(const Common& common, const Options& o) {
    const auto keys = keys_named(o.keys);
    const auto door = Door::open(common.door);
    for (const auto& key : keys) {
        auto digests = key.digests();
        if (key.key) digests.push_back(crypto::fingerprints(*key.key).modulus);
        std::erase_if(digests, [](const core::Bytes& d) { return d.empty(); });
        const auto answer = post(*door, "blocked-keys/unblock", digests_json(digests));
        if (const int failed = report(answer)) return failed;
        if (common.json)
            std::cout << answer.body << "\n";
        else
            std::cout << "Unblocked " << core::hex(digests.front()) << ".\n";
    }
    return 0;
}

void print(const json::Value& k) { std::cout << text(k["key"]) << "  " << text(k["blocked"]) << "  " << text(k["reason"]) << "  " << text(k["source"]) << "\n"; }

/// 1 when a key of the file is refused: by the server, or already while it is read.
int check(const Common& common, const Options& o) {
    auto in = open_file(o.file);
    const auto door = Door::open(common.door);
    int status = 0;
    const auto ask = [&](const ListedKey& key) {
        if (!key.key) throw std::runtime_error("a fingerprint is no key; `postern key list` shows what is blocked");
        json::Writer w;
        w.begin_object().member("spki", core::base64(key.key->spki())).end_object();
        const auto answer = post(*door, "keys/check", w.take());
        if (report(answer) != 0) {
            status = 1;
            return;
        }
        const auto document = parsed(answer);
        const auto refused = document.root()["refused"].items();
        if (!refused.empty()) status = 1;
        if (common.json) {
            std::cout << answer.body << "\n";
            return;
        }
        std::cout << text(document.root()["fingerprint"]) << "  " << text(document.root()["key"]) << "  "
                  << (refused.empty() ? "good" : "refused") << "\n";
        for (const auto& r : refused) std::cout << "  " << text(r["check"]) << ": " << text(r["detail"]) << "\n";
    };
    const auto counts = read_file(in, o.file, KeyListFormat::automatic, ask);
    if (counts.unusable > 0) {
        std::cerr << "postern: " << json::printable(o.file + ": " + counts.first_unusable) << "\n";
        status = 1;
    }
    if (counts.keys + counts.unusable == 0) throw std::runtime_error(o.file + ": there is no key in it");
    return status;
}

}  // namespace

void add_key(CLI::App& app, Common& common, Run& run) {
    auto o = std::make_shared<Options>();
    auto* noun = app.add_subcommand("key", "Keys that nobody may use");
    noun->require_subcommand(1);
    auto* block_verb = noun->add_subcommand("block", "Block keys in all tenants");
    add_common(*block_verb, common);
    block_verb->add_option("KEY", o->keys, "Fingerprints, or PEM files with keys, certificates or requests; of a chain its leaf");
    block_verb->add_option("--file", o->file, "A list as its publisher wrote it");
    block_verb->add_option("--format", o->format, "auto, fingerprints, pem or badkeys")->capture_default_str();
    block_verb->add_option("--reason", o->reason, "What clients are told, such as \"compromised\"")->required();
    block_verb->add_option("--source", o->source, "Where it is from; the file's name unless given");
    block_verb->callback([o, &common, &run] { run = [o, &common] { return block(common, *o); }; });
    auto* unblock_verb = noun->add_subcommand("unblock", "Let keys be used again");
    add_common(*unblock_verb, common);
    unblock_verb->add_option("KEY", o->keys, "Fingerprints or PEM files")->required();
    unblock_verb->callback([o, &common, &run] { run = [o, &common] { return unblock(common, *o); }; });
    auto* list_verb = noun->add_subcommand("list", "Every blocked key");
    add_common(*list_verb, common);
    list_verb->callback([&common, &run] { run = [&common] { return ask_lines(common, std::string(routes) + "blocked-keys", print); }; });
    auto* check_verb = noun->add_subcommand("check", "Whether keys would be refused; status 1 if one would");
    add_common(*check_verb, common);
    check_verb->add_option("FILE", o->file, "PEM with keys, certificates or requests")->required();
    check_verb->callback([o, &common, &run] { run = [o, &common] { return check(common, *o); }; });
}

}  // namespace postern::app::verbs
