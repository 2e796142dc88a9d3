#include "ra/one_time_challenges.hpp"

#include <algorithm>
#include <unordered_map>

#include "core/base/encoding.hpp"
#include "core/crypto/security_identifier.hpp"
#include "core/json/writer.hpp"
#include "ra/binding_text.hpp"
#include "ra/bodies.hpp"
#include "ra/policy/checks.hpp"
#include "store/tables/credential_use.hpp"

namespace postern::ra {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

constexpr std::size_t octets = 16;  // 128 bits

core::Bytes digest_of(const crypto::Sealer& sealer, core::EndpointId endpoint, std::string_view text) {
    std::string input = std::to_string(endpoint.get()) + "/";
    input += text;
    const core::SecretBytes secret(core::Bytes(input.begin(), input.end()));
    return sealer.lookup_hash("scep-challenge", secret.expose());
}

/// As NDES writes its passwords: MDM products look for such a word.
core::SecretText draw(core::Random& random) {
    auto text = core::hex(random.bytes(octets));
    std::ranges::transform(text, text.begin(), [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c; });
    return core::SecretText(std::move(text));
}

Problem no_endpoint(Protocol protocol, const std::string& name) {
    return {ProblemKind::not_found, std::string("there is no ") + (protocol == Protocol::est ? "EST" : "SCEP") + " endpoint " + name};
}
Problem no_challenge(const std::string& token) { return {ProblemKind::not_found, "there is no challenge " + token + " at this endpoint"}; }

/// Another tenant's is as absent as none.
const Endpoint* endpoint_of(const Catalog& catalog, Protocol protocol, const std::string& name, const Principal& by) {
    const auto* endpoint = catalog.endpoint(protocol, name);
    if (endpoint == nullptr || (by.tenant && *by.tenant != endpoint->tenant)) return nullptr;
    return endpoint;
}

bool lists(const std::vector<std::string>& names, const std::string& name) { return std::ranges::find(names, name) != names.end(); }

std::vector<std::string> common_names(const ChallengeWish& wish) {
    std::vector<std::string> out;
    for (const auto& entry : wish.subject)
        if (entry.type == crypto::DnAttribute::common_name) out.push_back(entry.value);
    return out;
}

/// What would be refused to every device that presents it is refused to whoever mints it.
Result<const Profile*> profile_of(const ChallengeWish& wish, const Catalog& catalog, const ca::Backends& backends, const Endpoint& endpoint, const Account& account) {
    EnrollmentRequest request;
    request.profile = wish.profile;
    const auto* profile = choose_profile(request, catalog, &endpoint, &account);
    const bool allowed = profile != nullptr && lists(endpoint.profiles, profile->name) && (account.profiles.empty() || lists(account.profiles, profile->name));
    if (!allowed) return Problem(ProblemKind::invalid_profile, "endpoint and account give no profile " + (wish.profile.empty() ? "at all" : wish.profile), "profile.allowed");
    if (backends.find(profile->backend) == nullptr) return Problem(ProblemKind::unavailable, "the CA of profile " + profile->name + " is away", "profile.backend");
    std::vector<crypto::GeneralName> judged;
    for (const auto& name : wish.names) {
        // Intune alone vouches for those.
        if (crypto::resembles_security_identifier(name.value))
            return Problem(ProblemKind::bad_csr, "names: a security identifier of Windows is taken only from a CSR that Intune validated", "names.security_identifier");
        if (profile->drop_other_names && !takes(*profile, name)) continue;  // left out of the certificate, too
        auto normal = normal_form(profile, NameRules(), name);
        if (!normal) return normal.error();
        judged.push_back(std::move(*normal));
    }
    Trace trace;
    if (!judged.empty())
        if (const auto good = check_names(catalog, account, *profile, judged, trace); !good) return good.error();
    if (profile->text_common_name && !wish.unbound)
        if (const auto good = record("subject.common_name", checks::text_common_name(account, common_names(wish)), trace); !good) return good.error();
    if (wish.key && std::ranges::find(profile->keys, wish.key->type, &crypto::KeySpec::type) == profile->keys.end())
        return Problem(ProblemKind::bad_public_key, "profile " + profile->name + " takes no key of type " + wish.key->to_string(), "key.allowed");
    if (wish.scripted && profile->require_binding)
        return Problem(ProblemKind::conflict, "profile " + profile->name + " wants requests that are bound to their TLS connection (require_binding), which no script with curl can make", "proof.binding");
    return profile;
}

Result<void> judge_form(const ChallengeWish& wish, const Account& account) {
    if (!account.active) return Problem(ProblemKind::forbidden, "account " + account.name + " is disabled", "account.active");
    if (wish.unbound) {
        if (!account.one_time.unbound)
            return Problem(ProblemKind::forbidden, "account " + account.name + " mints challenges for a named device alone; say subject and names, or have its document say unbound = true", "challenge.unbound");
        if (!wish.subject.empty() || !wish.names.empty()) return Problem(ProblemKind::malformed, "unbound: leave subject and names out");
    } else if (wish.subject.empty() && wish.names.empty()) {
        return Problem(ProblemKind::malformed, "say which subject and names the device asks for");
    }
    if (wish.lifetime && (*wish.lifetime <= std::chrono::milliseconds(0) || *wish.lifetime > account.one_time.longest))
        return Problem(ProblemKind::malformed, "ttl: account " + account.name + " gives at most " + core::format_duration(account.one_time.longest));
    return {};
}

/// The profile of each; where anybody's wish is refused, who and why. Two devices of one batch are never the same.
std::vector<const Profile*> judge(const std::vector<ChallengeWish>& wishes, const Catalog& catalog, const ca::Backends& backends, const Endpoint& endpoint, const Account& account,
                                  std::vector<RefusedWish>& refused) {
    std::vector<const Profile*> out;
    std::unordered_map<std::string, std::size_t> seen;
    for (std::size_t at = 0; at < wishes.size(); ++at) {
        const auto& wish = wishes[at];
        const auto good = judge_form(wish, account);
        const auto profile = good ? profile_of(wish, catalog, backends, endpoint, account) : Result<const Profile*>(good.error());
        out.push_back(profile ? *profile : nullptr);
        if (!profile) {
            refused.emplace_back(at, profile.error());
            continue;
        }
        const auto [before, first] = seen.emplace(to_stored(wish.subject) + to_stored(wish.names), at);
        if (!first) refused.emplace_back(at, Problem(ProblemKind::malformed, "its subject and names are those of device " + std::to_string(before->second + 1) + " of the batch"));
    }
    return out;
}

AuditRecord minting_record(const store::ScepChallengeRow& row, const Endpoint& endpoint, const Account& account, const Principal& by, const core::RequestId& request) {
    AuditRecord record;
    record.at = row.created;
    record.tenant = endpoint.tenant;
    record.request = request;
    record.actor = by.actor;
    record.action = "challenge.minted";
    record.object_kind = "scep_challenge";
    record.object_id = row.token;
    json::Writer detail;
    detail.begin_object().member("endpoint", endpoint.name).member("account", account.name).member("profile", row.profile).member("bound", row.bound);
    detail.key("subject").raw(row.subject).key("names").raw(row.names).member("expires", core::rfc3339(row.expires)).end_object();
    record.detail = detail.take();
    return record;
}

}  // namespace

