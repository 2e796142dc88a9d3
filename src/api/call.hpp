#pragma once
#include "api/api.hpp"
#include "core/base/result.hpp"
#include "core/json/reader.hpp"

namespace postern::api {

/// What a handler gets: the request, who asked (already allowed to), and the house below.
struct Call {
    Call(const http::Request& r, const ra::Principal& p, const Api::Deps& d) : request(r), principal(p), deps(d) {}
    const http::Request& request;
    const ra::Principal& principal;
    const Api::Deps& deps;
};

using Answer = core::Result<http::Response>;

core::Task<Answer> apply(Call call);
core::Task<Answer> export_documents(Call call);
core::Task<Answer> explain(Call call);
core::Task<Answer> list_certificates(Call call);
core::Task<Answer> show_certificate(Call call);
core::Task<Answer> revoke_certificate(Call call);
core::Task<Answer> create_principal(Call call);
core::Task<Answer> list_blocked_keys(Call call);
core::Task<Answer> block_keys(Call call);
core::Task<Answer> unblock_keys(Call call);
core::Task<Answer> check_key(Call call);
core::Task<Answer> list_paused_profiles(Call call);
core::Task<Answer> resume_profile(Call call);
core::Task<Answer> list_principals(Call call);
core::Task<Answer> disable_principal(Call call);
core::Task<Answer> enable_principal(Call call);
core::Task<Answer> list_requests(Call call);
core::Task<Answer> show_request(Call call);
core::Task<Answer> resolve_request(Call call);
core::Task<Answer> approve_request(Call call);
core::Task<Answer> decline_request(Call call);
core::Task<Answer> list_backends(Call call);
core::Task<Answer> test_backend(Call call);
core::Task<Answer> list_azure_accounts(Call call);
core::Task<Answer> test_azure_account(Call call);
core::Task<Answer> poll_azure_revocations(Call call);
/// What the body names under "azure_account": "tenant/name". Errors: malformed; not_found, for those that the principal may not see too.
core::Result<azure::AccountRef> named_azure_account(const Call& call);
core::Task<Answer> start_backup(Call call);
core::Task<Answer> backup_status(Call call);
core::Task<Answer> open_restored(Call call);
core::Task<Answer> reload(Call call);
core::Task<Answer> show_server(Call call);
core::Task<Answer> list_messages(Call call);
core::Task<Answer> retry_message(Call call);
core::Task<Answer> drop_message(Call call);
core::Task<Answer> list_authorities(Call call);
core::Task<Answer> prepare_successor(Call call);
core::Task<Answer> withdraw_successor(Call call);
core::Task<Answer> import_ra(Call call);
core::Task<Answer> show_clock(Call call);
core::Task<Answer> accept_clock(Call call);
core::Task<Answer> advance_laboratory_clock(Call call);
core::Task<Answer> mint_challenge(Call call);
core::Task<Answer> list_challenges(Call call);
core::Task<Answer> withdraw_challenge(Call call);
core::Task<Answer> mint_token(Call call);
core::Task<Answer> mint_tokens(Call call);
core::Task<Answer> list_tokens(Call call);
core::Task<Answer> withdraw_token(Call call);
core::Task<Answer> add_devices(Call call);
core::Task<Answer> list_devices(Call call);
core::Task<Answer> remove_devices(Call call);
core::Task<Answer> release_device(Call call);
core::Task<Answer> put_predecessor(Call call);
core::Task<Answer> list_predecessors(Call call);
core::Task<Answer> remove_predecessor(Call call);
core::Task<Answer> import_certificates(Call call);
core::Task<Answer> list_imported_certificates(Call call);
core::Task<Answer> find_imported_certificates(Call call);
core::Task<Answer> remove_imported_certificate(Call call);
core::Task<Answer> configure_client(Call call);

inline constexpr std::size_t network_body_bytes = std::size_t{1024} * 1024, local_body_bytes = 64 * network_body_bytes;
/// The body as a JSON object; `malformed` otherwise, and for members not in `known`.
core::Result<json::Document> read_body(const http::Request& request, std::initializer_list<std::string_view> known);
/// A number of the query within bounds, or the fallback when it is absent.
core::Result<std::int64_t> query_number(const http::Request& request, std::string_view name, std::int64_t fallback,
                                        std::int64_t least, std::int64_t most);
http::Response json_response(unsigned status, std::string body);
/// {"code", "description", "requestId"} with the status that fits the kind.
http::Response error_response(const http::Request& request, const core::Problem& problem);

}  // namespace postern::api
