"""`est enroll-bundle` where something is wrong with the list, an option or the file: nothing is minted, and the operator reads why."""
import resource
import signal

import pytest

from bundle import enrolled, line, table_of  # noqa: F401  (and a fixture)


LISTS = {
    "empty": ("", "cannot read"),
    "comments": ("\n# none\n", "there is no device in it"),
    "names": ("gw-1\n../gw-2\n\ngw 3\nGW-1\n-x\n" + "y" * 65 + "\n",
              ("line 2: ../gw-2: a device name begins with a letter or a digit", "line 4: gw 3: a device name has letters, digits and . _ - : alone",
               "line 5: GW-1: the name stands on line 1 already", "line 6: -x: ", "line 7: ", "nothing was minted or written")),
    "many": ("".join(f"x {n}\n" for n in range(30)), ("line 20: x 19: ", "and 10 more")),
    "too many": ("".join(f"gw-{n}\n" for n in range(5001)), "5001 devices; a batch is one commit, of at most 5000: make several"),
}


@pytest.mark.parametrize("case", LISTS)
def test_a_list_with_an_error_mints_nothing(line, case):
    devices, why = LISTS[case]
    line.refused(why, devices=devices)


TABLES = {
    "columns": ("serial\n4711\n", "unknown column serial; known are device, subject, sans"),
    "no device": ("subject\nCN=a\n", "the first line has no column device"),
    "cells": ("device,subject\ngw-1,CN=gateway 1,O=Example\n", "line 2: more cells than columns; a subject with a comma stands in quotes"),
    "subject": ("device,subject\ngw-1,CN=a+O=b\n", "line 2: gw-1: subject: one attribute each"),
    "attribute": ("device,subject\ngw-1,1.2.3.4=a\n", "line 2: gw-1: subject: enroll.sh cannot ask for attribute 1.2.3.4"),
    "country": ("device,subject\ngw-1,CN=a\ngw-2,C=DEU\n", ("line 3: gw-2: ", "C is not two characters of a PrintableString (RFC 5280 appendix A.1)", "nothing was minted")),
    "long": (f"device,subject\ngw-1,CN={'é' * 64}\ngw-2,\"O=x,CN={'é' * 65}\"\n", ("line 3: gw-2: ", "CN has 65 characters; 64 are the most (RFC 5280 appendix A.1)")),
    "characters": ("device,subject\ngw-1,serialNumber=a_b\n", ("line 2: gw-1: ", "serialNumber has characters that a PrintableString cannot hold (RFC 5280 appendix A.1)")),
    "mail": ("device,subject\ngw-1,E=gerät@example.com\n", ("line 2: gw-1: ", "E has characters that an IA5String cannot hold")),
    "long mail": (f"device,subject\ngw-1,E={'a' * 117}@example.com\n", "line 2: gw-1: subject: E has 129 characters, of which openssl takes at most 128"),
    "name": ("device,sans\ngw-1,dns:gw-1.batch.example.com\ngw-2,upn:a@b\n", "line 3: gw-2: names: enroll.sh cannot ask for upn:a@b"),
    "scope": ("device,sans\ngw-1,dns:gw-1.batch.example.com\n\ngw-2,dns:www.elsewhere.example\ngw-3,dns:www.elsewhere.test\n", ("line 4: gw-2: ", "line 5: gw-3: ", "nothing was minted")),
    "twins": ("device,subject\ngw-1,CN=same\ngw-2,CN=same\n", "line 3: gw-2: its subject and names are those of device 1 of the batch"),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_table_with_an_error_mints_nothing(line, case):
    table, why = TABLES[case]
    line.refused(why, table=table)


@pytest.mark.parametrize("out", ["batch.tar", "batch.csv"])
def test_bounds_hold_for_scripts_and_for_clients_of_ones_own(line, out):
    line.refused("line 2: gw-1: ", table="device,subject\ngw-1,C=DEU\n", out=out)


OPTIONS = {
    "ttl": (("--ttl", "31d"), "gives at most 30d"),
    "no ttl": (("--ttl", "soon"), "expected a duration"),
    "no key type": (("--key", "dsa-1024"), "no key type; known: ec-p256"),
    "key type": (("--key", "ec-p384"), "profile batch takes no key of type ec-p384"),
    "profile": (("--profile", "nowhere"), "give no profile nowhere"),
    "binding": (("--profile", "batch-bound"), "no script with curl can make"),
    "twins": (("--subject", "CN=the same"), "its subject and names are those of device 1"),
    "root": (("--root", "/dev/null"), "/dev/null"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options_that_do_not_go(line, case):
    options, why = OPTIONS[case]
    line.refused(why, *options, devices="gw-1\ngw-2\n")


def test_a_client_of_ones_own_may_bind_its_requests(line):
    """What a script cannot do a table is made for."""
    assert len(table_of(line.made("--profile", "batch-bound", devices="gw-1\n", out="bound.csv"))) == 1


@pytest.mark.parametrize(("out", "why"), [("batch", "expected FILE.tar"), ("batch.zip", "or FILE.csv"), ("nowhere/batch.tar", "cannot create"), (".tar", "begins with neither")])
def test_files_that_cannot_be(line, out, why):
    line.refused(why, devices="gw-1\n", out=out)


def test_no_file_is_written_over_unless_that_is_said(line):
    (line.folder / "batch.csv").write_text("mine")
    line.refused("batch.csv exists", devices="gw-1\n", out="batch.csv")
    assert (line.folder / "batch.csv").read_text() == "mine"
    (line.folder / "folder.csv").mkdir()
    line.refused("exists and is no file", "--replace", devices="gw-1\n", out="folder.csv")
    (line.folder / "batch.csv").chmod(0o644)
    file = line.made("--replace", devices="gw-1\n", out="batch.csv")
    assert len(table_of(file)) == 1 and file.stat().st_mode & 0o777 == 0o600


def test_tokens_that_cannot_be_written_are_withdrawn(line):
    """A disk that is full, as far as the verb can see."""

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = line.verb(devices="".join(f"gw-{n}\n" for n in range(20)), preexec_fn=small_files)
    assert (done.returncode, "the tokens were withdrawn\n" in done.stderr, "cannot write" in done.stderr) == (1, True, True), done.stderr
    assert not [path for path in line.folder.iterdir() if path.name.startswith("batch.tar")]
    assert [row["state"] for row in line.tokens().values()] == ["withdrawn"] * 20


def test_a_whole_batch_is_withdrawn_by_its_ids(line):
    ids = [row["id"] for row in table_of(line.made(devices="gw-1\ngw-2\ngw-3\n", out="batch.csv"))]
    line.server.cli("est", "token", "withdraw", line.name, ids[1])
    done = line.server.verb("est", "token", "withdraw", line.name, *ids, "--data", line.server.data)
    assert (done.returncode, done.stdout) == (1, f"Withdrawn {ids[0]}.\nWithdrawn {ids[2]}.\n")
    assert f"challenge {ids[1]} was used or withdrawn before" in done.stderr
    assert {row["state"] for row in line.tokens().values()} == {"withdrawn"}


@pytest.mark.parametrize(("role", "tenant", "why"), [
    ("enroller", "default", None), ("officer", None, None),
    ("auditor", "default", "is auditor; this needs officer"), ("enroller", "strangers", "there is no EST endpoint"),
])
def test_who_may_mint_a_batch(line, role, tenant, why):
    if tenant == "strangers":
        document = line.folder / "strangers.toml"
        document.write_text('[[tenant]]\nname = "strangers"\n')
        line.server.apply(document)
    options = line.elsewhere(role, tenant)
    if why:
        line.refused((why, "nothing was minted"), *options, devices="gw-1\n")
        return
    enrolled(line.unpacked(line.made(*options, devices="gw-1\n")) / "devices/gw-1")
