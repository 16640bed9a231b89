"""Rotate one key twice at once, in many orders of the requests, and count how the rotations end.

Usage: python -m tests.faults.concurrent_rotations [--random N] [--seed SEED]

Stops one rotation at each of its steps, the other one at each of its own, and then completes both; N orders are random
beside these. Exits with status 1 if a case breaks a promise.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from random import Random

import httpx
from attrs import define, field, frozen

from pinecone_admin import Admin, LeftoverError, NotFoundError, PineconeError, RefusedError
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import APIKeyWithSecret
from tests.support.concurrency import PATIENCE
from tests.support.fault_injection import FaultyTransport, InjectedFault, KilledError

STEPS = 11
"""More than a rotation has requests and calls of its store."""
OVERLAPS = (timedelta(0), timedelta(hours=1))


@define
class Turns:
    """Lets one of two threads go on at a time, in a given order; once one of them has ended, the other one goes on.

    Args:
        order: Whose turn it is, step by step; in the end, that of the thread that is left.
    """

    _order: Iterator[int]
    _running: set[int] = field(factory=lambda: {0, 1})
    _next: int = field(init=False)
    _condition: threading.Condition = field(factory=threading.Condition)

    def __attrs_post_init__(self) -> None:
        with self._condition:
            self._advance()

    def take(self, number: int) -> None:
        """Wait for the turn of a thread."""
        with self._condition:
            assert self._condition.wait_for(lambda: self._next == number, PATIENCE)

    def end(self) -> None:
        """Let the next thread take its turn."""
        with self._condition:
            self._advance()

    def leave(self, number: int) -> None:
        """Leave all further turns to the other thread."""
        with self._condition:
            self._running.remove(number)
            self._advance()

    def _advance(self) -> None:
        self._next = next((each for each in self._order if each in self._running), min(self._running, default=0))
        self._condition.notify_all()


@define
class Run:
    """One of two rotations.

    Attributes:
        number: Its number.
        log: Each request and store of both runs.
        error: Its error, if any.
    """

    number: int
    turns: Turns
    log: list[str]
    emulator: Emulator
    vault: list[str]
    error: Exception | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request when it is the turn of this run."""
        self.turns.take(self.number)
        self.log.append(f"{self.number} {request.method} {request.url.path.rpartition('/')[2]}")
        try:
            return self.emulator.transport.handle_request(request)
        finally:
            self.turns.end()

    def store(self, made: APIKeyWithSecret) -> None:
        """Store a value when it is the turn of this run."""
        self.turns.take(self.number)
        self.log.append(f"{self.number} store")
        self.vault.append(made.value)
        self.turns.end()

    def rotate(self, key_id: str, keep_old_for: timedelta) -> None:
        """Rotate a key."""
        transport = httpx.MockTransport(self.handle_request)
        client = Admin(
            client_id=self.emulator.client_id,
            client_secret=self.emulator.client_secret,
            transport=transport,
            oauth_transport=self.emulator.transport,
        )
        try:
            client.api_keys.rotate(api_key_id=key_id, store=self.store, keep_old_for=keep_old_for)
        except Exception as error:  # noqa: BLE001 - the ending has it
            self.error = error
        finally:
            self.turns.leave(self.number)

    def find_step(self, text: str) -> int:
        """Return the place of the first step of this run with a text, or one behind all of them."""
        entry = f"{self.number} {text}"
        return self.log.index(entry) if entry in self.log else len(self.log)

    @property
    def has_true_outcome(self) -> bool:
        """Whether an error does not say "not_sent" although this run has created a key."""
        has_created = self.find_step("POST api-keys") < len(self.log)
        return not (isinstance(self.error, PineconeError) and self.error.outcome == "not_sent" and has_created)

    @property
    def has_stored(self) -> bool:
        """Whether it stored a value."""
        return f"{self.number} store" in self.log


