#include "core/crypto/chain.hpp"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <array>

#include "core/crypto/handles.hpp"

namespace postern::crypto {
namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;

constexpr int security_level = 2;
constexpr std::size_t longest_name = 200;

struct FreeStack {
    void operator()(STACK_OF(X509) * stack) const noexcept { sk_X509_pop_free(stack, X509_free); }
};
using StackPtr = std::unique_ptr<STACK_OF(X509), FreeStack>;
using StorePtr = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using ContextPtr = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;

X509Ptr to_x509(const Certificate& certificate) {
    const auto* at = certificate.der().data();
    X509Ptr out(d2i_X509(nullptr, &at, static_cast<long>(certificate.der().size())));
    if (!out) last_error("");  // only drained: the caller says which one
    return out;
}

X509Ptr again(const X509Ptr& certificate) {
    X509_up_ref(certificate.get());
    return X509Ptr(certificate.get());
}

Result<Certificate> from_x509(X509* certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate, &der);
    if (size <= 0) fail("i2d_X509");
    auto parsed = Certificate::parse(core::BytesView(der, static_cast<std::size_t>(size)));
    OPENSSL_free(der);
    return parsed;
}

bool self_issued(const Certificate& certificate) { return certificate.subject_der() == certificate.issuer_der(); }

/// The caller judges when the leaf is valid: clocks of two houses.
int leave_leafs_dates(int ok, X509_STORE_CTX* context) {
    const int error = X509_STORE_CTX_get_error(context);
    const bool dates = error == X509_V_ERR_CERT_NOT_YET_VALID || error == X509_V_ERR_CERT_HAS_EXPIRED;
    if (ok == 0 && dates && X509_STORE_CTX_get_error_depth(context) == 0) return 1;
    return ok;
}

std::string unknown_critical(const X509* certificate) {
    std::string out;
    for (int at = 0; at < X509_get_ext_count(certificate); ++at) {
        auto* extension = X509_get_ext(certificate, at);
        if (X509_EXTENSION_get_critical(extension) == 0 || X509_supported_extension(extension) == 1) continue;
        std::array<char, 128> oid{};
        OBJ_obj2txt(oid.data(), static_cast<int>(oid.size()), X509_EXTENSION_get_object(extension), 1);
        out += std::string(out.empty() ? ": " : ", ") + oid.data();
    }
    return out;
}

/// One of them ends a path nowhere: another set of anchors may end it.
bool ends_nowhere(int error) {
    return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT || error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN || error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
           error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

Problem why_not(X509_STORE_CTX* context) {
    const int error = X509_STORE_CTX_get_error(context);
    std::string detail = X509_verify_cert_error_string(error);
    auto* at = X509_STORE_CTX_get_current_cert(context);
    if (at != nullptr) {
        if (error == X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION) detail += unknown_critical(at);
        if (const auto certificate = from_x509(at))
            detail = "\"" + certificate->subject().to_text().substr(0, longest_name) + "\" (" + core::rfc3339(certificate->not_before()) + " to " +
                     core::rfc3339(certificate->not_after()) + "): " + detail;
    }
    if (ends_nowhere(error)) detail = "the chain does not end at a declared trust anchor: " + detail;
    return {ProblemKind::malformed, std::move(detail)};
}

/// One try; `nowhere`: it failed because it leads to none of the anchors.
Result<std::vector<Certificate>> try_path(X509* leaf, STACK_OF(X509) * untrusted, const std::vector<X509Ptr>& anchors, bool partial,
                                          int most_issuers, core::TimePoint now, bool& nowhere) {
    const StorePtr store(X509_STORE_new());
    const ContextPtr context(X509_STORE_CTX_new());
    if (!store || !context) fail("X509_STORE_new");
    for (const auto& anchor : anchors)
        if (X509_STORE_add_cert(store.get(), anchor.get()) != 1) fail("X509_STORE_add_cert");
    if (X509_STORE_CTX_init(context.get(), store.get(), leaf, untrusted) != 1) fail("X509_STORE_CTX_init");
    auto* parameters = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count()));
    X509_VERIFY_PARAM_set_depth(parameters, most_issuers);
    X509_VERIFY_PARAM_set_auth_level(parameters, security_level);
    if (partial) X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
    X509_STORE_CTX_set_verify_cb(context.get(), leave_leafs_dates);
    const int verified = X509_verify_cert(context.get());
    nowhere = verified != 1 && ends_nowhere(X509_STORE_CTX_get_error(context.get()));
    if (verified != 1) {
        last_error("");
        return why_not(context.get());
    }
    std::vector<Certificate> out;
    const auto* chain = X509_STORE_CTX_get0_chain(context.get());
    for (int at = 1; at < sk_X509_num(chain); ++at) {
        auto certificate = from_x509(sk_X509_value(chain, at));
        if (!certificate) return certificate.error();
        out.push_back(std::move(*certificate));
    }
    return out;
}

}  // namespace

Result<std::vector<Certificate>> verified_path(const PathMaterial& material, core::TimePoint now) {
    const auto leaf = to_x509(material.leaf);
    const StackPtr untrusted(sk_X509_new_null());
    if (!untrusted) fail("sk_X509_new_null");
    std::vector<X509Ptr> roots, all;
    const auto unreadable = [](const Certificate& c) { return Problem(ProblemKind::malformed, "\"" + c.subject().to_text().substr(0, longest_name) + "\" is no certificate to OpenSSL"); };
    if (!leaf) return unreadable(material.leaf);
    for (const auto* list : {&material.sent, &material.declared}) {
        for (const auto& certificate : *list) {
            auto read = to_x509(certificate);
            if (!read) return unreadable(certificate);
            if (list == &material.declared) {
                if (self_issued(certificate)) roots.push_back(again(read));
                all.push_back(again(read));
            }
            if (sk_X509_push(untrusted.get(), read.get()) == 0) fail("sk_X509_push");
            static_cast<void>(read.release());
        }
    }
    bool nowhere = false;
    auto path = try_path(leaf.get(), untrusted.get(), roots, false, material.most_issuers, now, nowhere);
    if (path || !nowhere || all.size() == roots.size()) return path;
    return try_path(leaf.get(), untrusted.get(), all, true, material.most_issuers, now, nowhere);
}

}  // namespace postern::crypto
