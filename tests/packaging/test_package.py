"""The Debian package, built from the tree under test and looked into; scripts/bare-debian installs it for real."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SYSTEMD = ROOT / "packaging/systemd"


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The built .deb, and a folder with its files."""
    folder = tmp_path_factory.mktemp("package")
    run("cpack", "-G", "DEB", "-B", folder, cwd=ROOT / "build/release")
    [deb] = folder.glob("postern_*.deb")
    run("dpkg-deb", "-x", deb, folder / "files")
    run("dpkg-deb", "-e", deb, folder / "control")
    return deb, folder / "files", folder / "control"


def test_the_package_names_what_it_depends_on(package):
    deb = package[0]
    depends = run("dpkg-deb", "-f", deb, "Depends")
    for library in ("libc6", "libssl3", "libsqlite3-0", "libpq5", "libunbound8", "libcurl4"):
        assert library in depends
    assert run("dpkg-deb", "-f", deb, "Section").strip() == "net"


def test_only_the_configuration_is_a_conffile(package):
    assert (package[2] / "conffiles").read_text() == "/etc/postern/postern.toml\n"
    assert (package[1] / "etc/postern/postern.toml").read_bytes() == (ROOT / "config/postern.toml").read_bytes()


@pytest.mark.parametrize("path", ["usr/bin/postern", "usr/lib/systemd/system/postern.service", "usr/share/man/man1/postern.1.gz",
                                  "usr/share/bash-completion/completions/postern", "usr/share/zsh/vendor-completions/_postern",
                                  "usr/share/fish/vendor_completions.d/postern.fish", "usr/share/doc/postern/copyright",
                                  "usr/share/doc/postern/configuration.md"])
def test_the_package_has(package, path):
    assert (package[1] / path).stat().st_size > 0


def test_the_packaged_program_is_the_one_under_test(package):
    assert run(package[1] / "usr/bin/postern", "--version") == run(ROOT / "build/release/postern", "--version")


@pytest.mark.parametrize("script", ["postinst", "prerm", "postrm"])
def test_maintainer_scripts_are_sound_and_never_remove_data(package, script):
    text = (package[2] / script).read_text()
    run("sh", "-n", package[2] / script)
    commands = [line for line in text.splitlines() if not line.lstrip().startswith(("#", "echo"))]
    assert not re.search(r"\b(rm|userdel|deluser)\b", "\n".join(commands))


class Machine:
    """The real postinst on folders of this test, with commands that only write down what they were told."""

    def __init__(self, package, folder, active):
        self.systemd, self.calls = folder / "systemd", folder / "calls"
        self.systemd.mkdir()
        self.calls.touch()
        commands = folder / "bin"
        commands.mkdir()
        for name, status in (("systemctl", 0 if active else 3), ("getent", 0), ("useradd", 0), ("install", 0), ("postern", 0)):
            (commands / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{self.calls}\ncase "$*" in is-active*) exit {status} ;; esac\n')
            (commands / name).chmod(0o755)
        self.script = folder / "postinst"
        self.script.write_text((package[2] / "postinst").read_text().replace("/run/systemd/system", str(self.systemd))
                               .replace("/var/lib/postern ]", f"{folder}/data ]"))
        self.path = f"{commands}:/usr/bin:/bin"

    def configure(self, *old_version):
        said = run("sh", self.script, "configure", *old_version, env={"PATH": self.path})
        return said, [line for line in self.calls.read_text().splitlines() if line.startswith(("systemctl", "postern"))]


def test_a_new_installation_is_not_started_before_its_urls_are_named(package, tmp_path):
    said, calls = Machine(package, tmp_path, active=False).configure()
    assert calls == ["systemctl daemon-reload"]
    assert "public URLs ([public]) stay for good" in said
    assert "systemctl enable --now postern.service" in said


def test_an_upgrade_migrates_and_restarts_what_runs_and_nothing_else(package, tmp_path):
    migrate = "postern migrate --embedded --data /var/lib/postern"
    for active in (True, False):
        folder = tmp_path / str(active)
        folder.mkdir()
        said, calls = Machine(package, folder, active).configure("0.0.9")
        assert [call for call in calls if "is-active" not in call and "daemon-reload" not in call] == (
            ["systemctl stop postern.service", migrate, "systemctl start postern.service"] if active else [migrate])
        assert not any("enable" in call for call in calls)
        assert said == ""


def test_purging_says_what_was_kept(package, tmp_path):
    # The real script on a folder of this test: only its path differs.
    data = tmp_path / "data"
    data.mkdir()
    script = tmp_path / "postrm"
    script.write_text((package[2] / "postrm").read_text().replace("/var/lib/postern", str(data)))
    assert f"kept {data} with the CA's keys" in run("sh", script, "purge")
    assert run("sh", script, "remove") == ""
    assert data.is_dir()


def test_the_unit_is_hardened():
    if not shutil.which("systemd-analyze"):
        pytest.fail("systemd-analyze is missing (package systemd)")
    text = run("systemd-analyze", "security", "--offline=true", "--no-pager", SYSTEMD / "postern.service")
    exposure = float(re.search(r"Overall exposure level for postern\.service: ([\d.]+)", text).group(1))
    assert exposure <= 2.0, text


def test_units_refer_to_one_another():
    service = (SYSTEMD / "postern.service").read_text()
    assert "ExecStart=/usr/bin/postern serve --config /etc/postern/postern.toml --data /var/lib/postern\n" in service
    for name in ("https", "http"):
        unit = (SYSTEMD / f"postern-{name}.socket").read_text()
        assert f"FileDescriptorName={name}\n" in unit and "Service=postern.service\n" in unit


def completions(*words):
    script = ('eval "$(build/release/postern completion bash)"\n'
              'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _postern; printf "%s\\n" "${COMPREPLY[@]}"')
    return run("bash", "-c", script, "bash", *words, cwd=ROOT).split()


def test_completion_knows_verbs_options_and_files():
    assert {"serve", "apply", "cert", "completion"} <= set(completions("postern", ""))
    assert "manual" not in completions("postern", "")
    assert completions("postern", "cert", "rev") == ["revoke"]
    assert completions("postern", "cert", "revoke", "--rea") == ["--reason"]
    assert completions("postern", "apply", "--ca-file", "READ") == ["README.md"]
    assert completions("postern", "cert", "revoke", "--reason", "") == []


def test_the_manual_names_every_verb_and_option():
    page = run(ROOT / "build/release/postern", "manual").replace("\\-", "-")

    def verbs(*path):
        usage = run(ROOT / "build/release/postern", *path, "--help")
        below = usage.partition("Subcommands:\n")[2]
        found = re.findall(r"^  (\S+) ", below, re.MULTILINE)
        return [x for name in found for x in verbs(*path, name)] if found else [path]

    every = verbs()
    assert len(every) > 5
    for path in every:
        section = page.partition(f".SS postern {' '.join(path)}\n")[2].partition("\n.S")[0]
        usage = run(ROOT / "build/release/postern", *path, "--help")
        for option in set(re.findall(r"--[a-z0-9-]+", usage.partition("Options:")[2])) - {"--help"}:
            assert option in section, f"{' '.join(path)} {option}"


def test_the_manual_is_what_a_reader_of_manuals_reads(tmp_path):
    page = tmp_path / "postern.1"
    page.write_text(run(ROOT / "build/release/postern", "manual"))
    # lexgrog's rule: one NAME line that says what it is for.
    assert re.search(r"^\.SH NAME\npostern \\- \S", page.read_text(), re.MULTILINE)
    assert not re.search(r"^'", page.read_text(), re.MULTILINE)