@frozen(kw_only=True)
class Ending:
    """How two rotations of one key ended.

    Attributes:
        runs: The rotations.
        named: How many keys have the name.
        is_valid: Whether the value that was stored last is that of a key.
    """

    runs: tuple[Run, Run]
    named: int
    is_valid: bool

    @property
    def have_both_stored(self) -> bool:
        """Whether both stored a value."""
        return all(run.has_stored for run in self.runs)

    @property
    def started_together(self) -> bool:
        """Whether both read the list of keys before either had made one."""
        last_list = max(run.find_step("GET api-keys") for run in self.runs)
        return last_list < min(run.find_step("POST api-keys") for run in self.runs)

    @property
    def has_warned(self) -> bool:
        """Whether at least one of them ended in an error."""
        return any(run.error is not None for run in self.runs)

    def find_broken_promises(self) -> list[str]:
        """Return what the rotations promise and have not kept."""
        is_error_right = all(
            run.error is None
            or (isinstance(run.error, LeftoverError) if run.has_stored else isinstance(run.error, RefusedError))
            or (isinstance(run.error, NotFoundError) and run.find_step("POST api-keys") == len(run.log))
            for run in self.runs
        )
        promises = {
            "of two that start together, at most one stores": not (self.started_together and self.have_both_stored),
            "if two keys have the name, a run says so": self.named == 1 or (self.named > 1 and self.has_warned),
            "if both store, a run says so": self.has_warned or not self.have_both_stored,
            "one that stores alone stores a valid value": self.is_valid or self.have_both_stored,
            "one that stores alone leaves one key of the name": self.named == 1 or self.have_both_stored,
            "one that stored ends in LeftoverError, another one in RefusedError or NotFoundError": is_error_right,
            "after a create, no error says that nothing was sent": all(run.has_true_outcome for run in self.runs),
        }
        return [promise for promise, is_kept in promises.items() if not is_kept]


def rotate_twice(order: Sequence[int], *, keep_old_for: timedelta, after_a_kill: bool = False) -> Ending:
    """Rotate one key in two threads.

    Args:
        order: Whose turn it is, step by step.
        keep_old_for: How long the old key is kept.
        after_a_kill: Whether an earlier rotation of it was killed and left a key.
    """
    emulator = Emulator(seed=1)
    project = emulator.admin().projects.create(name="p")
    old = emulator.admin().api_keys.create(project_id=project.id, name="reader")
    vault = [old.value]
    if after_a_kill:
        killed = FaultyTransport(emulator, {4: InjectedFault.KILL_BEFORE}).admin()
        with suppress(KilledError):
            killed.api_keys.rotate(api_key_id=old.key.id, store=lambda _: None)
    turns, log = Turns(iter(order)), list[str]()
    first, second = (Run(number, turns, log, emulator, vault) for number in (0, 1))
    threads = [threading.Thread(target=run.rotate, args=[old.key.id, keep_old_for]) for run in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    keys = emulator.state.api_keys.values()
    return Ending(
        runs=(first, second),
        named=sum(key.name == "reader" for key in keys),
        is_valid=vault[-1] in {key.value for key in keys},
    )


def each_pair_of_steps() -> Iterator[list[int]]:
    """Yield the orders of two runs that each stop once, before each of their steps."""
    for first in range(STEPS):
        for second in range(1, STEPS):
            yield [0] * first + [1] * second + [0] * STEPS


def draw_orders(count: int, seed: int) -> Iterator[list[int]]:
    """Yield random orders."""
    random = Random(seed)
    for _ in range(count):
        yield random.sample([0, 1] * STEPS, 2 * STEPS)


def main() -> int:
    """Run all orders, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--random", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts = Counter[str]()
    broken = 0
    for order in [*each_pair_of_steps(), *draw_orders(options.random, options.seed)]:
        for keep_old_for in OVERLAPS:
            for after_a_kill in (False, True):
                ending = rotate_twice(order, keep_old_for=keep_old_for, after_a_kill=after_a_kill)
                counts["cases"] += 1
                counts["started together"] += ending.started_together
                counts["both stored"] += ending.have_both_stored
                counts["the value stored last is not valid"] += not ending.is_valid
                for promise in ending.find_broken_promises():
                    broken += 1
                    print(f"broken: {promise}: {order}, {keep_old_for=}, {after_a_kill=}")
    print(*(f"{count:6} {name}" for name, count in counts.items()), f"{broken:6} broken promises", sep="\n")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