Task<Result<Account>> OneTimeChallenges::minting_account(const Endpoint& endpoint, std::string name, bool unbound) {
    std::optional<std::string> wanted;
    if (!name.empty()) wanted = name;
    auto of_endpoint = store::values(endpoint.id, wanted);
    const auto rows = co_await deps_.db.read(store::account_minting, std::move(of_endpoint));
    std::vector<Account> accounts;
    for (const auto& row : rows) {
        auto account = read_account(store::ObjectRow::from(row));
        if (account) accounts.push_back(std::move(*account));  // unreadable denies
    }
    // Where there are several, only those that can do what is asked.
    if (unbound && accounts.size() > 1) std::erase_if(accounts, [](const Account& a) { return !a.one_time.unbound; });
    if (accounts.empty())
        co_return Problem(ProblemKind::not_found, "endpoint " + endpoint.name + " has no account of method one_time" + (name.empty() ? "" : " named " + name));
    if (accounts.size() > 1) co_return Problem(ProblemKind::malformed, "account: endpoint " + endpoint.name + " has several accounts of method one_time; name one");
    co_return std::move(accounts.front());
}

Task<Result<MintedChallenge>> OneTimeChallenges::mint(ChallengeWish wish, Principal by, core::RequestId request) {
    std::vector<ChallengeWish> one;
    one.push_back(std::move(wish));
    auto made = co_await mint_all(std::move(one), std::move(by), std::move(request));
    if (!made) co_return made.error();
    if (!made->refused.empty()) co_return made->refused.front().why;
    co_return std::move(made->minted.front());
}

