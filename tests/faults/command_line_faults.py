"""Let every command that makes a secret fail or be killed at every request, and run it again.

Usage: python -m tests.faults.command_line_faults [--step N] [--seconds S]

Each command runs with each kind of place for its secret. At one of its requests, once or also at the repeats of that
request, the server fails before or after it has processed the request, or the process is killed (SIGKILL) then. After
that, the same command runs without a fault; a create that finds its name taken then runs with --confirm. Prints how
many cases there were, and exits with status 1 if a secret was lost, something was made twice, or the second run did not
complete. With N, runs every N-th combination of a command, a place and a fault; ends after S seconds.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import httpx
from attrs import define, field, frozen

from pinecone_admin.cli.exit_codes import CONFLICT, NOT_FOUND, PARTLY_DONE, UNKNOWN_OUTCOME, USAGE
from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.model.records import APIKeyRecord
from tests.cli.command_line import Run, example_organization, run
from tests.cli.secret_makers import MAKERS, intercepted, live_secrets, read_files, words_of
from tests.faults.killed_commands import CommandForker
from tests.support.concurrency import PATIENCE

PLACES: Mapping[str, tuple[str, ...]] = {
    "env-file": ("--store", "env-file:secret#SECRET"),
    "file": ("--store", "file:secret"),
    "exec": ("--store", "exec:sh -c 'cat > secret.new && mv secret.new secret'"),
    "reveal": ("--reveal",),
}
"""Each kind of place for a secret; the files are in the current folder."""
ENDINGS = ("fault before", "fault after", "one fault before", "one fault after", "kill before", "kill after")
ROTATIONS = {"api-key rotate": "0", "api-key rotate with overlap": "7d", "api-key rotate by name": "0"}
"""How long each rotation of a key keeps the old one. By id, a run can be repeated; by name, also what is done."""
DUE = "api-key rotate-due"
"""The command for many secrets, which stores the one that is due, and shows none."""
COMMANDS = [*(name for name in MAKERS if name not in ROTATIONS), *ROTATIONS, DUE]


@define
class FaultAt:
    """A fault at one request of a command in this process.

    Attributes:
        number: Number of the request, from 1.
        is_after: Whether the request is processed.
        is_once: Whether the repeats of the request are spared.
        count: How many requests there were.
    """

    number: int
    is_after: bool
    is_once: bool
    count: int = 0
    _place: tuple[str, str] | None = None
    _lock: threading.Lock = field(factory=threading.Lock)

    def handle(self, request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        """Handle a request."""
        place = request.method, str(request.url)
        with self._lock:
            self.count += 1
            if self.count == self.number:
                self._place = place
            is_spared = place != self._place or (self.is_once and self.count != self.number)
        if is_spared:
            return handle()
        if not self.is_after:
            return httpx.Response(503)
        handle()
        raise httpx.ReadError("reset")


@define
class KillAt:
    """SIGKILL at one request of a command in another process.

    Attributes:
        number: Number of the request, from 1.
        is_after: Whether the request is processed.
        count: How many requests there were.
    """

    number: int
    is_after: bool
    count: int = 0
    _process: int = 0
    _is_known: threading.Event = field(factory=threading.Event)
    _is_dead: threading.Event = field(factory=threading.Event)

    def run(self, forker: CommandForker, words: list[str], folder: Path) -> Run:
        """Run the command, which is killed."""
        original = Emulator.handle

        def handle(emulator: Emulator, request: Request) -> Response:
            if request.path == "/oauth/token":
                return original(emulator, request)
            self.count += 1
            is_chosen = self.count == self.number
            if is_chosen and not self.is_after:
                self._kill()
                return Response(503, {}, b"")
            response = original(emulator, request)
            if is_chosen:
                self._kill()
            return response

        with mock.patch.object(Emulator, "handle", handle):
            done = forker.run(words, os.environ, folder, self._learn)
            self._is_dead.set()
        return done

    def _learn(self, process: int) -> None:
        self._process = process
        self._is_known.set()

    def _kill(self) -> None:
        assert self._is_known.wait(PATIENCE)
        os.kill(self._process, signal.SIGKILL)
        assert self._is_dead.wait(PATIENCE)  # no response reaches a process that is about to die


@frozen(kw_only=True)
class Case:
    """A command that failed or was killed at a request, and the same command after it.

    Attributes:
        command: Its name.
        place: The kind of place for the secret.
        ending: How it failed.
        number: The request that failed.
        first: How it ended; the exit code is below 0 if it was killed.
        second: How the second one ended.
        made: How many keys, accounts and projects are new, by kind.
        secrets: The new secrets that are valid.
        found: Those of them that are in the place or in a file that a run named.
        tagged: Names of unfinished work that is left.
    """

    command: str
    place: str
    ending: str
    number: int
    first: Run
    second: Run
    made: Mapping[str, int]
    secrets: set[str]
    found: set[str]
    tagged: list[str]

    def __str__(self) -> str:
        where = f"{self.command}, {self.place}, {self.ending} request {self.number}"
        exits = f"{self.first.exit}, {self.second.exit}"
        return f"{where}: {exits}, {dict(self.made)}, {self.first.stderr}{self.second.stderr}"

    @property
    def is_look_first(self) -> bool:
        """Whether the first run ended so that nobody may repeat it without a look: a create has no second chance."""
        return self.command.endswith(" create") and (self.first.exit in {UNKNOWN_OUTCOME, -signal.SIGKILL})

    def find_faults(self) -> list[str]:
        """Return what is wrong."""
        has_completed = self.second.exit == 0 or self._is_over
        is_once = all(count <= 1 for count in self.made.values())
        return [
            fault
            for fault, is_found in {
                "did not complete": not has_completed,
                "made twice": not is_once and not self.is_look_first and not self._is_over,
                "lost a secret": bool(self.secrets - self.found) and not self.is_look_first and not self._is_over,
                "stored nothing valid": not self.found,
                "left unfinished work": bool(self.tagged),
            }.items()
            if is_found
        ]

    @property
    def _is_over(self) -> bool:
        """Whether the first run has done all, so that the second one can only refuse, or make another one."""
        if self.command.startswith("api-key rotate") and self.place == "reveal" and self.second.exit == PARTLY_DONE:
            return "an earlier run has replaced API key" in self.second.stderr and bool(self.found)
        if self.command == "api-key rotate":
            return self.second.exit == NOT_FOUND and bool(self.found)  # the old key is deleted
        if self.command.endswith(" create") and self.first.exit == 0:
            return self.second.exit == (CONFLICT if self.place in {"exec", "reveal"} else USAGE)
        return False


def count_new(emulator: Emulator, before: set[str]) -> dict[str, int]:
    """Return how many keys, accounts and projects are new; a key that a rotation has retired is kept for services."""
    state = emulator.state
    kinds = {
        "keys": state.api_keys.keys() - {each.id for each in list_retired(emulator)},
        "accounts": [each.id for each in state.service_accounts.listing],
        "projects": state.projects,
    }
    return {kind: len(set(ids) - before) for kind, ids in kinds.items()}


def list_retired(emulator: Emulator) -> list[APIKeyRecord]:
    """Return the keys that rotations keep for a time."""
    return [each for each in emulator.state.api_keys.values() if each.name.startswith("~delete-after:")]


def list_ids(emulator: Emulator) -> set[str]:
    """Return the ids of all keys, accounts and projects."""
    state = emulator.state
    return {*state.api_keys, *state.projects, *(each.id for each in state.service_accounts.listing)}


@define
class Grid:
    """All cases within one organization.

    Attributes:
        emulator: The organization.
        forker: Runs commands that are killed.
        url: Where the organization is served.
        initial: Its state at the start of each case.
    """

    emulator: Emulator
    forker: CommandForker
    url: str
    initial: Any

    def run_case(self, command: str, place: str, ending: str, number: int) -> Case | None:
        """Run a command that fails at a request, and again; return None if there was no such request."""
        self.emulator.load(self.initial)
        if command == DUE:
            self.emulator.clock.advance(91 * 86_400)
        for path in (Path("secret"), Path("secret.new")):
            path.unlink(missing_ok=True)
        shutil.rmtree("state", ignore_errors=True)
        words = self._words(command, place)
        secrets, ids = live_secrets(self.emulator), list_ids(self.emulator)
        fault: FaultAt | KillAt
        is_after = ending.endswith("after")
        if "fault" in ending:
            fault = FaultAt(number, is_after, is_once=ending.startswith("one"))
            with intercepted(fault.handle):
                first = run(*words)
        else:
            fault = KillAt(number, is_after)
            with self._served():
                first = fault.run(self.forker, words, Path())
        if fault.count < number:
            return None
        second = run(*words)
        if second.exit == CONFLICT and first.exit != 0:
            second = run(*words, "--confirm", words[2])  # after a look, as the first run advised
        valid = live_secrets(self.emulator) - secrets - {each.value for each in list_retired(self.emulator)}
        texts = [first.stdout, second.stdout, *(Path(each).read_text() for each in ("secret",) if Path(each).exists())]
        texts += [text for path, text in read_files(Path("state")).items() if path.name in first.stderr + second.stderr]
        names = [each.name for each in self.emulator.state.api_keys.values()]
        names += [each.name for each in self.emulator.state.service_accounts.listing]
        unfinished = ("~makes:", "~rotates:", *(["~delete-after:"] if ROTATIONS.get(command) == "0" else []))
        return Case(
            command=command,
            place=place,
            ending=ending,
            number=number,
            first=first,
            second=second,
            made=count_new(self.emulator, ids),
            secrets=valid,
            found={secret for secret in valid if any(secret in text for text in texts)},
            tagged=[name for name in names if name.startswith(unfinished)],
        )

    def _words(self, command: str, place: str) -> list[str]:
        if command == DUE:
            return [*DUE.split(), "--older-than", "90d", "--keep-old-for", "7d", "--yes", *PLACES[place]]
        if command not in ROTATIONS:
            return words_of(command, *PLACES[place])
        words = words_of("api-key rotate", *PLACES[place])
        if not command.endswith("by name"):
            (old,) = (each for each in self.emulator.state.api_keys.values() if each.name == "reader")
            words[words.index("reader")] = old.id
        words[words.index("7d")] = ROTATIONS[command]
        return words

    @contextmanager
    def _served(self) -> Generator[None, None, None]:
        addresses = {"PINECONE_CONTROLLER_HOST": self.url, "PINECONE_OAUTH_URL": f"{self.url}/oauth/token"}
        with mock.patch.dict("os.environ", addresses):
            yield

    def cases(self, step: int) -> Iterator[Case]:
        """Yield the cases, at every request, of every so many combinations of a command, a place and an ending."""
        for command, place, ending in itertools.islice(itertools.product(COMMANDS, PLACES, ENDINGS), 0, None, step):
            if (command, place) == (DUE, "reveal"):
                continue
            for number in itertools.count(1):
                case = self.run_case(command, place, ending, number)
                if case is None:
                    break
                yield case


@contextmanager
def prepared(folder: Path) -> Generator[Grid, None, None]:
    """Serve an organization, and work in a folder."""
    with (
        chdir(folder),
        example_organization() as emulator,
        mock.patch.dict(
            "os.environ",
            {
                "XDG_STATE_HOME": str(folder / "state"),
                "PINECONE_CLIENT_ID": emulator.client_id,
                "PINECONE_CLIENT_SECRET": emulator.client_secret,
            },
        ),
        CommandForker() as forker,
        serving(emulator) as url,
    ):
        yield Grid(emulator, forker, url, emulator.dump())


def main() -> int:
    """Run the cases, and print their counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1800.0)
    options = parser.parse_args()
    deadline = time.monotonic() + options.seconds
    counts, bad, is_cut = Counter[str](), 0, False
    with TemporaryDirectory() as folder, prepared(Path(folder)) as grid:
        for case in grid.cases(options.step):
            counts[f"{case.command}, {case.ending}"] += 1
            counts["a create that must not be repeated without a look"] += case.is_look_first
            if faults := case.find_faults():
                bad += 1
                print(", ".join(faults), "-", case)
            if is_cut := time.monotonic() > deadline:
                break
    total = sum(count for name, count in counts.items() if ", " in name)
    print(*(f"{count:6} {name}" for name, count in sorted(counts.items())), sep="\n")
    print(f"{total:6} cases{', cut short by the time limit' * is_cut}, {bad} bad")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
