"""Several processes store secrets in one file at the same time. Some of them are killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.concurrency import PATIENCE

PROGRAM = """
import sys
from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.ledger import Ledger
from pinecone_admin.cli.failures import StoreError
from pinecone_admin.cli.secrets.new_secret import NewSecret
from pinecone_admin.cli.secrets.store_template import parse_template

number, store, is_for_account = sys.argv[1], sys.argv[2], sys.argv[3] == "account"
kind = "service-account" if is_for_account else "api-key"
client_id = f"client-{number}" if is_for_account else None
interruptions = Interruptions(print, Ledger())
sys.stdin.readline()  # until all processes have begun
for turn in range(int(sys.argv[4])):
    place = parse_template(store.format(number=number, turn=turn)).find_place(
        {}, allow_group=False, replaces=False, is_for_account=is_for_account, interruptions=interruptions
    )
    secret = NewSecret(
        value=f"pcsk_{number}_{turn}", kind=kind, id="x", identifiers={}, owner={}, client_id=client_id
    )
    try:
        place.check_vacant()
        place.write(secret)
        print("stored", secret.value, flush=True)
    except StoreError as error:
        print("refused", error, flush=True)
"""


def start(number: int, store: str, *, kind: str = "key", turns: int = 1) -> subprocess.Popen[str]:
    """Start a process that stores secrets once it may."""
    words = [sys.executable, "-c", PROGRAM, str(number), store, kind, str(turns)]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def run_at_once(processes: list[subprocess.Popen[str]]) -> list[str]:
    """Let the processes begin at the same time, and return the lines that they wrote."""
    for each in processes:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    return [line for each in processes for line in each.communicate(timeout=PATIENCE)[0].splitlines()]


@pytest.mark.long(15)
@pytest.mark.parametrize("kind", ["key", "account"])
def test_eight_processes_lose_no_variable(kind: str, tmp_path: Path) -> None:
    """Each finds its variables in the file when it has ended, and the line that was there is still there."""
    path = tmp_path / ".env"
    path.touch(mode=0o600)
    path.write_text("OTHER=x\n")
    store = f"env-file:{path}#KEY_{{number}}_{{turn}}_SECRET"
    lines = run_at_once([start(number, store, kind=kind, turns=5) for number in range(8)])
    assert sorted(lines) == sorted(f"stored pcsk_{number}_{turn}" for number in range(8) for turn in range(5))
    found = dict(line.split("=") for line in path.read_text().splitlines())
    assert found.pop("OTHER") == "x"
    expected = {f"KEY_{number}_{turn}_SECRET": f"pcsk_{number}_{turn}" for number in range(8) for turn in range(5)}
    if kind == "account":
        expected |= {f"KEY_{number}_{turn}_ID": f"client-{number}" for number in range(8) for turn in range(5)}
    assert found == expected
    assert [each.name for each in tmp_path.iterdir()] == [".env"]


@pytest.mark.long
@pytest.mark.parametrize("form", ["env-file:{}#KEY", "file:{}", "env-file:{}#{}"], ids=["variable", "file", "meeting"])
def test_of_eight_processes_one_has_the_place(form: str, tmp_path: Path) -> None:
    """The others are told that their secret is not stored; so it is where a client id meets a secret."""
    path = tmp_path / "place"
    if form.endswith("{}#{}"):
        stores = [f"env-file:{path}#A" if number % 2 else f"env-file:{path}#A_ID" for number in range(8)]
    else:
        stores = [form.format(path)] * 8
    kind = "account" if form.endswith("{}#{}") else "key"
    lines = run_at_once([start(number, store, kind=kind) for number, store in enumerate(stores)])
    stored = [line.removeprefix("stored ") for line in lines if line.startswith("stored")]
    refused = [line for line in lines if line.startswith("refused")]
    assert (len(stored), len(refused)) == (1, 7), lines
    assert all("perhaps the only copy" in each for each in refused)
    assert stored[0] in path.read_text()


@pytest.mark.long(20)
def test_a_killed_process_leaves_the_file_whole_and_stops_nobody(tmp_path: Path, stride: Callable[[int], int]) -> None:
    """Each value that a process said it stored is in the file, whenever others were killed."""
    path = tmp_path / ".env"
    path.touch(mode=0o600)
    chance = random.Random(0)
    said = list[str]()
    for turn in range(0, 12, stride(3)):
        store = f"env-file:{path}#KEY_{turn}_{{number}}_{{turn}}"
        processes = [start(number, store, turns=20) for number in range(4)]
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        victim = processes[0]
        assert victim.stdout is not None
        lines = [victim.stdout.readline() for _ in range(chance.randrange(1, 6))]
        victim.send_signal(signal.SIGKILL)
        for process in processes:
            lines += process.communicate(timeout=PATIENCE)[0].splitlines()
        said += [f"KEY_{turn}_{line.split()[1].removeprefix('pcsk_')}={line.split()[1]}" for line in lines]
    text = path.read_text()
    assert len(said) > 60
    assert set(said) <= set(text.splitlines())
    assert not text or text.endswith("\n")
    parse = subprocess.run(["sh", "-c", f". {path}"], check=False, capture_output=True, text=True)
    assert (parse.returncode, parse.stderr) == (0, "")


def test_what_a_file_is_not_is_kept(tmp_path: Path) -> None:
    """A file with a second name is refused, since that name would keep the old content; both stay as they are."""
    path, linked = tmp_path / "a", tmp_path / "b"
    path.touch(mode=0o600)
    path.write_text("A=1\n")
    os.link(path, linked)
    (line,) = run_at_once([start(0, f"env-file:{path}#KEY")])
    assert line.startswith(f"refused {path} is a file that has 1 other name (hard links)")
    assert (path.read_text(), linked.read_text()) == ("A=1\n", "A=1\n")
    assert json.dumps(sorted(each.name for each in tmp_path.iterdir())) == '["a", "b"]'
