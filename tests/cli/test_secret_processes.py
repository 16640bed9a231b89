"""Commands that make a secret as processes: real pipes, disks, signals, terminals and lists of processes."""

from __future__ import annotations

import json
import os
import resource
import select
import subprocess
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import IO, Any

import pytest
from attrs import define

from pinecone_admin.emulator import Emulator, serving
from tests.cli.command_line import fill
from tests.cli.secret_makers import ROTATES_ACCOUNT, find_files_with, live_secrets, words_of
from tests.cli.terminals import read_piece, start_on_terminal

COMMAND = [sys.executable, "-m", "pinecone_admin.cli"]
PATIENCE = 60.0


@define
class ServedOrganization:
    """The organization of the examples, served to processes.

    Attributes:
        emulator: The emulator.
        env: The environment of a process that is its owner.
    """

    emulator: Emulator
    env: dict[str, str]

    def run(self, *words: str, stdout: int | IO[bytes] = subprocess.PIPE, **options: Any) -> tuple[int, str, str]:
        """Run the command, and return its exit code, stdout and stderr."""
        done = subprocess.run(
            [*COMMAND, *words],
            env=self.env,
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
            **options,
        )
        return done.returncode, (done.stdout or b"").decode(), done.stderr.decode()


@pytest.fixture
def served(tmp_path: Path) -> Generator[ServedOrganization, None, None]:
    """Serve an organization; the rescue files come to the folder of the test."""
    emulator = Emulator(seed=0)
    fill(emulator)
    with serving(emulator):
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "PINECONE_CLIENT_ID": emulator.client_id,
            "PINECONE_CLIENT_SECRET": emulator.client_secret,
            "PINECONE_CONTROLLER_HOST": emulator.host,
            "PINECONE_OAUTH_URL": emulator.oauth_url,
        }
        yield ServedOrganization(emulator, env)


def test_a_closed_pipe_deletes_the_key_whose_value_it_swallowed(served: ServedOrganization) -> None:
    """Nobody has read the value, so the key is deleted, and exit code 1 says so; a closed stdout is found before."""
    before = live_secrets(served.emulator)
    reader, writer = os.pipe()
    os.close(reader)
    code, _, stderr = served.run(*words_of("api-key create", "--reveal"), stdout=writer)
    os.close(writer)
    assert code == 1
    assert stderr.startswith("error: The secret may not have been shown whole: stdout was closed. API key ")
    assert len(stderr.splitlines()) == 1
    served.emulator.requests.clear()
    shell = ["bash", "-c", '"$@" >&-', "-", *COMMAND, *words_of("api-key create", "--reveal")]
    done = subprocess.run(shell, env=served.env, capture_output=True, timeout=PATIENCE, check=False)
    assert done.returncode == 2
    assert b"Standard output is closed. Nothing was changed." in done.stderr
    assert list(served.emulator.requests) == []
    assert live_secrets(served.emulator) == before


def test_a_pipe_that_is_closed_unread_deletes_the_key(served: ServedOrganization) -> None:
    """A value that the pipe has taken is lost if the reader ends without reading it."""
    before = live_secrets(served.emulator)
    reader, writer = os.pipe()
    words = [*COMMAND, *words_of("api-key create", "--reveal")]
    with subprocess.Popen(words, env=served.env, stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        assert select.select([reader], [], [], PATIENCE)[0]
        os.close(reader)
        _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert b"stdout was closed. API key " in stderr
    assert live_secrets(served.emulator) == before


@pytest.mark.long
def test_a_full_disk_behind_stdout_rescues_the_secret(served: ServedOrganization, tmp_path: Path) -> None:
    """The secret of the account was replaced already, so it goes to a file that the error names."""
    before = live_secrets(served.emulator)
    with Path("/dev/full").open("wb") as full:
        code, _, stderr = served.run(*words_of(ROTATES_ACCOUNT, "--reveal"), stdout=full)
    (path,) = find_files_with(live_secrets(served.emulator) - before, tmp_path)
    assert code == 9
    assert "No space left on device" in stderr
    assert f", so it is in {path}, which only you can read. Store it, then delete the file." in stderr
    assert len(stderr.splitlines()) == 1


@pytest.mark.long
def test_a_full_disk_behind_the_store_is_found_before(served: ServedOrganization, tmp_path: Path) -> None:
    """Nothing is sent if the disk has no room for the secret."""
    path = tmp_path / "env"
    served.emulator.requests.clear()
    served.env["PYTHONDONTWRITEBYTECODE"] = "1"  # the limit would truncate compiled modules, which later runs then load
    code, _, stderr = served.run(
        *words_of("api-key create", "--store", f"env-file:{path}#KEY"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY)),
    )
    assert code == 7
    assert stderr == f"error: --store: {path}: File too large. Nothing was changed. [exit-7]\n"
    assert list(served.emulator.requests) == []
    assert list(tmp_path.iterdir()) == []


