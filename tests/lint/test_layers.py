"""scripts/check-layers finds every kind of forbidden include, and nothing else."""
import pytest

FORBIDDEN = {
    "floor_above": ("src/store/batch.hpp", '"ra/model.hpp"', "floor 2 (store) includes floor 5 (ra)"),
    "core_knows_no_store": ("src/core/base/a.hpp", '"store/value.hpp"', "floor 1 (core) includes floor 2"),
    "front_ends": ("src/acme/order.cpp", '"api/x.hpp"', "never include one another"),
    "room_above": ("src/core/json/reader.cpp", '"core/http/message.hpp"', "core/json includes core/http above it"),
    "room_of_one_rank": ("src/core/json/reader.cpp", '"core/crypto/key.hpp"', "neighbours of one rank"),
    "http_and_dns": ("src/core/http/client.cpp", '"core/dns/resolver.hpp"', "neighbours of one rank"),
    "unknown_room": ("src/core/misc/a.cpp", '"core/base/time.hpp"', "core/misc is no room"),
    "unknown_floor": ("src/util/a.cpp", '"core/base/time.hpp"', "util/ is no floor"),
    "sqlite_adapter": ("src/ra/enrollment.cpp", '"store/sqlite/open.hpp"', "a concrete adapter"),
    "builtin_adapter": ("src/ca/backend.cpp", '"ca/builtin/builtin_ca.hpp"', "a concrete adapter"),
    "adapter_sees_other": ("src/ca/upstream_est/a.cpp", '"ca/builtin/builtin_ca.hpp"', "a concrete adapter"),
    "validator_adapter": ("src/acme/challenge.cpp", '"validation/http_01_validator.hpp"', "a concrete adapter"),
    "dots": ("src/ra/model.hpp", '"../core/base/ids.hpp"', "`..` in an include"),
    "dots_in_the_middle": ("src/ra/model.hpp", '"core/../core/base/ids.hpp"', "`..` in an include"),
    "no_folder": ("src/ra/model.hpp", '"names.hpp"', "an include without a folder"),
    "absent": ("src/ra/model.hpp", '"core/base/absent.hpp"', "no such file"),
    "macro": ("src/ra/model.hpp", "HEADER", "name the file"),
    "beast_header": ("src/core/http/server.hpp", "<boost/beast/http.hpp>", "core/http/*.cpp"),
    "beast_elsewhere": ("src/acme/order.cpp", "<boost/beast/core.hpp>", "core/http/*.cpp"),
    "openssl": ("src/ra/a.cpp", "<openssl/x509.h>", "OpenSSL belongs in"),
    "openssl_in_plain_http": ("src/core/http/router.cpp", "<openssl/ssl.h>", "OpenSSL belongs in"),
    "asio_ssl": ("src/app/main.cpp", "<boost/asio/ssl.hpp>", "core/http"),
    "rapidjson_in_header": ("src/core/json/reader.hpp", "<rapidjson/reader.h>", "core/json/*.cpp"),
    "sqlite": ("src/store/tables/a.cpp", "<sqlite3.h>", "store/sqlite"),
    "libpq": ("src/store/sqlite/a.cpp", "<libpq-fe.h>", "store/postgres"),
    "unbound": ("src/validation/a.cpp", "<unbound.h>", "core/dns"),
    "prometheus_in_header": ("src/core/observe/metrics.hpp", "<prometheus/registry.h>", "core/observe/*.cpp"),
    "spdlog": ("src/app/log.cpp", "<spdlog/spdlog.h>", "core/observe/*.cpp"),
    "tomlplusplus": ("src/app/configuration.cpp", "<toml++/toml.h>", "core/toml/*.cpp"),
    "cli11": ("src/api/a.cpp", "<CLI/CLI.hpp>", "CLI11 belongs in app"),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_forbidden_include_is_found(tree, name):
    file, operand, words = FORBIDDEN[name]
    if operand.startswith('"') and "absent" not in operand:
        tree.add("src/" + operand.strip('"').replace("core/../", ""))
    tree.add(file, f"#pragma once\n// a comment\n  #  include {operand}\n")
    offences = tree.check()
    assert len(offences) == 1, offences
    assert offences[0].startswith(f"{file}:3: ")
    assert words in offences[0]


ALLOWED = [
    ("src/app/wiring.cpp", '"store/sqlite/open.hpp"'),
    ("src/app/wiring.cpp", '"acme/routes.hpp"'),
    ("src/app/wiring.cpp", '"validation/http_01_validator.hpp"'),
    ("src/store/sqlite/writer.cpp", '"store/sqlite/open.hpp"'),
    ("src/ca/builtin/crl.cpp", '"ca/builtin/builtin_ca.hpp"'),
    ("src/validation/http_01_validator.cpp", '"validation/http_01_validator.hpp"'),
    ("src/acme/order.cpp", '"validation/validator.hpp"'),
    ("src/acme/order.cpp", '"acme/jws.hpp"'),
    ("src/core/crypto/jwk.cpp", '"core/json/reader.hpp"'),
    ("src/core/toml/reader.cpp", '"core/json/reader.hpp"'),
    ("src/core/http/server.cpp", '"core/observe/log.hpp"'),
    ("src/core/http/server.cpp", "<boost/beast/http.hpp>"),
    ("src/core/http/tls_context.cpp", "<openssl/ssl.h>"),
    ("src/core/json/reader.cpp", "<rapidjson/reader.h>"),
    ("src/store/sqlite/writer.cpp", "<sqlite3.h>"),
    ("src/ra/model.hpp", "<boost/system/result.hpp>"),
    ("tests/unit/ra/a.cpp", '"ca/builtin/builtin_ca.hpp"'),
    ("tests/unit/ra/a.cpp", "<openssl/x509.h>"),
    ("src/pch.cpp", '"pch.hpp"'),
]


@pytest.mark.parametrize("file,operand", ALLOWED)
def test_allowed_include_is_let_be(tree, file, operand):
    if operand.startswith('"'):
        tree.add("src/" + operand.strip('"'))
    tree.add(file, f"#include {operand}\n")
    assert tree.check() == []


def test_include_in_a_comment_or_string_is_no_include(tree):
    tree.add("src/core/base/a.cpp", '// #include "ra/x.hpp"\n/*\n#include "ra/y.hpp"\n*/\n'
                                    'const char* a = R"(\n#include <openssl/x509.h>\n)";\n')
    assert tree.check() == []


def test_header_that_lacks_an_include_is_found(tree):
    tree.add("src/core/base/lacking.hpp", "#pragma once\ninline std::string f() { return {}; }\n")
    tree.add("src/core/base/whole.hpp", "#pragma once\n#include <string>\ninline std::string f() { return {}; }\n")
    assert tree.check() == []
    offences = tree.check("--headers")
    assert len(offences) == 1
    assert offences[0].startswith("src/core/base/lacking.hpp:1: does not compile alone")


def test_header_that_cannot_be_included_twice_is_found(tree):
    tree.add("src/core/base/twice.hpp", "struct Twice {};\n")
    assert len(tree.check("--headers")) == 1


def test_empty_tree_is_an_error_and_not_a_pass(tree):
    with pytest.raises(AssertionError, match="no sources"):
        tree.check()
