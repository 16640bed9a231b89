"""Rotate what is due every night of a month, with runs that are killed anywhere, and count what went wrong.

Usage: python -m tests.faults.nights_of_rotations [--months N] [--seed SEED]

An organization has 12 keys in three projects. Each night of the emulator's clock, ``rotate_due`` runs. Most runs are
killed at a random request, and repeated at once or in the next night. Some requests and some stores of keys fail. On
some days a key is rotated by hand, and that is killed, too. Exits with status 1 if at any time the stored value of a
key, or one that was stored until less than its overlap ago, was no longer valid, or if a run without a fault left a key
double, unfinished, overdue or too old.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any

from attrs import define, field

from pinecone_admin import PineconeError
from pinecone_admin._concurrency.clock import use_clock
from pinecone_admin.emulator import Emulator
from tests.support.clock import VirtualClock
from tests.support.fault_injection import KILLS, NON_FATAL_FAULTS, FaultyTransport, InjectedFault, KilledError
from tests.support.rotated_keys import KEEP_OLD_FOR, OLDER_THAN, RotatedKeys

NIGHTS = 30


@define
class Month:
    """A month of nights.

    Attributes:
        random: Decides what fails.
        organization: The keys.
        counts: The number of runs by their end.
        wrong: The problems.
    """

    random: Random
    organization: RotatedKeys = field(init=False)
    counts: Counter[str] = field(factory=Counter[str])
    wrong: list[str] = field(factory=list[str])

    def __attrs_post_init__(self) -> None:
        self.organization = RotatedKeys(Emulator(seed=self.random.randrange(1000)))
        self.organization.fill(3, 4, apart=timedelta(hours=self.random.randrange(30)))

    def live(self) -> None:
        """Let the nights pass, and the last one without faults."""
        for _ in range(NIGHTS):
            self.organization.advance(timedelta(hours=self.random.randrange(20, 28)))
            if self.random.random() < 0.3:
                self._rotate_by_hand()
            for _ in range(self.random.choice((1, 1, 2, 3))):
                self._run(self._draw_faults())
            self.organization.failing = set(self.random.sample(self._names, self.random.choice((0, 0, 2))))
        self.organization.failing = set()
        self._run({})
        self.wrong += self.organization.find_leftovers()

    @property
    def _names(self) -> list[str]:
        return [name for _, name in self.organization.vault]

    def _draw_faults(self) -> dict[int, InjectedFault]:
        faults: dict[int, InjectedFault] = {}
        if self.random.random() < 0.3:
            faults |= {self.random.randrange(1, 60): self.random.choice(NON_FATAL_FAULTS) for _ in range(3)}
        if self.random.random() < 0.6:
            faults[self.random.randrange(1, self.random.choice((12, 40, 100)))] = self.random.choice(KILLS)
        return faults

    def _run(self, faults: dict[int, InjectedFault]) -> None:
        try:
            with FaultyTransport(self.organization.emulator, faults).admin() as admin:
                report = admin.api_keys.rotate_due(
                    older_than=OLDER_THAN, keep_old_for=KEEP_OLD_FOR, store=self.organization.store
                )
            self.counts["failed in part" if report.failed else "completed"] += 1
            self.counts["rotations"] += len(report.rotated)
            self.counts["deletions"] += len(report.deleted)
            self.counts["finished"] += len(report.finished)
        except KilledError:
            self.counts["killed"] += 1
        except PineconeError:
            self.counts["failed"] += 1
        self.wrong += self.organization.find_faults()

    def _rotate_by_hand(self) -> None:
        """Rotate a key that is not retired, as somebody who sees its id in the console does; the run may be killed."""
        key = self.random.choice([key for key in self.organization.keys if not key.name.startswith("~")])
        at: dict[int, Any] = {self.random.randrange(1, 14): self.random.choice(KILLS)}
        with (
            suppress(KilledError, PineconeError, OSError),
            FaultyTransport(self.organization.emulator, at).admin() as admin,
        ):
            admin.api_keys.rotate(api_key_id=key.id, store=self.organization.store, keep_old_for=KEEP_OLD_FOR)
            self.counts["by hand"] += 1
        self.wrong += self.organization.find_faults()


def live_for_a_month(seed: int) -> Month:
    """Return a month after its end."""
    month = Month(Random(seed))
    with use_clock(VirtualClock()):
        month.live()
    return month


def main() -> int:
    """Run as a program."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--months", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts, wrong = Counter[str](), 0
    for seed in range(options.seed, options.seed + options.months):
        month = live_for_a_month(seed)
        counts += month.counts
        wrong += bool(month.wrong)
        for each in month.wrong[:3]:
            sys.stdout.write(f"seed {seed}: {each}\n")
    listed = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    sys.stdout.write(f"{options.months} months of {NIGHTS} nights: {listed}; {wrong} months went wrong\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