OBSERVER = """#!/bin/sh
cat > {folder}/stored
grep core /proc/$PPID/limits > {folder}/limits
cat /proc/[0-9]*/cmdline > {folder}/words 2> {folder}/errors
env > {folder}/environment
"""


def test_no_secret_is_in_the_list_of_processes(served: ServedOrganization, tmp_path: Path) -> None:
    """Neither is that of the caller, nor is one in the environment of the store, or could be in a core dump of ours."""
    script = tmp_path / "observe.sh"
    script.write_text(OBSERVER.format(folder=tmp_path))
    script.chmod(0o700)
    before = live_secrets(served.emulator)
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    code, stdout, stderr = served.run(
        *words_of("api-key create", "--store", f"exec:{script}"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (1024, most)),
    )
    (secret,) = live_secrets(served.emulator) - before
    assert (code, stderr) == (0, "")
    assert (tmp_path / "limits").read_text().split()[4] == "0"
    assert (tmp_path / "stored").read_text() == secret
    words, environment = (tmp_path / "words").read_text("utf-8", "replace"), (tmp_path / "environment").read_text()
    assert str(script) in words
    assert f"API_KEY_ID={json.loads(stdout)['id']}" in environment.splitlines()
    for canary in (secret, served.emulator.client_secret):
        assert canary not in words + environment + stdout
    assert find_files_with({secret, served.emulator.client_secret}, tmp_path) == [tmp_path / "stored"]


STUBBORN = """#!/bin/sh
trap '' INT
echo ready > /dev/tty
sleep 0.2
cat > {folder}/stored
"""


def test_ctrl_c_during_the_store_lets_the_command_finish(served: ServedOrganization, tmp_path: Path) -> None:
    """Ctrl-C reaches the store, too; one that stores the secret nevertheless completes the command."""
    script = tmp_path / "store.sh"
    script.write_text(STUBBORN.format(folder=tmp_path))
    script.chmod(0o700)
    before = live_secrets(served.emulator)
    code, shown = run_and_interrupt(words_of("api-key rotate", "--store", f"exec:{script}"), served.env)
    (secret,) = live_secrets(served.emulator) - before
    assert code == 130
    assert (tmp_path / "stored").read_text() == secret
    assert shown.splitlines()[-1] == "error: Interrupted. The command was completed."
    assert secret not in shown


def run_and_interrupt(words: Sequence[str], env: dict[str, str]) -> tuple[int, str]:
    """Run the command on a terminal, type Ctrl-C when it shows ``ready``; return the exit code and what is shown."""
    child, terminal = start_on_terminal([*COMMAND, *words], env)
    shown = ""
    while piece := read_piece(terminal):
        if "ready" in piece:
            os.write(terminal, b"\x03")
        shown += piece
    os.close(terminal)
    return child.wait(PATIENCE), shown


@pytest.mark.long
def test_the_exit_code_counts_even_if_nobody_reads_stderr(served: ServedOrganization) -> None:
    """A pipeline that has ended still learns that the command failed."""
    reader, writer = os.pipe()
    os.close(reader)
    words = [*COMMAND, *words_of("api-key create", "--store", "exec:false")]
    done = subprocess.run(words, env=served.env, stdout=writer, stderr=writer, timeout=PATIENCE, check=False)
    os.close(writer)
    assert done.returncode == 1
