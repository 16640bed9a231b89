"""Kill or interrupt ``pinecone-admin apply`` at each request or at random moments, and run it again.

Usage: python -m tests.faults.killed_applies [--step N] [--random N] [--seed SEED]

Each run is a separate process. In a small organization, SIGKILL comes before or after each request of each N-th case,
of the file and of a saved plan, with each kind of place for the secrets. In a larger one, one to three runs in a row
each get SIGKILL, SIGTERM or SIGINT at a random request, up to a tenth of a second late. Then one run is left alone.
Prints how many cases there were, and exits with status 1 if that run did not complete, something exists twice, a secret
is lost, or the organization is not the one that a run without signals makes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from attrs import define, field, frozen

from pinecone_admin import on_organization
from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.emulator.api.messages import Request, Response
from tests.cli.command_line import Run
from tests.faults.killed_commands import CommandForker
from tests.support.concurrency import PATIENCE

PLACES: Mapping[str, str] = {"file": "file:secrets/", "exec": "exec:./keep secrets/"}
"""Kinds of place for the secrets: a readable one, and one that cannot say what it has."""
_KEEP = '#!/bin/sh\ncat > "$1.$$" && mv "$1.$$" "$1"\n'
_SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
_MOST_DELAY = 0.1


@define
class SignalAt:
    """A signal to a process at one of its requests.

    Attributes:
        number: Number of the request, from 1; without those for a token.
        sent: The signal.
        is_after: Whether the request is processed before.
        delay: Delay of the signal in seconds.
        count: How many requests there were.
    """

    number: int
    sent: signal.Signals = signal.SIGKILL
    is_after: bool = False
    delay: float = 0.0
    count: int = 0
    _process: int = 0
    _is_known: threading.Event = field(factory=threading.Event)
    _is_dead: threading.Event = field(factory=threading.Event)
    _lock: threading.Lock = field(factory=threading.Lock)

    @contextmanager
    def armed(self) -> Generator[None, None, None]:
        """Send the signal meanwhile."""
        original = Emulator.handle

        def handle(emulator: Emulator, request: Request) -> Response:
            if request.path == "/oauth/token":
                return original(emulator, request)
            with self._lock:
                self.count += 1
                is_chosen = self.count == self.number
            response = original(emulator, request) if self.is_after or not is_chosen else None
            if is_chosen:
                self._send()
            return response or original(emulator, request)

        with mock.patch.object(Emulator, "handle", handle):
            yield
            self._is_dead.set()

    def learn(self, process: int) -> None:
        """Learn the process."""
        self._process = process
        self._is_known.set()

    def _send(self) -> None:
        assert self._is_known.wait(PATIENCE)
        if self.delay:
            threading.Timer(self.delay, self._send_now).start()
            return
        self._send_now()
        if self.sent == signal.SIGKILL:
            assert self._is_dead.wait(PATIENCE)  # no response reaches a process that is about to die

    def _send_now(self) -> None:
        with suppress(ProcessLookupError):
            if not self._is_dead.is_set():
                os.kill(self._process, self.sent)


@frozen(kw_only=True)
class Case:
    """Some runs that got a signal, and one that was left alone.

    Attributes:
        name: The events.
        runs: How they ended, the last one without a signal.
        faults: The problem.
    """

    name: str
    runs: list[Run]
    faults: list[str]

    def __str__(self) -> str:
        exits = ", ".join(str(each.exit) for each in self.runs)
        return f"{self.name}: {exits}: {'; '.join(self.faults)} {self.runs[-1].stderr}"


@define
class Trial:
    """An organization with a file, and what a run without signals makes of it.

    Attributes:
        emulator: The organization, which is served.
        forker: Runs the commands.
        initial: The state at the start of each case.
        requests: How many requests a run sends.
    """

    emulator: Emulator
    forker: CommandForker
    initial: Any
    requests: int = 0
    _expected: Any = None
    _ids: frozenset[str] = frozenset()

    def prepare(self) -> None:
        """Save a plan, and run the command without a signal."""
        words = ["plan", "org.json", "--out", "plan.json"]
        assert self.forker.run(words, os.environ, Path(), lambda _: None).exit == 0
        self._ids = frozenset(self.emulator.state.api_keys) | frozenset(self._accounts())
        fault = SignalAt(0)
        done = self._run("file", fault)
        assert done.exit == 0, done.stderr
        self.requests = fault.count
        self._expected = self._export()
        assert self._find_faults(done) == []

    def run_case(self, place: str, faults: list[SignalAt], source: str = "org.json") -> Case:
        """Run the command once with each signal, and once without, with the file or the saved plan."""
        self._reset()
        runs = [self._run(place, each, source) for each in faults]
        runs.append(self._run(place, SignalAt(0), source))
        signals = ", ".join(
            f"{each.sent.name} {'after' if each.is_after else 'before'} request {each.number}" for each in faults
        )
        return Case(
            name=f"{source}, {place}, {signals}",
            runs=runs,
            faults=self._find_faults(runs[-1]),
        )

    def _reset(self) -> None:
        self.emulator.load(self.initial)
        shutil.rmtree("secrets", ignore_errors=True)
        Path("secrets").mkdir(mode=0o700)

    def _run(self, place: str, fault: SignalAt, source: str = "org.json") -> Run:
        words = ["apply", source, "--yes", "--confirm", "99"]
        words += ["--store", f"{PLACES[place]}{{scope}}-{{name}}"]
        with fault.armed():
            return self.forker.run(words, os.environ, Path(), fault.learn)

    def _accounts(self) -> dict[str, Any]:
        return {each.id: each for each in self.emulator.state.service_accounts.listing}

    def _export(self) -> Any:
        with self.emulator.admin() as admin:
            return admin.inventory().to_desired_state().to_dict()

    def _find_faults(self, last: Run) -> list[str]:
        state = self.emulator.state
        projects = {each.id: each.name for each in state.projects.values()}
        secrets = {f"{projects[each.project_id]}-{each.name}": each.value for each in self._new(state.api_keys)}
        secrets |= {f"service-account-{each.name}": each.client_secret for each in self._new(self._accounts())}
        stored = {path.name: path.read_text() for path in Path("secrets").iterdir()}
        names = Counter(projects.values())
        names.update(f"{projects[each.project_id]}/{each.name}" for each in state.api_keys.values())
        names.update(f"account {each.name}" for each in self._accounts().values())
        names.update(f"invite {each.email}" for each in state.invites.values())
        faults = [f"{name} exists {count} times" for name, count in names.items() if count > 1]
        faults += [f"{name} is left" for name in names if "~" in name]
        faults += [
            f"the secret of {name} is lost" for name, value in secrets.items() if value not in stored.get(name, "")
        ]
        # A file that a killed process was writing has a secret that the next run has made useless.
        useless = [name for name in stored.keys() - secrets.keys() if not name.startswith(".")]
        faults += [f"{name} is stored for nothing" for name in useless]
        faults += [] if last.exit == 0 else [f"the last run ended with {last.exit}"]
        faults += [] if self._export() == self._expected or self._expected is None else ["another organization"]
        return faults

    def _new(self, records: Mapping[str, Any]) -> list[Any]:
        return [each for each in records.values() if each.id not in self._ids]


def populate_small(emulator: Emulator) -> Mapping[str, Any]:
    """Add what has every kind of step, and return the file."""
    with emulator.admin() as admin:
        project = admin.projects.create(name="search")
        for name in ("reader", "old"):
            admin.api_keys.create(project_id=project.id, name=name, roles=["ProjectViewer"])
        admin.service_accounts.create(name="ci", role_bindings=[on_organization("OrgMember")])
        admin.service_accounts.create(name="old-ci", role_bindings=[on_organization("OrgMember")])
        admin.invites.create(email="old@example.com", role_bindings=[on_organization("OrgManager")])
        emulator.clock.advance(8 * 86_400)
        admin.invites.create(email="dan@example.com", role_bindings=[on_organization("OrgManager")])
    emulator.add_user("bob@example.com", roles=["OrgManager"])
    emulator.add_user("eve@example.com", roles=["OrgMember"])
    return {
        "organization": emulator.organization_id,
        "projects": [
            {
                "name": "search",
                "api_keys": [
                    {"name": "reader", "roles": ["DataPlaneViewer"]},
                    {"name": "writer", "roles": ["DataPlaneEditor"]},
                    {"name": "old", "absent": True},
                ],
            },
            {"name": "shop", "api_keys": [{"name": "reader", "roles": ["DataPlaneViewer"]}]},
        ],
        "service_accounts": [
            {"name": "ci", "roles": ["OrgMember", "shop:ProjectViewer"]},
            {"name": "shop-ci", "roles": ["OrgMember", "shop:ProjectEditor"]},
            {"name": "old-ci", "absent": True},
        ],
        "people": [
            {"email": "bob@example.com", "roles": ["OrgMember", "shop:ProjectViewer"]},
            {"email": "dan@example.com", "roles": ["OrgMember", "search:ProjectViewer"]},
            {"email": "old@example.com", "roles": ["OrgMember"]},
            {"email": "eve@example.com", "absent": True},
        ],
    }


def populate_large(emulator: Emulator) -> Mapping[str, Any]:
    """Add what takes some 150 steps to change, and return the file."""
    with emulator.admin() as admin:
        for number in range(10):
            project = admin.projects.create(name=f"project-{number}")
            for name in ("reader", "old"):
                admin.api_keys.create(project_id=project.id, name=name, roles=["ProjectViewer"])
        for number in range(10):
            admin.service_accounts.create(name=f"ci-{number}", role_bindings=[on_organization("OrgMember")])
    for number in range(20):
        emulator.add_user(f"user-{number}@example.com", roles=["OrgMember", ("ProjectViewer", project.id)])
    names = [f"project-{number}" for number in range(14)]
    keys = [
        {"name": "reader", "roles": ["DataPlaneViewer"]},
        {"name": "writer", "roles": ["DataPlaneEditor"]},
        {"name": "old", "absent": True},
    ]
    people = [
        {"email": f"user-{number}@example.com", "roles": ["OrgMember", f"{names[number % 14]}:ProjectEditor"]}
        for number in range(30)
    ]
    return {
        "organization": emulator.organization_id,
        "projects": [{"name": each, "api_keys": keys} for each in names],
        "service_accounts": [
            {"name": f"ci-{number}", "roles": ["OrgMember", f"{names[number]}:ProjectEditor"]}
            if number % 3
            else {"name": f"ci-{number}", "absent": True}
            for number in range(14)
        ],
        "people": people,
    }


@contextmanager
def prepared(folder: Path, *, large: bool) -> Generator[Trial, None, None]:
    """Serve an organization, and work in a folder that has its file."""
    emulator = Emulator(seed=1)
    document = (populate_large if large else populate_small)(emulator)
    with chdir(folder), CommandForker() as forker, serving(emulator) as url:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PINECONE_CLIENT_ID": emulator.client_id,
            "PINECONE_CLIENT_SECRET": emulator.client_secret,
            "PINECONE_CONTROLLER_HOST": url,
            "PINECONE_OAUTH_URL": f"{url}/oauth/token",
        }
        Path("org.json").write_text(json.dumps(document))
        Path("keep").write_text(_KEEP)
        Path("keep").chmod(0o700)
        with mock.patch.dict(os.environ, environment, clear=True):
            Path("secrets").mkdir(mode=0o700)
            trial = Trial(emulator, forker, emulator.dump())
            trial.prepare()
            yield trial


def run_grid(trial: Trial, step: int) -> Iterator[Case]:
    """Yield each so-many-th case of SIGKILL before or after each request."""
    numbers = range(1, trial.requests + 1)
    grid = itertools.product(("org.json", "plan.json"), PLACES, (False, True), numbers)
    for source, place, is_after, number in itertools.islice(grid, 0, None, step):
        yield trial.run_case(place, [SignalAt(number, is_after=is_after)], source)


def run_random(trial: Trial, count: int, random: Random) -> Iterator[Case]:
    """Yield cases of random signals at random moments."""
    for _ in range(count):
        faults = [
            SignalAt(
                random.randrange(1, trial.requests // run),
                random.choice(_SIGNALS),
                is_after=random.random() < 0.5,
                delay=random.choice([0.0, random.uniform(0.0, _MOST_DELAY)]),
            )
            for run in range(1, random.randint(2, 4))
        ]
        yield trial.run_case(random.choice([*PLACES]), faults)


def main() -> int:
    """Run the cases, and print their counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--random", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    bad = 0
    for large in (False, True):
        with TemporaryDirectory() as folder, prepared(Path(folder), large=large) as trial:
            started, exits = time.monotonic(), Counter[int]()
            grid = run_random(trial, options.random, Random(options.seed)) if large else run_grid(trial, options.step)
            for case in grid:
                exits.update(each.exit for each in case.runs[:-1])
                bad += bool(case.faults)
                if case.faults:
                    print(case, flush=True)
            seconds = time.monotonic() - started
            print(f"{trial.requests} requests a run, {seconds:.0f} s, interrupted runs by exit code: {dict(exits)}")
    print(f"{bad} bad")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