Task<Result<MintedBatch>> OneTimeChallenges::mint_all(std::vector<ChallengeWish> wishes, Principal by, core::RequestId request) {
    if (wishes.empty() || wishes.size() > most_at_once) co_return Problem(ProblemKind::malformed, "expected 1 to " + std::to_string(most_at_once) + " devices");
    const auto catalog = deps_.catalog.current();
    const bool unbound = wishes.front().unbound;
    const auto endpoint_name = wishes.front().endpoint;
    const auto* endpoint = endpoint_of(*catalog, wishes.front().protocol, endpoint_name, by);
    if (endpoint == nullptr) co_return no_endpoint(wishes.front().protocol, endpoint_name);
    auto wanted = wishes.front().account;
    const auto account = co_await minting_account(*endpoint, std::move(wanted), unbound);
    if (!account) co_return account.error();
    using Credential = EstSettings::Credential;
    const auto shown = endpoint->est.credential;
    if (wishes.front().scripted && (shown == Credential::certificate || shown == Credential::both))
        co_return Problem(ProblemKind::conflict, "endpoint " + endpoint->name + " wants a client certificate in the TLS handshake, so that a token is nobody's first credential there", "credential.certificate");
    MintedBatch out;
    const auto profiles = judge(wishes, *catalog, deps_.backends, *endpoint, *account, out.refused);
    if (!out.refused.empty()) co_return std::move(out);
    const auto* tenant = catalog->tenant(endpoint->tenant);
    const auto now = deps_.clock.now();
    store::Batch batch;
    batch.add(store::scep_challenge_turn, store::values(account->id));
    if (unbound) batch.add(store::scep_challenge_room, store::values(account->id, now, std::int64_t{account->one_time.outstanding}));
    for (std::size_t at = 0; at < wishes.size(); ++at) {
        const auto& wish = wishes[at];
        MintedChallenge made;
        made.text = draw(deps_.random);
        made.account = (tenant ? tenant->name : std::string()) + "/" + account->name;
        made.profile = profiles[at]->name;
        made.expires = now + wish.lifetime.value_or(account->one_time.lifetime);
        store::ScepChallengeRow row;
        row.id = co_await deps_.numbers.next(store::Series::challenge);
        row.token = made.token = deps_.random.token();
        row.tenant = endpoint->tenant;
        row.endpoint = endpoint->id;
        row.account = account->id;
        row.digest = digest_of(deps_.sealer, endpoint->id, made.text.expose());
        row.bound = !unbound;
        row.profile = made.profile;
        row.subject = to_stored(wish.subject);
        row.names = to_stored(wish.names);
        row.key_type = wish.key ? wish.key->to_string() : "";
        row.status = "open";
        row.created = now;
        row.expires = made.expires;
        row.actor_kind = by.actor.kind;
        row.actor = by.actor.name;
        batch.add(store::scep_challenge_insert, row.insert_values());
        const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
        add_audit(batch, audit_id, minting_record(row, *endpoint, *account, by, request));
        out.minted.push_back(std::move(made));
    }
    const auto written = co_await deps_.db.write(std::move(batch));
    if (written) co_return std::move(out);
    if (written.error().statement == &store::scep_challenge_room) {
        Problem full(ProblemKind::rate_limited, "account " + account->name + " has " + std::to_string(account->one_time.outstanding) +
                                                    " unbound challenges that no device has used yet, which are the most", "challenge.outstanding");
        co_return full;
    }
    co_return Problem(ProblemKind::conflict, "account " + account->name + " was changed meanwhile; ask again");
}

