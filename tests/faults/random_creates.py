"""Make creates under random faults, over sockets and inside ``emulate()``, and count how often each is processed.

Usage: python -m tests.faults.random_creates [--creates N] [--seconds S] [--seed SEED]

Divides N creates among all kinds of clients and both places, but ends after S seconds. Exits with status 1 if a create
was processed twice.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

from attrs import evolve, frozen

from pinecone_admin import RetryPolicy
from pinecone_admin._concurrency.clock import use_clock
from pinecone_admin.emulator import Emulator
from pinecone_admin.testing import emulate
from tests.faults.cases import (
    ALL_CLIENT_KINDS,
    CHUNKED,
    close_on_data,
    reset_on_data,
    send_and_close,
)
from tests.faults.clients import AnyClient
from tests.faults.clock import RunningClock
from tests.faults.server import (
    Action,
    RequestContext,
    Server,
    accept_requests,
    format_head,
    send_project,
    send_response,
)

CALLERS = 8
BATCH = 250
"""Creates within one emulator, whose state grows with each."""

FAULTS: Mapping[str, Action] = {
    "FIN unprocessed": send_and_close(b"", process=False),
    "FIN": send_and_close(b""),
    "RST": send_and_close(b"", RequestContext.reset),
    "head truncated": send_and_close(b"HTTP/1.1 201 Cr"),
    "garbage": send_and_close(b"garbage\r\n\r\n"),
    "body truncated": send_and_close(format_head(201, 99) + b"{"),
    "chunks truncated": send_and_close(CHUNKED + b"5\r\n{}"),
    "408": send_response(408),
    "429": send_response(429),
    "503 processed": send_response(503),
    "520 processed": send_response(520),
    "501": send_response(501),
    "401": send_response(401),
    "409": send_response(409),
}
EMULATED_FAULTS: list[dict[str, Any]] = [
    {"drop": "before"},
    {"drop": "after"},
    {"reset": "before"},
    {"reset": "after"},
    {"unreachable": True},
    {"truncate": True},
    {"wrong_length": 5},
    {"wrong_length": -5},
    {"status": 429},
    *({"status": status, "after_change": after} for status in (408, 500, 502, 503, 504) for after in (False, True)),
]


@frozen
class Creates:
    """How many creates were made, how many of them were processed, and how many more than once."""

    made: int = 0
    processed: int = 0
    repeated: int = 0

    def __add__(self, other: Creates) -> Creates:
        return Creates(self.made + other.made, self.processed + other.processed, self.repeated + other.repeated)


@frozen
class RandomFaults:
    """The server's random reaction to a create or a connection."""

    random: Random

    def respond(self, context: RequestContext) -> None:
        """Process a create, or fail before, during or after that; count it by the name in its body."""
        path = f"/{json.loads(context.request.body)['name']}"
        fault = self.random.choice((send_project, *FAULTS.values()))
        named = evolve(context, request=evolve(context.request, path=path))
        (send_project if self.random.random() < 0.5 else fault)(named)
        context.keep_alive = named.keep_alive and self.random.random() < 0.9  # closing unannounced is a fault, too

    def accept(self, connection: socket.socket) -> bool:
        """Accept a connection, or close it once data arrives."""
        return self.random.choices((accept_requests, close_on_data, reset_on_data), (18, 1, 1))[0](connection)


def make_creates(create: Callable[[str], object], names: Iterable[str], deadline: float) -> int:
    """Make creates from several threads until all are made or the time ends, and return their number."""

    def call(name: str) -> bool:
        in_time = time.monotonic() < deadline
        if in_time:
            create(name)
        return in_time

    with ThreadPoolExecutor(CALLERS) as threads:
        return sum(threads.map(call, names))


def count_over_sockets(make_client: Callable[..., Any], count: int, *, seed: int, deadline: float) -> Creates:
    """Make creates at a server that fails at random."""
    faults = RandomFaults(Random(seed))
    with Server(api_actions=[faults.respond], connection_actions=[faults.accept]) as server, Server() as tokens:
        client = make_client(**tokens.client_options | {"host": server.url})
        try:
            made = make_creates(
                lambda name: client.run_call(lambda: client.admin.projects.create(name=name)),
                (f"create-{number}" for number in range(count)),
                deadline,
            )
        finally:
            client.close()
        processed = list(server.processed.values())
    return Creates(made, len(processed), sum(times > 1 for times in processed))


def count_inside_emulate(make_client: Callable[..., Any], count: int, *, seed: int, deadline: float) -> Creates:
    """Make creates inside ``emulate()``, where they fail at random."""
    total = Creates()
    for start in range(0, count, BATCH):
        with emulate(Emulator(seed=seed + start, project_quota=BATCH + 10)) as emulator:
            for fault in EMULATED_FAULTS:
                emulator.faults.add("create_project", times=None, probability=0.05, **fault)
            client = make_client()
            try:
                made = make_creates(
                    lambda name: client.run_call(lambda: client.admin.projects.create(name=name)),  # noqa: B023
                    (f"create-{number}" for number in range(start, min(count, start + BATCH))),
                    deadline,
                )
            finally:
                client.close()
            names = Counter(project.name for project in emulator.state.projects.values())
        created = [times for name, times in names.items() if name.startswith("create-")]
        total += Creates(made, len(created), sum(times > 1 for times in created))
    return total


def main() -> int:
    """Make creates with every kind of client."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--creates", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    runs = [(kind, place) for place in (count_over_sockets, count_inside_emulate) for kind in ALL_CLIENT_KINDS]
    total = Creates()
    started = time.monotonic()
    for number, (kind, place) in enumerate(runs, 1):
        deadline = started + options.seconds * number / len(runs)
        policy = RetryPolicy(max_attempts=4)
        with use_clock(RunningClock()):
            found = place(
                lambda **arguments: AnyClient(kind, retry=policy, **arguments),  # noqa: B023 - called at once
                options.creates // len(runs),
                seed=options.seed,
                deadline=deadline,
            )
        print(f"{place.__name__}, {kind}: {found}, {time.monotonic() - started:.0f} s", flush=True)
        total += found
    print(total)
    return int(bool(total.repeated))


if __name__ == "__main__":
    sys.exit(main())