Task<std::optional<store::Rows>> OneTimeChallenges::list(Protocol protocol, std::string endpoint_name, Principal by, std::int64_t after, std::int64_t limit) {
    const auto catalog = deps_.catalog.current();
    const auto* endpoint = endpoint_of(*catalog, protocol, endpoint_name, by);
    if (endpoint == nullptr) co_return std::nullopt;
    auto page = store::values(after, limit, by.tenant, endpoint->id);
    auto rows = co_await deps_.db.read(store::scep_challenge_page, std::move(page));
    co_return std::optional<store::Rows>(std::move(rows));
}

Task<Result<void>> OneTimeChallenges::withdraw(Protocol protocol, std::string endpoint_name, std::string token, Principal by, core::RequestId request) {
    const auto catalog = deps_.catalog.current();
    const auto* endpoint = endpoint_of(*catalog, protocol, endpoint_name, by);
    if (endpoint == nullptr) co_return no_endpoint(protocol, endpoint_name);
    auto by_token = store::values(token);
    const auto found = co_await store::read_one(deps_.db, store::scep_challenge_by_token, std::move(by_token));
    const auto row = found ? store::ScepChallengeRow::from(*found) : store::ScepChallengeRow();
    if (!found || row.endpoint != endpoint->id) co_return no_challenge(token);
    AuditRecord record;
    record.at = deps_.clock.now();
    record.tenant = endpoint->tenant;
    record.request = request;
    record.actor = by.actor;
    record.action = "challenge.withdrawn";
    record.object_kind = "scep_challenge";
    record.object_id = token;
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    store::Batch batch;
    batch.add(store::scep_challenge_withdraw, store::values(row.id));
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return Problem(ProblemKind::conflict, "challenge " + token + " was used or withdrawn before");
    co_return Result<void>();
}

Task<std::optional<PresentedChallenge>> find_one_time_challenge(store::Database& db, const crypto::Sealer& sealer, core::EndpointId endpoint,
                                                                std::string text, core::Bytes spki_sha256, core::TimePoint now) {
    if (text.size() != octets * 2) co_return std::nullopt;
    const auto digest = digest_of(sealer, endpoint, text);
    auto by_digest = store::values(endpoint, digest);
    const auto found = co_await store::read_one(db, store::scep_challenge_find, std::move(by_digest));
    if (!found) co_return std::nullopt;
    PresentedChallenge out;
    out.row = store::ScepChallengeRow::from(*found);
    auto account = co_await find_account(db, out.row.account);
    if (!account || account->method != AccountMethod::one_time) co_return std::nullopt;
    out.account = std::move(*account);
    out.use = SingleUse(digest, out.row.expires + challenge_kept);
    if (out.row.bound) {
        out.binding.subject = subject_from_stored(out.row.subject);
        out.binding.names = names_from_stored(out.row.names);
    } else if (!out.account.one_time.unbound) {
        out.binding.ended = "the account takes challenges for a named device alone by now";
    }
    if (!out.row.key_type.empty()) out.binding.key = crypto::KeySpec::from(out.row.key_type);
    if (out.row.status != "open") out.binding.ended = "the challenge was withdrawn";
    if (out.row.expires > now) co_return std::move(out);
    // Only an attempt that was made in time has the key with it, and then it is its answer that is repeated, be it that an
    // officer has not decided yet.
    auto again = store::values(endpoint, digest);
    const auto used = co_await store::read_one(db, store::credential_use_find, std::move(again));
    const auto use = used ? store::CredentialUseRow::from(*used) : store::CredentialUseRow();
    if (use.spki_sha256 != spki_sha256) out.binding.ended = "the challenge expired at " + core::rfc3339(out.row.expires);
    co_return std::move(out);
}

}  // namespace postern::ra
